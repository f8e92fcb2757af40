"""Proof that what will happen is told before it does."""

from greenrun.canary.objectives import trial as trial_of
from greenrun.domain.gate import Gate
from greenrun.domain.standing import Standing
from greenrun.errors import GateClosed
from greenrun.planning import Known, Rehearsed, outlook
from greenrun.release import Release


def told(release: Release, rehearsed: Rehearsed | None, objectives: Gate, *, aloud: bool) -> None:
    """Everything that the release will change stands in the evidence; `aloud`, it is shown, too.

    `objectives` are those of the canary: what it can see depends on them.
    """
    plan = release.plan
    trial = trial_of(objectives, plan.canary, plan.canary.alpha_each)
    known = Known(trial, _last(release), rehearsed)
    told = outlook(plan, release.roles, release.source, known)
    release.roles.evidence.attach("plan", told.as_markdown(), "text/markdown")
    if aloud:
        release.roles.progress.present(told.as_text())


def _last(release: Release) -> Standing | None:
    claim = release.account.lock.latest
    if claim is None or not claim.standing:
        return None
    try:
        return Standing.from_json(claim.standing)
    except ValueError as error:
        raise GateClosed(f"{claim}: {error}") from error
