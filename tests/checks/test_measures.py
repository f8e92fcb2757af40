"""Sums, ratios and quantiles of a service's own metrics, in the units that people compare in."""

import math
from bisect import bisect_left
from collections.abc import Sequence

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenrun.checks.metrics import measures
from greenrun.checks.metrics.exposition import Exposition
from greenrun.checks.metrics.measures import NoData, Reading
from greenrun.model.errors import ReleaseError
from greenrun.model.objective import Quantity

BOUNDS = (0.1, 0.5, 1.0, 2.0, 5.0)
SECONDS = st.lists(st.floats(0, 8), min_size=1, max_size=60)
SHARES = st.integers(1, 99)

TOLD = """# TYPE hits_total counter
hits_total 30
# TYPE misses_total counter
misses_total{why="cold"} 60
misses_total{why="old"} 10
# TYPE never_total counter
# TYPE used_bytes gauge
used_bytes 104857600
# TYPE full_ratio gauge
full_ratio 0.25
# TYPE took_seconds histogram
took_seconds_bucket{path="/a",le="0.1"} 10
took_seconds_bucket{path="/a",le="0.5"} 20
took_seconds_bucket{path="/a",le="+Inf"} 20
took_seconds_bucket{path="/b",le="0.1"} 0
took_seconds_bucket{path="/b",le="0.5"} 10
took_seconds_bucket{path="/b",le="+Inf"} 20
took_seconds_sum{path="/a"} 3
took_seconds_sum{path="/b"} 9
took_seconds_count{path="/a"} 20
took_seconds_count{path="/b"} 20
# TYPE idle_seconds histogram
idle_seconds_bucket{le="1"} 0
idle_seconds_bucket{le="+Inf"} 0
# TYPE uneven histogram
uneven_bucket{a="1",le="1"} 1
uneven_bucket{a="1",le="+Inf"} 1
uneven_bucket{a="2",le="2"} 1
uneven_bucket{a="2",le="+Inf"} 1
# TYPE endless histogram
endless_bucket{le="1"} 1
"""


@pytest.fixture(scope="module")
def told() -> Exposition:
    return Exposition.parse(TOLD)


def read(told: Exposition, text: str) -> Reading:
    return measures.parse(text).read(told)


def told_of(seconds: Sequence[float], bounds: Sequence[float] = BOUNDS) -> Exposition:
    """What the official client tells after these observations."""
    registry = prometheus_client.CollectorRegistry()
    took = prometheus_client.Histogram("took_seconds", "Time.", buckets=bounds, registry=registry)
    for value in seconds:
        took.observe(value)
    return Exposition.parse(prometheus_client.generate_latest(registry).decode())


def by_hand(seconds: Sequence[float], share: float) -> float:
    """histogram_quantile, as its documentation tells it, from the observations themselves."""
    ranks = sorted(bisect_left(BOUNDS, value) for value in seconds)
    rank = share * len(seconds)
    bucket = next(place for place in ranks if bisect_left(ranks, place + 1) >= rank)
    if bucket == len(BOUNDS):
        return BOUNDS[-1]
    low = BOUNDS[bucket - 1] if bucket else 0.0
    within = (rank - bisect_left(ranks, bucket)) / ranks.count(bucket)
    return low + (BOUNDS[bucket] - low) * within


@given(SECONDS, SHARES)
def test_a_quantile_is_the_one_of_the_observations(seconds: list[float], percent: int) -> None:
    found = read(told_of(seconds), f"p{percent} of took_seconds")
    assert math.isclose(found.value, by_hand(seconds, percent / 100), abs_tol=1e-9)


@given(SECONDS, SHARES)
def test_a_quantile_lies_in_the_bucket_of_the_exact_one(seconds: list[float], percent: int) -> None:
    found = read(told_of(seconds), f"p{percent} of took_seconds")
    exact = sorted(seconds)[math.ceil(percent * len(seconds) / 100) - 1]
    bucket = bisect_left(BOUNDS, exact)
    assert found.at_least == (bucket == len(BOUNDS))
    assert (0, *BOUNDS)[bucket] <= found.value <= (*BOUNDS, BOUNDS[-1])[bucket]


