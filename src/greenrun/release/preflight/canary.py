"""The canary: its probes are answered as they should be, and each step can be decided in time."""

from collections.abc import Iterator
from datetime import timedelta

from greenrun.canary.forecast import LONGEST, Forecast, Power, forecast
from greenrun.model.errors import CallFailed, ReleaseError
from greenrun.model.text import span
from greenrun.release.preflight.context import Context, Problem
from greenrun.release.preflight.rollback import NOT_NEEDED, existing, is_first, rollback_target
from greenrun.release.traffic import WRONG_PROBE


def answers_probes(context: Context) -> Iterator[Problem]:
    """Each is asked of the service as it serves now; a wrong one would fail every candidate."""
    if is_first(context):
        context.measure("probes", "asked of the candidate: first release")
        return
    service = existing(context.dependencies.platform.service(), context.plan)
    probes = context.plan.canary.named_probes
    failing = context.prober.failing(service.url, probes)
    for name, probe in probes.items():
        context.measure(f"probe {name}", failing.get(name, f"answered {probe.needs}"))
    for name, got in failing.items():
        yield Problem(f"the probe {name}: got {got}", WRONG_PROBE)


def has_power(context: Context) -> Iterator[Problem]:
    """No step is underpowered: of an equal candidate, each could tell that it is no worse."""
    if is_first(context):
        context.measure("canary", NOT_NEEDED)
        return
    canary = _forecast(context)
    if canary is None:
        context.measure("canary", "its power is not known without a baseline")
        return
    for share in canary.plan.steps:
        passes = " and ".join(_passing(power) for power in canary.at(share))
        context.measure(
            f"canary at {share} %", f"within {span(canary.max_duration(share))}; {passes}"
        )
    for power in canary.underpowered_steps():
        yield _problem(canary, power)


def _forecast(context: Context) -> Forecast | None:
    """Forecast the canary; None where another check reports what is wrong."""
    try:
        service = existing(context.dependencies.platform.service(), context.plan)
        baseline = rollback_target(context)
    except CallFailed:
        raise
    except ReleaseError:
        return None
    return forecast(context.plan, context.dependencies, service, baseline, context.trial)


def _passing(power: Power) -> str:
    needed = "never passes" if power.passes == timedelta.max else f"passes in {span(power.passes)}"
    return f"{power.expected.counted_by.value} ({power.expected}): a healthy candidate {needed}"


def _problem(canary: Forecast, power: Power) -> Problem:
    got = f"{power.expected.counted_by.value}: {power.expected}"
    if power.passes == timedelta.max:
        told = f"got {got}, needs what a healthy candidate could pass by ({power.slowest})"
    else:
        within, needed = span(canary.max_duration(power.share)), span(power.passes)
        told = f"got {within}, needs {needed} for a healthy candidate to pass ({power.slowest}"
        told += f", by {got})"
    return Problem(f"canary at {power.share} %: {told}", "; or ".join(_ways(canary, power)))


def _ways(canary: Forecast, power: Power) -> Iterator[str]:
    """Yield the changes to release.yaml that would help."""
    needed = canary.passes_nine_in_ten(power.share)
    if needed <= LONGEST:
        yield f"allow `canary.max-duration: {_written(needed)}` or `canary.underpowered: lengthen`"
    probes = canary.sufficient_probes(power.share)
    if probes is not None:
        yield f"send `canary.probes-per-second: {probes}`"
    tolerances = "`canary.max-error-increase`, `canary.max-latency-increase`, the objectives"
    yield f"tolerate more ({tolerances})"


def _written(duration: timedelta) -> str:
    """Round up to minutes, as release.yaml writes durations."""
    return f"{-(-duration // timedelta(minutes=1))}m"
