import pytest

from benchmarks.ingress import milliseconds


@pytest.mark.parametrize(
    ("text", "expected"), [("812.00us", 0.812), ("1.52ms", 1.52), ("1.01s", 1010.0)]
)
def test_every_unit_of_wrk_is_read(text: str, expected: float) -> None:
    assert milliseconds(text) == pytest.approx(expected)