@given(SECONDS, SHARES, SHARES)
def test_quantiles_rise_with_their_share(seconds: list[float], one: int, other: int) -> None:
    told = told_of(seconds)
    low, high = sorted((one, other))
    below, above = (read(told, f"p{percent} of took_seconds") for percent in (low, high))
    assert below.value <= above.value


def test_a_first_bucket_below_zero_is_as_narrow_as_can_be() -> None:
    assert read(told_of([-2, -2, 0.5], (-1, 1)), "p50 of took_seconds").value == -1


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("hits_total", Reading(30)),
        ("hits_total + misses_total", Reading(100)),
        ("hits_total / (hits_total + misses_total)", Reading(0.3, "ratio")),
        ('misses_total{why="old"} / misses_total', Reading(1 / 7, "ratio")),
        ('misses_total{why="a / b"} / hits_total', Reading(0, "ratio")),
        ("never_total / hits_total", Reading(0, "ratio")),
        ("used_bytes", Reading(104857600, "bytes")),
        ("full_ratio", Reading(0.25, "ratio")),
        ("took_seconds_sum / took_seconds_count", Reading(0.3, "seconds")),
        ("hits_total / took_seconds_sum", Reading(2.5)),
        ('p50 of took_seconds{path="/a"}', Reading(0.1, "seconds")),
        ("p75 of took_seconds", Reading(0.5, "seconds")),
        ("p99.9 of took_seconds", Reading(0.5, "seconds", at_least=True)),
    ],
)
def test_a_measure_is_read(told: Exposition, text: str, reading: Reading) -> None:
    assert read(told, text) == reading


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nothing_total", "nothing_total is not told"),
        ("hits_total / nothing_total", "nothing_total is not told"),
        ("hits_total / never_total", "never_total is 0"),
        ("hits_total / (never_total + never_total)", r"never_total \+ never_total is 0"),
        ("p95 of idle_seconds", "idle_seconds has counted nothing"),
        ("p95 of hits_total", "hits_total is not told as a histogram"),
        ("p95 of endless", "endless is not told as a histogram"),
        ('p95 of took_seconds{path="/c"}', "is not told as a histogram"),
    ],
)
def test_no_data_is_said_to_be_none(told: Exposition, text: str, reason: str) -> None:
    with pytest.raises(NoData, match=reason):
        read(told, text)


def test_series_with_different_buckets_have_no_quantile(told: Exposition) -> None:
    with pytest.raises(ReleaseError, match="different buckets"):
        read(told, "p95 of uneven")
    assert read(told, 'p95 of uneven{a="1"}').value == 0.95


@pytest.mark.parametrize(
    "text",
    ["", "p95 of", "p100 of a", "a /", "a / b / c", "a + b / c", "a - b", "avg of a", "a > 3"],
)
def test_what_is_no_measure(text: str) -> None:
    with pytest.raises(ReleaseError, match="got measure"):
        measures.parse(text)


@pytest.mark.parametrize(
    ("reading", "quantity"),
    [
        (Reading(0.25, "seconds"), Quantity(250, "ms")),
        (Reading(0.25, "seconds"), Quantity(0.25, "s")),
        (Reading(0.25, "seconds"), Quantity(0.25)),
        (Reading(0.25, "ratio"), Quantity(25, "%")),
        (Reading(2**21, "bytes"), Quantity(2, "MiB")),
        (Reading(7), Quantity(7)),
    ],
)
def test_a_reading_in_a_unit(reading: Reading, quantity: Quantity) -> None:
    assert reading.in_unit(quantity.unit) == quantity


@pytest.mark.parametrize(("base", "unit"), [("", "ms"), ("seconds", "%"), ("ratio", "MiB")])
def test_a_reading_in_a_unit_that_it_does_not_have(base: str, unit: str) -> None:
    with pytest.raises(ReleaseError, match=f"got a limit in {unit}, needs one in"):
        Reading(1, base).in_unit(unit)
