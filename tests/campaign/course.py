"""The course of a release without pytest: every sentence of features/ in its order, and the end."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from time import monotonic

from greenrun.checks import drill, image, logs, release_state, service
from greenrun.checks.http import verification
from greenrun.checks.http.endpoints import ENDPOINTS
from greenrun.checks.release_state import PREFLIGHT
from greenrun.model.errors import CallFailed, Hinted, ManualActionRequired
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.release_state import Stage
from greenrun.release import manual, recovery
from greenrun.release.release import Release

Step = tuple[str, Callable[[Release], object]]

OBJECTIVES = Gate((Threshold("error rate", "at most", Quantity(15, "%")),))
CHECKS = PREFLIGHT.read(
    (
        ("what", "where"),
        ("every secret that the service reads exists", "everywhere"),
        ("credentials exist, with every permission that the release needs", "cloud"),
        ("one revision serves every user", "cloud"),
        ("the baseline could start again", "cloud"),
    )
)
PROMISES = ENDPOINTS.read((("request", "body"), ("GET /api/health", "status = ok")))
LINES = ("Application startup complete",)


class Ending(Enum):
    """What became of a release, for who started it."""

    RELEASED = "released"
    NOT_RELEASED = "not released"
    NEEDS_PERSON = "needs a person"


@dataclass
class Outcome:
    """How a release went: the steps that it has made, and every error, the cause first.

    `took_back` is the time from a closing gate to the proof that the baseline serves everybody,
    where users had moved.
    """

    done: list[str] = field(default_factory=list)
    stopped_at: str = ""
    errors: list[Hinted] = field(default_factory=list)
    took_back: timedelta | None = None

    @property
    def ending(self) -> Ending:
        """As exit status 0, 1 and 10 have it."""
        if any(
            isinstance(each, ManualActionRequired)
            for error in self.errors
            for each in _causes(error)
        ):
            return Ending.NEEDS_PERSON
        return Ending.NOT_RELEASED if self.errors else Ending.RELEASED

    @property
    def told(self) -> str:
        """All that a person reads."""
        return "\n".join(map(str, self.errors))

    def attempt(self, title: str, step: Callable[[], object]) -> bool:
        """Make a step; True where it held. What is no error of ours is none of the release's."""
        try:
            step()
        except Hinted as error:
            self.stopped_at = self.stopped_at or title
            self.errors.append(error)
            return False
        self.done.append(title)
        return True


def way(gate: Gate = OBJECTIVES, *, resume: bool = False, unlock: bool = False) -> Sequence[Step]:
    """The way forward, a sentence a step."""
    return (
        ("preflight", lambda release: release_state.preflight_holds(release, CHECKS, gate)),
        ("claim", lambda release: recovery.acquire_lock(release, unlock=unlock)),
        ("locked", release_state.is_locked),
        ("put right", lambda release: recovery.recover(release, resume=resume)),
        ("nothing unfinished", release_state.nothing_unfinished),
        ("baseline", lambda release: release.find_baseline()),
        ("one serves", release_state.one_serves),
        ("baseline answers", release_state.baseline_answers),
        ("push", lambda release: release.push_image()),
        ("held", image.held_by_registry),
        ("migrate", _migrate),
        ("baseline serves", lambda release: service.served_by(release, release.baseline)),
        ("baseline survives", lambda release: verification.baseline_survives(release, PROMISES)),
        ("deploy", lambda release: release.deploy()),
        ("ready in time", service.ready_time),
        ("unseen", lambda release: service.served_by(release, release.baseline)),
        ("candidate's image", service.candidate_image),
        ("candidate's settings", service.candidate_settings),
        ("variables kept", service.variables_kept),
        ("reachable", service.reachable),
        ("lines", lambda release: logs.has_lines(release, LINES)),
        ("no errors", logs.no_errors),
        ("endpoints", _endpoints),
        ("canary", lambda release: drill.all_passed(release, release.run_canary(gate))),
        ("promote", lambda release: release.promote()),
        ("candidate serves", lambda release: service.served_by(release, release.candidate.name)),
        ("baseline kept", lambda release: service.no_traffic(release, release.baseline)),
        ("service answers", _service_answers),
        ("stayed clean", logs.stayed_clean),
        ("journal", lambda release: release.guard.journal.is_whole()),
    )


def perform(
    release: Release,
    steps: Sequence[Step] | None = None,
    between: Callable[[str], object] = str,
) -> Outcome:
    """Take a release forward, back if it must be, and to its end.

    `between` is called before each step forward, with its title.
    """
    outcome = Outcome()
    for title, step in steps or way():
        between(title)
        if not outcome.attempt(title, lambda step=step: step(release)):  # type: ignore[misc] # a lambda's default
            go_back(release, outcome)
            break
    outcome.attempt("settle", lambda: release.settle(passed=not outcome.errors))
    with suppress(CallFailed):  # it lapses by itself
        release.guard.lock.release()
    return outcome


def go_back(release: Release, outcome: Outcome) -> None:
    """As 07-rollback.feature has it."""
    moved = release.release_state is not None and release.release_state.stage is Stage.MOVED
    begun = monotonic()
    if outcome.attempt("back", lambda: _sent_back(release)) and moved:
        outcome.took_back = timedelta(seconds=monotonic() - begun)


def _sent_back(release: Release) -> None:
    destination = manual.send_back(release, asked_for=False, to="", unlock=False)
    service.restored(release, destination)


def _migrate(release: Release) -> None:
    migrations = release.migrate()
    release_state.none_pending(migrations)
    release_state.data_checked(release.plan, migrations)


def _endpoints(release: Release) -> None:
    candidate = release.candidate
    verification.answers(release, candidate.url, candidate.name, PROMISES)


def _service_answers(release: Release) -> None:
    verification.answers(release, release.service.url, release.candidate.name, PROMISES)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
