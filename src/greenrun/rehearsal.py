"""The rehearsal: a service on this machine as production would have it, before a release."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from greenrun.candidate import Candidate
from greenrun.domain.plan import Plan
from greenrun.errors import GateClosed
from greenrun.journal import Entry, Journal
from greenrun.migration import Migrations
from greenrun.ports import Builder, NewRevision, Patience, Roles


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
        elif entry.subject == service and entry.action == "roll back":
            now = before
    return now


def start(plan: Plan, roles: Roles, journal: Journal, stand_in: StandIn) -> None:
    """Bring up the service with the stand-in as the revision that serves everybody."""
    wanted = NewRevision(stand_in.revision, stand_in.image, plan.settings)
    patience = Patience(plan.ready_within, roles.progress.report)
    if plan.migration is not None:
        Migrations(plan, plan.migration, stand_in.image, roles, journal).set_up()
    with journal.change("create", plan.service, revision=stand_in.revision, image=stand_in.image):
        try:
            roles.platform.create(wanted, patience)
        except GateClosed as closed:
            raise Candidate(stand_in.revision, plan, roles).stillborn(closed) from closed
    if plan.public:
        with journal.change("let everybody invoke", plan.service):
            roles.platform.let_all_invoke()


def remove(plan: Plan, roles: Roles, journal: Journal) -> None:
    """Take the service down again, with its job."""
    patience = Patience(plan.change_within)
    with journal.change("remove", plan.service):
        roles.platform.remove_service(patience)
        roles.platform.remove_job(f"{plan.service}-migration", patience)
        for claim in roles.claims.all():
            roles.claims.remove(claim.number)


def drill_plan(
    plan: Plan, number: int, variables: Mapping[str, str], was: Mapping[str, str]
) -> tuple[Plan, Plan]:
    """Two plans of a drill's own service and storage: its baseline's, and its candidate's.

    `variables` are the candidate's, beside those of the plan; `was` are the baseline's.
    """
    service = f"{plan.service}-drill-{number}"
    volumes = tuple(
        replace(volume, source=f"{volume.source}-drill-{number}")
        for volume in plan.settings.volumes
    )
    own = plan.settings.variables
    healthy = replace(plan.settings, volumes=volumes, variables={**own, **was})
    faulty = replace(healthy, variables={**own, **variables})
    before = replace(plan, service=service, settings=healthy)
    return before, replace(before, settings=faulty)
