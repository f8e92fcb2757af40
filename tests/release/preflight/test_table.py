"""A table says which checks hold where."""

import pytest

from greenrun.model.errors import ReleaseError
from greenrun.release.preflight import table

HEAD = ("what", "where")
ROWS = (HEAD, ("a", "everywhere"), ("b", "cloud"))


def test_a_rehearsal_leaves_out_what_holds_in_the_cloud() -> None:
    assert table.titles(ROWS, "local") == ("a",)
    assert table.titles(ROWS, "prod") == ("a", "b")


@pytest.mark.parametrize(
    ("rows", "environment", "complaint"),
    [
        ((("what",), ("a",)), "prod", "got columns what, needs what and where"),
        ((HEAD, ("a", "sometimes")), "prod", "got where sometimes, needs everywhere or cloud"),
        ((HEAD,), "prod", "got no check for prod in 0 rows"),
        ((HEAD, ("b", "cloud")), "local", "got no check for local in 1 rows"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    rows: tuple[tuple[str, ...], ...], environment: str, complaint: str
) -> None:
    with pytest.raises(ReleaseError, match=complaint):
        table.titles(rows, environment)
