"""From a release to its record: the one place that knows where each fact is from."""

from collections.abc import Iterator, Sequence
from typing import TypedDict

from greenrun.model.alert_status import AlertStatus
from greenrun.model.errors import described
from greenrun.model.release_state import Stage
from greenrun.model.results import ScenarioResult
from greenrun.model.service import Service
from greenrun.model.text import deletion_command, restore_command, rollback_command
from greenrun.release.release import Release
from greenrun.reporting.record import canary
from greenrun.reporting.record.record import (
    AS_BEFORE,
    PERSON_NEEDED,
    RELEASED,
    Record,
    RecordedPolicy,
)

_SILENT = "unknown: the platform did not answer"


def collect_record(release: Release, results: Sequence[ScenarioResult]) -> Record:
    """Collect all that is known of a release by now, also where somebody does not answer."""
    clock, service = release.dependencies.clock, _service(release)
    outcome = _outcome(release, service)
    return Record(
        run=release.guard.run,
        outcome=outcome,
        exit_status=None,
        next=_next(release, outcome),
        environment=release.plan.environment,
        service=release.plan.service,
        project=release.plan.place.project,
        region=release.plan.place.region,
        url=_url(release, service),
        started=release.started,
        ended=clock.now(),
        seconds=(clock.monotonic() - release.started_at).total_seconds(),
        **_source(release),
        **_image(release),
        baseline=release.baseline,
        candidate=release.candidate.name if release.deployed else "",
        ready_seconds=_ready_seconds(release),
        traffic=_traffic(release, service),
        steps=canary.recorded(release.steps),
        alert_policies=tuple(map(_policy, release.alert_policies)),
        **_schema(release),
        checks=tuple(results),
        problems=(*(_problem(one) for one in results if one.ending == "failed"), *_missed(release)),
        roll_back=_way_back(release),
        rollback=_by_hand(release),
        lease=_lease(release),
        journal=release.guard.journal.path.name,
    )


def _missed(release: Release) -> Iterator[str]:
    """Yield what could not be done, and stood in nobody's way."""
    for what, error in release.guard.failures.items():
        yield f"could not {what}: {described(error)}"


def _service(release: Release) -> Service | None:
    try:
        return release.service
    except Exception:  # noqa: BLE001 - whatever it is, the rest of the record is written
        return None


def _traffic(release: Release, service: Service | None) -> str:
    if service is None and release.is_first and not release.promoted:
        return "none: there is no service"
    return str(service.resolved) if service else _SILENT


def _way_back(release: Release) -> str:
    return deletion_command(release.plan) if release.is_first else rollback_command(release.plan)


def _by_hand(release: Release) -> str:
    """Return the way back without greenrun; none where nothing is left of a first release."""
    is_needed = release.promoted if release.is_first else release.baseline
    return release.rollback.command if is_needed else ""


def _url(release: Release, service: Service | None) -> str:
    known = service or release.before
    return known.url if known else ""


def _outcome(release: Release, service: Service | None) -> str:
    """Return the outcome; where nothing was asked of the service, nothing can have moved."""
    if release.manual_changes:
        return ", ".join(release.manual_changes)
    if release.promoted:
        return RELEASED
    state = release.release_state
    moved = state is not None and state.asked
    if state is not None and state.is_first:
        return PERSON_NEEDED if moved and state.stage is not Stage.RESTORED else AS_BEFORE
    serving = service.resolved.serving if service else {}
    return PERSON_NEEDED if moved and serving != {release.baseline: 100} else AS_BEFORE


def _next(release: Release, outcome: str) -> str:
    """Return what a person does now; a contracted schema leaves no way but forward."""
    frozen = release.release_state is not None and release.release_state.contracted
    settling = restore_command(release.plan)
    if outcome == RELEASED:
        return "Nothing: the candidate serves every user."
    if outcome == AS_BEFORE and release.is_first:
        return "Nothing of it is left: fix what is named as a problem, then release again."
    if outcome == AS_BEFORE:
        return "Fix what is named as a problem, then release again."
    if frozen:
        return f"The way is forward: say who serves ({settling}), then fix the candidate."
    return f"Say who shall serve ({settling}), then see why greenrun could not."


class _Source(TypedDict):
    commit: str
    branch: str
    subjects: tuple[str, ...]


def _source(release: Release) -> _Source:
    try:
        tree = release.dependencies.source_control.checkout()
    except Exception:  # noqa: BLE001 - likewise
        tree = None
    if tree is None:
        return _Source(commit=release.source.commit, branch="", subjects=())
    subjects = tree.subjects if tree.commit == release.source.commit else ()
    return _Source(commit=release.source.commit, branch=tree.branch, subjects=subjects)


class _Image(TypedDict):
    image: str
    repository: str
    image_tag: str
    image_id: str
    manifest: str
    pushed: bool


def _image(release: Release) -> _Image:
    image = release.image if release.built else None
    manifest = image.manifest if image else None
    return _Image(
        image=image.reference if image else "",
        repository=release.plan.build.repository,
        image_tag=image.tag if image else "",
        image_id=str(image.digest) if image else "",
        manifest=str(manifest or ""),
        pushed=manifest is not None and not release.plan.build.image,
    )


class _Schema(TypedDict):
    migrations_before: tuple[str, ...] | None
    migrations: tuple[str, ...] | None
    contracted: bool
    promise: str


def _schema(release: Release) -> _Schema:
    release_state, last = release.release_state, release.guard.last
    applied = tuple(one.name for one in release.migrations if one.applied)
    return _Schema(
        migrations_before=last.migrations if last else None,
        migrations=applied if release.migrations else None,
        contracted=release_state.contracted if release_state else False,
        promise=release_state.promise if release_state else "",
    )


def _ready_seconds(release: Release) -> float | None:
    ready_after = release.candidate.ready_after if release.deployed else None
    return ready_after.total_seconds() if ready_after else None


def _policy(watched: AlertStatus) -> RecordedPolicy:
    differences = tuple(map(str, watched.differences))
    return RecordedPolicy(str(watched.alert), watched.outcome.done, differences)


def _problem(result: ScenarioResult) -> str:
    return f"{result.environment}: {result.feature}: {result.title}: {result.reason}"


def _lease(release: Release) -> int | None:
    """Return the number of this run's lease; somebody else's would be misread as ours."""
    try:
        latest = release.guard.lock.latest
    except Exception:  # noqa: BLE001 - likewise
        return None
    ours = latest is not None and latest.owner.run == release.guard.run
    return latest.number if latest and ours else None
