import math
from bisect import bisect_right

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenrun.model.stats import Histogram

EMPTY = Histogram.exponential(66, 1.4, 1.0)
LATENCIES = st.lists(st.floats(0, EMPTY.bounds[-1], exclude_max=True), min_size=1, max_size=200)
SHARES = st.floats(0.01, 1)


def counted(values: list[float]) -> Histogram:
    counts = [0] * (len(EMPTY.bounds) + 1)
    for value in values:
        counts[bisect_right(EMPTY.bounds, value)] += 1
    return Histogram(EMPTY.bounds, tuple(counts))


def exact(values: list[float], share: float) -> float:
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


@given(LATENCIES, SHARES)
@settings(deadline=None)
def test_a_quantile_is_within_the_bucket_of_the_exact_one(
    values: list[float], share: float
) -> None:
    low, high = EMPTY.edges(bisect_right(EMPTY.bounds, exact(values, share)))
    assert low <= counted(values).quantile(share) <= high


@given(LATENCIES, SHARES, SHARES)
@settings(deadline=None)
def test_quantiles_rise_with_their_share(values: list[float], one: float, other: float) -> None:
    histogram = counted(values)
    assert histogram.quantile(min(one, other)) <= histogram.quantile(max(one, other))


@given(LATENCIES, LATENCIES)
@settings(deadline=None)
def test_adding_is_counting_together(some: list[float], others: list[float]) -> None:
    assert counted(some) + counted(others) == counted(some + others)


@given(LATENCIES)
@settings(deadline=None)
def test_trailing_zeros_may_be_left_out(values: list[float]) -> None:
    whole = counted(values)
    last = max(place for place, count in enumerate(whole.counts) if count)
    short = Histogram(whole.bounds, whole.counts[: last + 1])
    assert short.quantile(0.5) == whole.quantile(0.5)
    assert (short + whole).total == (whole + short).total == 2 * len(values)


def test_bounds_follow_googles_definition() -> None:
    assert Histogram.exponential(3, 2.0, 10.0).bounds == (10.0, 20.0, 40.0, 80.0)


def test_values_count_as_spread_evenly_over_their_bucket() -> None:
    histogram = Histogram((10.0, 20.0, 40.0), (0, 4, 4, 0))
    assert [histogram.quantile(share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)] == [
        10.0,
        15.0,
        20.0,
        30.0,
        40.0,
    ]


def test_the_open_bucket_answers_its_lower_bound() -> None:
    assert Histogram((10.0, 20.0), (0, 0, 3)).quantile(0.5) == 20.0


def test_nothing_counted_has_no_quantiles() -> None:
    with pytest.raises(ValueError, match="got an empty histogram"):
        EMPTY.quantile(0.5)


def test_other_bounds_cannot_be_added() -> None:
    with pytest.raises(ValueError, match=r"needs .* to be added"):
        Histogram((1.0,)) + Histogram((2.0,))
