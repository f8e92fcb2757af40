"""A table says which checks hold where."""

import pytest

from greenrun.checks.release_state import PREFLIGHT, titles_for
from greenrun.model.errors import ReleaseError

HEAD = ("what", "where")
ENGINE, TREE = "the container engine is recent enough", "the expected commits are in"
ROWS = (HEAD, (ENGINE, "everywhere"), (TREE, "cloud"))


def test_a_rehearsal_leaves_out_what_holds_in_the_cloud() -> None:
    assert titles_for("local", PREFLIGHT.read(ROWS)) == (ENGINE,)
    assert titles_for("prod", PREFLIGHT.read(ROWS)) == (ENGINE, TREE)


@pytest.mark.parametrize(
    ("rows", "environment", "complaint"),
    [
        ((("what",), (ENGINE,)), "prod", "got columns what, needs what, where"),
        (
            (HEAD, (ENGINE, "sometimes")),
            "prod",
            "row 1: where: got 'sometimes', needs everywhere or cloud",
        ),
        (
            (HEAD, ("the moon is full", "cloud")),
            "prod",
            f"row 1: what: got 'the moon is full', needs any of: {ENGINE}; ",
        ),
        ((HEAD,), "prod", "got no row, needs at least one"),
        ((HEAD, (TREE, "cloud")), "local", "got no check for local in 1 rows"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    rows: tuple[tuple[str, ...], ...], environment: str, complaint: str
) -> None:
    with pytest.raises(ReleaseError, match=complaint):
        titles_for(environment, PREFLIGHT.read(rows))
