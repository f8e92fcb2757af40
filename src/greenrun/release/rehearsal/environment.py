"""The rehearsal: a service on this machine as production would have it, before a release."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import MappingProxyType

from greenrun.model.errors import GateClosed
from greenrun.model.interfaces import Builder, Dependencies, NewRevision, Timeout
from greenrun.model.plan import Plan
from greenrun.model.revision import ContainerProbe
from greenrun.release.coordination.journal import Entry, Journal
from greenrun.release.deploy import Candidate, tell_no_effect
from greenrun.release.migrate import Migrations, migration_job


@dataclass(frozen=True, slots=True)
class StandIn:
    """What serves before the release: a revision by name, and its image by reference."""

    revision: str
    image: str


def last_promoted(plan: Plan, journal: Journal, builder: Builder) -> StandIn | None:
    """The candidate that the last rehearsal promoted for good, where its image still exists."""
    promoted = _promoted(plan.service, journal.entries())
    known = promoted is not None and builder.image(promoted.image)
    return promoted if known else None


def _promoted(service: str, entries: Iterable[Entry]) -> StandIn | None:
    """What was promoted last, without what the same rehearsal took back afterwards."""
    before = now = None
    for entry in entries:
        if entry.action == "promoted" and entry.facts["service"] == service:
            now = StandIn(entry.subject, entry.facts["image"])
        elif entry.subject == service and entry.action == "create":
            before = now
        elif entry.subject == service and entry.action in {"roll back", "delete service"}:
            now = before
    return now


def start(plan: Plan, dependencies: Dependencies, journal: Journal, stand_in: StandIn) -> None:
    """Bring up the service with the stand-in as the revision that serves everybody."""
    wanted = NewRevision(stand_in.revision, stand_in.image, plan.settings)
    timeout = Timeout(plan.ready_timeout, dependencies.progress.report)
    set_up_storage(plan, dependencies, journal, stand_in.image)
    with journal.change("create", plan.service, revision=stand_in.revision, image=stand_in.image):
        try:
            dependencies.platform.create(wanted, timeout)
        except GateClosed as closed:
            raise Candidate(stand_in.revision, plan, dependencies).stillborn(closed) from closed
    if (service := dependencies.platform.service()) is not None:
        tell_no_effect(service, dependencies.progress)
    if plan.public:
        with journal.change("let everybody invoke", plan.service):
            dependencies.platform.let_all_invoke()


def set_up_storage(plan: Plan, dependencies: Dependencies, journal: Journal, image: str) -> None:
    """Give the service of a plan a database, where its image has migrations to make one."""
    if plan.migration is not None:
        Migrations(plan, plan.migration, image, dependencies, journal).set_up()


def remove(plan: Plan, dependencies: Dependencies, journal: Journal) -> None:
    """Take the service down again, with its job."""
    timeout = Timeout(plan.traffic_timeout)
    with journal.change("remove", plan.service):
        dependencies.platform.remove_service(timeout)
        dependencies.platform.remove_job(migration_job(plan), timeout)
        for lease in dependencies.leases.all():
            dependencies.leases.remove(lease.number)


@dataclass(frozen=True, slots=True)
class Exercise:
    """What is drilled: variables of the candidate, and of what `was`, beside those of the plan.

    `migrates`: the candidate brings migrations of its own. `starts_within` is how long it may take
    to start, in whole seconds; None is as the plan has it.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    was: Mapping[str, str] = field(default_factory=dict)
    migrates: bool = False
    starts_within: timedelta | None = None


def shared_by_drills(plan: Plan) -> Plan:
    """What drills share that migrate nothing: their storage, and nobody serves there."""
    return _apart(plan, "drills", storage="drills")


def drill_plan(plan: Plan, number: int, exercise: Exercise) -> tuple[Plan, Plan]:
    """Two plans of a drill's own service: its baseline's, and its candidate's.

    A drill that migrates has storage of its own. None shows more by a second step.
    """
    name = f"drill-{number}"
    own = _apart(plan, name, storage=name if exercise.migrates else "drills")
    canary = replace(plan.canary, steps=plan.canary.steps[:1])
    migration = plan.migration if exercise.migrates else None
    drill = replace(own, canary=canary, migration=migration)
    candidate = _with_variables(drill, exercise.variables, gone=exercise.was)
    return _with_variables(drill, exercise.was), _starting(candidate, exercise.starts_within)


def _apart(plan: Plan, name: str, storage: str) -> Plan:
    volumes = {
        name: replace(volume, source=f"{volume.source}-{storage}") if volume.shared else volume
        for name, volume in plan.settings.volumes.items()
    }
    settings = replace(plan.settings, volumes=volumes)
    return replace(plan, service=f"{plan.service}-{name}", settings=settings)


def _with_variables(
    plan: Plan, more: Mapping[str, str], gone: Mapping[str, str] = MappingProxyType({})
) -> Plan:
    settings = plan.settings
    updated = {**(settings.update_variables or {}), **more}
    removed = (*settings.remove_variables, *(name for name in gone if name not in updated))
    settings = replace(settings, update_variables=updated, remove_variables=removed)
    return replace(plan, settings=settings)


def _starting(plan: Plan, within: timedelta | None) -> Plan:
    if within is None:
        return plan
    second = timedelta(seconds=1)
    probe = plan.settings.startup_probe or ContainerProbe()
    timeout = second if probe.timeout else None
    probe = replace(probe, timeout=timeout, period=second, failure_threshold=within // second)
    return replace(plan, settings=replace(plan.settings, startup_probe=probe))
