"""Proof that what will happen is told before it does."""

from greenrun.canary.setup import sequential_test
from greenrun.model.interfaces.alerting import Alerts
from greenrun.model.release_state import ReleaseState
from greenrun.release.dry_run import Known, Rehearsed, outlook
from greenrun.release.release import Release
from greenrun.reporting.monitoring import Objectives, ahead


def told(
    release: Release,
    rehearsed: Rehearsed | None,
    objectives: Objectives,
    alerts: Alerts,
    *,
    aloud: bool,
) -> None:
    """Everything that the release will change stands in the evidence; `aloud`, it is shown, too.

    What the canary can see depends on the objectives, and who is told of what afterwards.
    """
    plan = release.plan
    test = sequential_test(objectives.canary, plan.canary)
    known = Known(test, _last(release), rehearsed, ahead(plan, objectives, alerts))
    told = outlook(plan, release.dependencies, release.source, known)
    release.dependencies.evidence.attach("plan", told.as_markdown(), "text/markdown")
    if aloud:
        release.dependencies.progress.present(told.as_text())


def _last(release: Release) -> ReleaseState | None:
    """Where the last release stood; what cannot be read is told, and forbids nobody to go on."""
    lease = release.guard.lock.latest
    if lease is None or not lease.release_state:
        return None
    try:
        return ReleaseState.from_json(lease.release_state)
    except ValueError as error:
        present = release.dependencies.progress.present
        present(f"could not read what {lease} has left, going on without: {error}")
        return None
