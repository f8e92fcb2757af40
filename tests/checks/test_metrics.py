"""A service's own metrics: families, counters that rise, objectives; no data is no pass."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain, repeat

import pytest

from greenrun.checks.metrics.checks import OwnMetrics
from greenrun.checks.metrics.objectives import FAMILIES, OBJECTIVES, RISES, objectives
from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.release.release import Release
from tests.checks.deployed import answer, candidate_answers, deploy
from tests.conftest import World

HEAD = ["counter", "by at least"]
TOLD = """# TYPE process_start_time_seconds gauge
process_start_time_seconds {started}
# TYPE asked_total counter
asked_total{{outcome="completed"}} {completed}
asked_total{{outcome="skipped"}} 1
# TYPE cached gauge
cached {cached}
# TYPE took_seconds histogram
took_seconds_bucket{{le="1.0"}} 9
took_seconds_bucket{{le="5.0"}} 10
took_seconds_bucket{{le="+Inf"}} 12
took_seconds_count 12
took_seconds_sum 20
"""


def told(completed: int = 3, started: int = 1000, cached: int = 7) -> str:
    return TOLD.format(completed=completed, started=started, cached=cached)


@pytest.fixture
def deployed(release: Release) -> Release:
    return deploy(release)


def metrics(deployed: Release, world: World, *bodies: str) -> OwnMetrics:
    """What tells these texts in turn, and the last of them for ever."""
    texts: Iterator[str] = chain(bodies, repeat(bodies[-1]))
    candidate_answers(world, "/metrics", lambda _: answer(next(texts)))
    return OwnMetrics(deployed, deployed.candidate.url + "/metrics")


def test_families_are_named_by_how_they_begin_their_type_and_labels(
    deployed: Release, world: World
) -> None:
    table = [
        ["family", "type", "labels"],
        ["asked", "", ""],
        ["asked_total", "counter", "outcome"],
        ["took", "histogram", ""],
    ]
    metrics(deployed, world, told()).have_families(4, FAMILIES.read(table))
    assert "asked (counter, outcome)" in world.evidence.kept["metric families"]


@pytest.mark.parametrize(
    ("fewest", "row", "reason"),
    [
        (5, ["asked", "", ""], "got 4 families, needs at least 5"),
        (1, ["recall", "", ""], "family recall: got none"),
        (1, ["asked", "gauge", ""], r"gauge asked: got asked \(counter, outcome\)"),
        (1, ["asked", "", "path, outcome"], "family asked with outcome, path: got asked"),
    ],
)
def test_families_that_are_missing(
    deployed: Release, world: World, fewest: int, row: Sequence[str], reason: str
) -> None:
    promised = FAMILIES.read([["family", "type", "labels"], row])
    with pytest.raises(GateClosed, match=reason):
        metrics(deployed, world, told()).have_families(fewest, promised)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("<html>{", 200, "needs Prometheus text"),
        ("", 200, "got no metric at all"),
        (told(), 503, "got status 503, needs 200"),
    ],
)
def test_what_is_no_metrics(
    deployed: Release, world: World, body: str, status: int, reason: str
) -> None:
    candidate_answers(world, "/metrics", answer(body, status))
    with pytest.raises(GateClosed, match=reason):
        OwnMetrics(deployed, deployed.candidate.url + "/metrics")


def test_counters_have_risen_by_what_is_needed(deployed: Release, world: World) -> None:
    own = metrics(deployed, world, told(3), told(5))
    own.have_risen(
        RISES.read([HEAD, ['asked_total{outcome="completed"}', "2"], ["asked_total", ""]])
    )
    assert world.evidence.kept["counters before and after"] == (
        'asked_total{outcome="completed"}: 3 to 5\nasked_total: 4 to 6'
    )


def test_what_is_counted_late_is_waited_for(deployed: Release, world: World) -> None:
    own = metrics(deployed, world, *[told(3)] * 4, told(4))
    own.have_risen(RISES.read([HEAD, ["asked_total", "1"]]))


def test_a_series_that_was_not_there_before_was_zero(deployed: Release, world: World) -> None:
    own = metrics(deployed, world, told(), told() + "# TYPE new_total counter\nnew_total 2\n")
    own.have_risen(RISES.read([HEAD, ["new_total", "2"]]))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["asked_total", "2"], "asked_total: got a rise of 1, needs at least 2"),
        (['asked_total{outcome="skipped"}', ""], "got a rise of 0, needs any"),
        (["hits_total", "1"], "hits_total: got no such counter"),
        (['asked_total{result="completed"}', "1"], "got no such counter"),
        (["cached", "1"], "cached: got a gauge, needs a counter"),
    ],
)
def test_counters_that_did_not_rise_are_named(
    deployed: Release, world: World, row: Sequence[str], reason: str
) -> None:
    own = metrics(deployed, world, told(3), told(4, cached=9))
    with pytest.raises(GateClosed, match=reason):
        own.have_risen(RISES.read([HEAD, row]))


def test_another_instance_is_looked_past(deployed: Release, world: World) -> None:
    own = metrics(deployed, world, told(3), told(0), told(90, started=2000), told(4))
    own.have_risen(RISES.read([HEAD, ["asked_total", "1"]]))
    assert "4 to 5" in world.evidence.kept["counters before and after"]


@pytest.mark.parametrize("other", [told(0), told(90, started=2000)])
def test_an_instance_that_never_answers_again(deployed: Release, world: World, other: str) -> None:
    own = metrics(deployed, world, told(3), other)
    begun = world.clock.now()
    with pytest.raises(GateClosed, match=r"at every look for 10 s.*\nhint: each instance counts"):
        own.have_risen(RISES.read([HEAD, ["asked_total", "1"]]))
    assert world.clock.now() - begun == timedelta(seconds=10)


LIMITS = ["measure", "at least", "at most"]


def test_objectives_that_are_kept(deployed: Release, world: World) -> None:
    table = [
        LIMITS,
        ["p75 of took_seconds", "900 ms", "1 s"],
        ['asked_total{outcome="skipped"} / asked_total', "20 %", "50 %"],
        ["cached", "", "100"],
        ["p99 of took_seconds", "5 s", ""],
    ]
    metrics(deployed, world, told()).keep(objectives(OBJECTIVES.read(table)))
    assert "pass: cached 7 (needs at most 100)" in world.evidence.kept["objectives"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["cached", "", "6"], r"cached 7 \(needs at most 6\)"),
        (["cached", "8", "9"], r"cached 7 \(needs at least 8\)"),
        (["p75 of took_seconds", "", "100 ms"], r"1000 ms \(needs at most 100 ms\)"),
        (["p99 of took_seconds", "", "4 s"], r"5 s \(needs at most 4 s\)"),
        (["missing", "", "6"], r"no data \(needs at most 6\): missing is not told"),
        (["cached / missing", "1 %", ""], r"no data \(needs at least 1 %\)"),
        (["p99 of took_seconds", "", "9 s"], "no data .*: it is beyond the last bucket, 5 s"),
        (["p99 of took_seconds", "6 s", ""], "no data .*: it is beyond the last bucket, 5 s"),
    ],
)
def test_objectives_that_are_not_kept_or_have_no_data(
    deployed: Release, world: World, row: Sequence[str], reason: str
) -> None:
    with pytest.raises(GateClosed, match=reason):
        metrics(deployed, world, told()).keep(objectives(OBJECTIVES.read([LIMITS, row])))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["cached", "", ""], "got cached without a limit"),
        (["cached", "", "many"], "got 'many', needs a number"),
        (["cached", "", "nan"], "got 'nan', needs a number"),
        (["avg of cached", "", "6"], "got measure 'avg of cached'"),
        (["cached", "", "6 %"], "cached: got a limit in %, needs one in no unit"),
        (
            ["p75 of took_seconds", "", "6 %"],
            "needs one in s or ms or min or no unit",
        ),
    ],
)
def test_objectives_that_cannot_be_meant(
    deployed: Release, world: World, row: Sequence[str], reason: str
) -> None:
    with pytest.raises(ReleaseError, match=reason):
        metrics(deployed, world, told()).keep(objectives(OBJECTIVES.read([LIMITS, row])))


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ([["measure", "under"], ["a", "1"]], "table of objectives: got columns measure, under"),
        ([["at most"], ["1"]], "needs measure and any of at least, at most"),
        ([LIMITS], "got no row, needs at least one"),
        ([LIMITS, ["", "", "1"]], "row 1: measure: got '', needs a text"),
    ],
)
def test_tables_that_cannot_be_meant(table: Sequence[Sequence[str]], reason: str) -> None:
    with pytest.raises(ReleaseError, match=reason):
        objectives(OBJECTIVES.read(table))
