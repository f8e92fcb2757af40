"""How a canary stands, in a line while it runs and as evidence when it is over."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from greenrun.canary.sources import memory
from greenrun.model.canary_step import CanaryStep, CountedBy, MemoryObservation, Observation
from greenrun.model.stats import Outcome, Result, Results

_MORE = (
    "send more requests (`canary.probes-per-second`), or allow more time (`canary.max-duration`)"
)
_WHO = {
    CountedBy.PROBES: "are the revision tags and `canary.probe-paths` answered?",
    CountedBy.PLATFORM: "the platform has counted nothing yet:",
}


def line(
    share: int, observations: Iterable[Observation | MemoryObservation], left: timedelta
) -> str:
    """Shares, then of each who counts: requests of both, and how much of the evidence is there.

    Who has least of what a pass takes comes first: the others wait for it, and lines are cut.
    """
    waited_for = sorted(observations, key=_progress)
    counted = "; ".join(map(_standing, waited_for)) or "nothing was counted yet"
    return f"{share}/{100 - share} %, {max(left, timedelta()).seconds} s left; {counted}"


def table(step: CanaryStep) -> str:
    """The verdict, then every part of each who counts: requests, evidence, outcome."""
    counted = (row for last in map(step.last, CountedBy) if last for row in _rows(last))
    used = memory.rows(step.memory) if step.memory else ()
    return "\n".join([str(step), *counted, *used])


def advice(step: CanaryStep) -> str:
    """What to do about one that has not passed."""
    match step.outcome:
        case Outcome.NO_DATA:
            return _missing(step)
        case Outcome.INCONCLUSIVE:
            more = "`canary.max-error-increase`, `canary.max-latency-increase`"
            return f"{_MORE}; or tolerate more ({more})"
        case _:
            return _compare(step)


def _progress(observation: Observation | MemoryObservation) -> int:
    """Percent of what it takes to pass."""
    if isinstance(observation, MemoryObservation):
        return 100 if observation.outcome is Outcome.PASS else 0
    return _percents(observation.results)[1]


def _standing(observation: Observation | MemoryObservation) -> str:
    if isinstance(observation, MemoryObservation):
        return memory.release_state(observation)
    requests = f"{observation.candidate.counts.total:,}/{observation.baseline.counts.total:,}"
    against, for_ = _percents(observation.results)
    return f"{observation.counted_by.value} {requests}: against {against} %, for {for_} %"


def _percents(results: Results) -> tuple[int, int]:
    """The most of what it takes to fail, and the least of what it takes to pass, over all parts."""
    looks = results.looks.values()
    against = max(look.evidence.against / look.evidence.against_needed for look in looks)
    for_ = min(_towards_pass(look) for look in looks)
    return (_percent(against), _percent(for_))


def _towards_pass(look: Result) -> float:
    return 1.0 if look.outcome is Outcome.PASS else look.evidence.for_ / look.evidence.for_needed


def _percent(part: float) -> int:
    return round(100 * min(max(part, 0.0), 1.0))


def _rows(observation: Observation) -> Iterator[str]:
    counted_by = observation.counted_by.value
    yield f"\n{counted_by}: bad of all requests, and evidence in percent of what it takes"
    yield f"{'':<12}{'candidate':>18}{'baseline':>18}{'against':>9}{'for':>6}  outcome"
    for name, look in observation.results.looks.items():
        against, for_ = _percents(Results({name: look}))
        counts = f"{look.candidate!s:>18}{look.baseline!s:>18}"
        yield f"{name:<12}{counts}{against:>9}{for_:>6}  {look.outcome.value}"


def _missing(step: CanaryStep) -> str:
    """Who had no data, and what may be the reason."""
    silent = [_WHO[one.counted_by] for one in _with(Outcome.NO_DATA, step)]
    return " ".join([*silent, _MORE]) if silent else memory.UNTOLD


def _with(outcome: Outcome, step: CanaryStep) -> list[Observation]:
    """The last glances of those who count and came to that."""
    lasts = [last for one in CountedBy if (last := step.last(one)) is not None]
    return [one for one in lasts if one.results.outcome is outcome]


def _compare(step: CanaryStep) -> str:
    if not _with(Outcome.FAIL, step):
        return memory.TOO_MUCH
    last = step.last(CountedBy.PROBES)
    if last is not None and last.baseline.counts.rate > 0.5:
        return "the baseline fails our probes, too: see `canary.probe-paths`, `probes.identities`"
    return "compare the figures of both revisions, and read the candidate's log in the report"
