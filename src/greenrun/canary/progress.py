"""How a canary stands, in a line while it runs and as evidence when it is over."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from greenrun.canary.sources import memory
from greenrun.model.canary_step import CanaryStep, CountedBy, MemoryObservation, Observation
from greenrun.model.stats import Outcome, Result, Results

_MORE = "send more requests (`canary.probes-per-second`), or allow more time (`canary.within`)"
_WHO = {
    CountedBy.PROBES: "are the revision tags and `canary.probe-paths` answered?",
    CountedBy.PLATFORM: "the platform has counted nothing yet:",
}


def line(share: int, glances: Iterable[Observation | MemoryObservation], left: timedelta) -> str:
    """Shares, then of each who counts: requests of both, and how much of the evidence is there.

    Who has least of what a pass takes comes first: the others wait for it, and lines are cut.
    """
    waited_for = sorted(glances, key=_progress)
    counted = "; ".join(map(_standing, waited_for)) or "nothing was counted yet"
    return f"{share}/{100 - share} %, {max(left, timedelta()).seconds} s left; {counted}"


def table(increment: CanaryStep) -> str:
    """The verdict, then every part of each who counts: requests, evidence, outcome."""
    counted = (row for last in map(increment.last, CountedBy) if last for row in _rows(last))
    used = memory.rows(increment.memory) if increment.memory else ()
    return "\n".join([str(increment), *counted, *used])


def advice(increment: CanaryStep) -> str:
    """What to do about one that has not passed."""
    match increment.outcome:
        case Outcome.NO_DATA:
            return _missing(increment)
        case Outcome.INCONCLUSIVE:
            return f"{_MORE}; or tolerate more (`canary.tolerated`, `canary.slower`)"
        case _:
            return _compare(increment)


def _progress(glance: Observation | MemoryObservation) -> int:
    """Percent of what it takes to pass."""
    if isinstance(glance, MemoryObservation):
        return 100 if glance.outcome is Outcome.PASS else 0
    return _percents(glance.standings)[1]


def _standing(glance: Observation | MemoryObservation) -> str:
    if isinstance(glance, MemoryObservation):
        return memory.standing(glance)
    requests = f"{glance.candidate.counts.total:,}/{glance.baseline.counts.total:,}"
    against, for_ = _percents(glance.standings)
    return f"{glance.watcher.value} {requests}: against {against} %, for {for_} %"


def _percents(standings: Results) -> tuple[int, int]:
    """The most of what it takes to fail, and the least of what it takes to pass, over all parts."""
    looks = standings.looks.values()
    against = max(look.evidence.against / look.evidence.against_needed for look in looks)
    for_ = min(_towards_pass(look) for look in looks)
    return (_percent(against), _percent(for_))


def _towards_pass(look: Result) -> float:
    return 1.0 if look.outcome is Outcome.PASS else look.evidence.for_ / look.evidence.for_needed


def _percent(part: float) -> int:
    return round(100 * min(max(part, 0.0), 1.0))


def _rows(glance: Observation) -> Iterator[str]:
    yield f"\n{glance.watcher.value}: bad of all requests, and evidence in percent of what it takes"
    yield f"{'':<12}{'candidate':>18}{'baseline':>18}{'against':>9}{'for':>6}  outcome"
    for name, look in glance.standings.looks.items():
        against, for_ = _percents(Results({name: look}))
        counts = f"{look.candidate!s:>18}{look.baseline!s:>18}"
        yield f"{name:<12}{counts}{against:>9}{for_:>6}  {look.outcome.value}"


def _missing(increment: CanaryStep) -> str:
    """Who had no data, and what may be the reason."""
    silent = [_WHO[one.watcher] for one in _with(Outcome.NO_DATA, increment)]
    return " ".join([*silent, _MORE]) if silent else memory.UNTOLD


def _with(outcome: Outcome, increment: CanaryStep) -> list[Observation]:
    """The last glances of those who count and came to that."""
    lasts = [last for one in CountedBy if (last := increment.last(one)) is not None]
    return [one for one in lasts if one.standings.outcome is outcome]


def _compare(increment: CanaryStep) -> str:
    if not _with(Outcome.FAIL, increment):
        return memory.TOO_MUCH
    last = increment.last(CountedBy.PROBES)
    if last is not None and last.baseline.counts.rate > 0.5:
        return "the baseline fails our probes, too: see `canary.probe-paths`, `probes.identities`"
    return "compare the figures of both revisions, and read the candidate's log in the report"
