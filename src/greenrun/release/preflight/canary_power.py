"""Whether the canary could see anything: each increment decided within its time (P9.1)."""

from collections.abc import Iterator
from datetime import timedelta

from greenrun.canary.forecast import foresight
from greenrun.canary.power import LONGEST, Forecast, Power
from greenrun.model.duration import span
from greenrun.model.errors import CallFailed, ReleaseError
from greenrun.release.preflight.context import Doubt, Scene
from greenrun.release.preflight.rollback import existing, way_back_of


def suffices(scene: Scene) -> Iterator[Doubt]:
    """No increment is blind: of an equal candidate, each could tell that it is no worse."""
    canary = _foresight(scene)
    if canary is None:
        scene.measure("canary", "what it can see is not known without a baseline")
        return
    for share in canary.plan.increments:
        passes = " and ".join(_passing(sight) for sight in canary.at(share))
        scene.measure(f"canary at {share} %", f"within {span(canary.within(share))}; {passes}")
    for sight in canary.blind():
        yield _doubt(canary, sight)


def _foresight(scene: Scene) -> Forecast | None:
    """None where another check tells of what is wrong."""
    try:
        service = existing(scene.roles.platform.service(), scene.plan)
        baseline = way_back_of(scene)
    except CallFailed:
        raise
    except ReleaseError:
        return None
    return foresight(scene.plan, scene.roles, service, baseline, scene.trial)


def _passing(sight: Power) -> str:
    needed = "never passes" if sight.passes == timedelta.max else f"passes in {span(sight.passes)}"
    return f"{sight.flow.watcher.value} ({sight.flow}): a healthy candidate {needed}"


def _doubt(canary: Forecast, sight: Power) -> Doubt:
    got = f"{sight.flow.watcher.value}: {sight.flow}"
    if sight.passes == timedelta.max:
        told = f"got {got}, needs what a healthy candidate could pass by ({sight.slowest})"
    else:
        within, needed = span(canary.within(sight.share)), span(sight.passes)
        told = f"got {within}, needs {needed} for a healthy candidate to pass ({sight.slowest}"
        told += f", by {got})"
    return Doubt(f"canary at {sight.share} %: {told}", "; or ".join(_ways(canary, sight)))


def _ways(canary: Forecast, sight: Power) -> Iterator[str]:
    """What can be done about it, in release.yaml."""
    surely = canary.surely(sight.share)
    if surely <= LONGEST:
        yield f"allow `canary.within: {_written(surely)}` or `canary.blind: lengthen`"
    probes = canary.enough_probes(sight.share)
    if probes is not None:
        yield f"send `canary.probes-per-second: {probes}`"
    yield "tolerate more (`canary.tolerated`, `canary.slower`, the objectives)"


def _written(duration: timedelta) -> str:
    """As release.yaml has durations."""
    return f"{-(-duration // timedelta(minutes=1))}m"
