import pytest

from benchmarks.figures import Figure, middle, of_medians, table


def test_the_columns_of_a_table_are_as_wide_as_their_widest_cell() -> None:
    figures = [
        Figure("rehearsal", "8.00 s", "shell 10.00 s", 0.8, "1.10 or less"),
        Figure("p99", "7 ms", "6 ms", 1.1667),
    ]
    assert table(figures).splitlines() == [
        "benchmark  measured  against        ratio  aim",
        "rehearsal  8.00 s    shell 10.00 s  0.80   1.10 or less",
        "p99        7 ms      6 ms           1.17",
    ]


def test_one_disturbed_run_does_not_move_the_ratio() -> None:
    assert of_medians([2.0, 2.0, 90.0], [1.0, 1.0, 1.0]) == pytest.approx(2.0)


def test_a_median_is_told_with_its_spread() -> None:
    assert middle([3.0, 1.0, 2.0], "s") == "2.00 s (1.00 to 3.00)"
