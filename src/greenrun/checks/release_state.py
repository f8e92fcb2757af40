"""Where a release stands: what holds before it begins, that it is the only one, and its account."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import uuid4

from greenrun.canary.setup import sequential_test
from greenrun.checks import service
from greenrun.checks.table import Column, TableForm, Unmeant
from greenrun.model.errors import GateClosed, LockHeld, ReleaseError
from greenrun.model.interfaces.alerting import Alerts
from greenrun.model.objective import Gate
from greenrun.model.plan import REHEARSAL, Plan
from greenrun.model.release_state import ReleaseState
from greenrun.release.coordination.lock import Lock
from greenrun.release.dry_run import DryRunInputs, Rehearsed, dry_run
from greenrun.release.migrate import Migration
from greenrun.release.preflight import checks
from greenrun.release.preflight.context import Context
from greenrun.release.recovery import described, unfinished
from greenrun.release.release import Release
from greenrun.reporting.monitoring import Objectives, preview


@dataclass(frozen=True, slots=True)
class PreflightCheck:
    """A check by its title, and whether it holds for a rehearsal as well."""

    title: str
    everywhere: bool


def _title(cell: str) -> str:
    if cell not in checks.KNOWN:
        raise Unmeant(f"any of: {'; '.join(checks.KNOWN)}")
    return cell


def _where(cell: str) -> bool:
    if cell not in {"everywhere", "cloud"}:
        raise Unmeant("everywhere or cloud")
    return cell == "everywhere"


PREFLIGHT = TableForm(
    "preflight checks",
    (Column("what", _title, required=True), Column("where", _where, required=True)),
    lambda cells, _: PreflightCheck(cells["what"], cells["where"]),
)


def preflight_holds(
    release: Release,
    wanted: Sequence[PreflightCheck],
    objectives: Gate,
    *,
    unlock: bool = False,
) -> None:
    """Every check that is wanted of the environment holds; all findings come at once, one a line.

    `objectives` are those of the canary, which has to be able to judge by them. `unlock`: a person
    wants to end the lease of whoever holds the lock.
    """
    plan = release.plan
    titles = titles_for(plan.environment, wanted)
    test = sequential_test(objectives, plan.canary)
    lock, prober, dependencies = release.guard.lock, release.prober, release.dependencies
    context = Context(plan, dependencies, release.source, test, lock, prober, unlock)
    found = checks.find_problems(titles, context)
    for problem in found:
        dependencies.progress.note("finding", text=str(problem))
    if found:
        raise GateClosed("\n".join(map(str, found)))


def titles_for(environment: str, wanted: Sequence[PreflightCheck]) -> tuple[str, ...]:
    """The checks that hold in an environment. Raises ReleaseError where none does."""
    rehearsed = environment == REHEARSAL
    titles = tuple(check.title for check in wanted if check.everywhere or not rehearsed)
    if not titles:
        raise ReleaseError(
            f"preflight: got no check for {environment} in {len(wanted)} rows, needs at least one",
            hint="tag the scenario with @cloud if it has nothing to do with the rehearsal",
        )
    return titles


def one_serves(release: Release) -> None:
    """One revision has all the traffic; before a first release there is no service at all."""
    if release.is_first:
        service.nobody_let_in(release)
        return
    serving = release.service.resolved.serving
    if serving != {release.baseline: 100}:
        raise GateClosed(f"traffic: got {serving}, needs one revision at 100 %")


def baseline_answers(release: Release) -> None:
    """The baseline is who answers the users, by the request log."""
    service.served_by(release, release.baseline)


def is_locked(release: Release) -> None:
    """Check that a stranger who locks the service as well is refused."""
    plan, dependencies, lease = release.plan, release.dependencies, release.guard.lock.latest
    if lease is None:
        raise GateClosed(f"{plan.service}: got no lease, needs the lock of this release")
    stranger = replace(lease.owner, run=uuid4().hex)
    other = Lock(
        plan.service, stranger, dependencies.leases, dependencies.clock, plan.lease_duration
    )
    with suppress(LockHeld):
        other.acquire(dependencies.progress.report)
        other.release()
        raise GateClosed(f"{plan.service}: got a second lock, needs {lease} to be the only one")
    dependencies.evidence.attach("lock", str(lease))


def nothing_unfinished(release: Release) -> None:
    """What was found open has ended, or is what this release goes on with."""
    last, now = unfinished(release), release.release_state
    gone_on_with = now is not None and now.run == release.guard.run
    ended = now is not None and now.stage.ended
    if last is not None and not (ended or gone_on_with):
        needs = "needs it rolled back or resumed"
        raise GateClosed(f"{release.plan.service}: got {described(last)}, {needs}")


def account_is_whole(release: Release) -> None:
    """Every change that was begun has ended; a release that never began has nothing to tell."""
    if release.release_state is not None:
        release.guard.journal.is_whole()


def none_pending(migrations: Sequence[Migration]) -> None:
    """Every migration is applied; an image without any proves nothing."""
    pending = [migration.name for migration in migrations if not migration.applied]
    if pending or not migrations:
        found = ", ".join(pending) or "no migration at all"
        raise GateClosed(f"pending migrations: got {found}, needs every one applied")


def data_checked(plan: Plan, migrations: Sequence[Migration]) -> None:
    """The data were checked on this schema: applying has closed the gate where they did not hold.

    What was never checked is no proof.
    """
    if not migrations or plan.migration is None or not plan.migration.check:
        raise GateClosed(
            "check of the data: got none, needs a command that proves them",
            hint="name it in release.yaml as `migration.check`, or take the sentence out",
        )


def tell_plan(
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
    known = DryRunInputs(test, _last(release), rehearsed, preview(plan, objectives, alerts))
    told = dry_run(plan, release.dependencies, release.source, known)
    release.dependencies.evidence.attach("plan", told.as_markdown(), "text/markdown")
    release.dependencies.progress.note("plan", text=told.as_text())
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
