"""A release: one candidate against one baseline, from the first doubt to the record."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from greenrun.canary.progress import CanaryCharts
from greenrun.canary.setup import with_baseline_tagged
from greenrun.model.canary_step import CanaryStep
from greenrun.model.errors import DeadlineExceeded, GateClosed, ManualActionRequired, ReleaseError
from greenrun.model.image import Build, Image, Source
from greenrun.model.interfaces import Dependencies, Timeout
from greenrun.model.interfaces.platform import ALL_TO_LATEST
from greenrun.model.objective import Gate
from greenrun.model.plan import START_TAG, Plan
from greenrun.model.polling import polls
from greenrun.model.release_state import FIRST_TAG, ReleaseState, Stage
from greenrun.model.service import Service
from greenrun.model.text import rollback_command
from greenrun.model.traffic import LATEST, TrafficSplit
from greenrun.release import build, preflight, push
from greenrun.release.coordination.guard import ChangeGuard, DriftGuard
from greenrun.release.deploy import Candidate, admit_everybody
from greenrun.release.migrate import Migration, Migrations
from greenrun.release.prober import Prober
from greenrun.release.rollback import Rollback, StartCheck
from greenrun.release.traffic import Rollout

if TYPE_CHECKING:
    from greenrun.model.alert_status import AlertStatus

_REFUSED = 403

UNWRITTEN = "write down where the release stands"


class Release:
    """What is known of a release so far, and what can be done next.

    Every change of the platform is made under the lock, journalled before and after, and rests on
    the service as this release left it. Methods that judge raise GateClosed; only `raise_share`,
    `run_canary` and `promote` move users to the candidate. `manual_changes` tells what people have
    asked for instead of a release, `alert_policies` what became of each of them.
    """

    def __init__(
        self,
        plan: Plan,
        dependencies: Dependencies,
        guard: ChangeGuard,
        identities: Mapping[str, Mapping[str, str]],
        source: Source,
    ) -> None:
        self.source = source
        self.plan = plan
        self.dependencies = dependencies
        self.guard = guard
        self.prober = Prober(dependencies, identities, source.directory / "features")
        self.drift = DriftGuard(plan, dependencies.platform)
        self.started, self.started_at = dependencies.clock.now(), dependencies.clock.monotonic()
        self.before: Service | None = None
        self.steps: list[CanaryStep] = []
        self.manual_changes: list[str] = []
        self.alert_policies: tuple[AlertStatus, ...] = ()
        self.migrations: tuple[Migration, ...] = ()
        self._charts = CanaryCharts(dependencies)
        self._build: Build | None = None
        self._pushed: Image | None = None
        self._candidate: Candidate | None = None

    def __repr__(self) -> str:
        return f"<release of {self.plan.service} on {self.plan.environment}>"

    @property
    def release_state(self) -> ReleaseState | None:
        """Where it stands, as it was last written down; None before the baseline was found."""
        return self.guard.release_state

    @property
    def baseline(self) -> str:
        """The revision that served before; empty until it was found."""
        return self.release_state.baseline if self.release_state else ""

    @property
    def is_first(self) -> bool:
        """True for the first release of a service, which there was none of before."""
        return self.release_state is not None and self.release_state.is_first

    def tell_first(self, left_out: str) -> None:
        """Say what a first release leaves out, or does otherwise, beside the sentence it is in."""
        self.dependencies.evidence.attach("first release", left_out)
        self.dependencies.progress.present(left_out)

    @property
    def promoted(self) -> bool:
        """True once the candidate was proven to serve everybody, until it is taken back."""
        return self.release_state is not None and self.release_state.stage is Stage.PROMOTED

    @property
    def service(self) -> Service:
        """A fresh reading of the service. Raises ReleaseError where there is none."""
        return preflight.existing(self.dependencies.platform.service(), self.plan)

    @property
    def users_are_elsewhere(self) -> bool:
        """True while users may meet another revision than the baseline, and nobody promoted it.

        A run that ends so has exit status 10, whatever else went wrong.
        """
        state = self.release_state or self.guard.last
        if state is None or state.stage.ended:
            return False
        if state.is_first:
            return state.stage is Stage.MOVED
        return state.moved_users

    def acquire_lock(self) -> ReleaseState | None:
        """Take the lock; where the release before this one stood when it ended, or died.

        Where no lock tells of that, the service does.
        """
        self.guard.acquire_lock()
        if self.guard.last is None:
            self.guard.last = self._left_in_service()
        return self.guard.last

    def _left_in_service(self) -> ReleaseState | None:
        service = self.dependencies.platform.service()
        tags = {self.plan.revision_tag, self.plan.baseline_tag, START_TAG}
        left = ReleaseState.left_in(service, self.plan.revision_tag, tags) if service else None
        return left and (self.guard.journalled_release_state(left.candidate) or left)

    def find_baseline(self) -> str:
        """Find the revision that serves everybody, which is the way back.

        Empty where the service does not exist: it is a first release then.
        """
        if self.release_state is not None and not self.release_state.stage.ended:
            return self.baseline
        found = self.dependencies.platform.service()
        if found is None:
            self.guard.begin("", None)
            self.tell_first(f"{self.plan.service} does not exist yet: first release")
            return ""
        before = self.before = self.drift.remember(found)
        baseline = preflight.baseline(before)
        self.dependencies.evidence.attach("service before the release", repr(before))
        self.guard.begin(baseline, before)
        return baseline

    @property
    def build(self) -> Build:
        """The build that is released. Raises ReleaseError before there is one."""
        if self._build is None:
            raise ReleaseError("no image was built in this run", hint="run features/ as a whole")
        return self._build

    @property
    def built(self) -> bool:
        """True once there is an image to release."""
        return self._build is not None

    @property
    def image(self) -> Image:
        """The image that is released; once it was pushed, by the registry's digest."""
        return self._pushed or self.build.image

    def build_image(self) -> Build:
        """Build this directory's image, or fetch the one that was built elsewhere, once."""
        if self._build is not None and self.plan.build.image:
            return self._build
        self._build = build.build(self.plan, self.dependencies, self.guard, self.source)
        return self._build

    def adopt(self, made: Build) -> None:
        """Release an image that another release has built, under the name it has here."""
        self._build = build.adopt(made, self.plan, self.dependencies)

    def push_image(self) -> Image:
        """Send the rehearsed image to the registry; from now on it goes by the digest there."""
        self._pushed = push.push(self.build.image, self.plan, self.dependencies, self.guard)
        return self._pushed

    def migrate(self) -> tuple[Migration, ...]:
        """Apply pending migrations with the candidate's image; their status afterwards.

        In a first release they may contract: there is no old code that has to survive it.
        """
        plan, image = self.plan, self.image.reference
        if self.is_first and plan.migration:
            plan = replace(plan, migration=replace(plan.migration, allow_contracting=True))
        wanted = Migrations.of(plan, image, self.dependencies, self.guard, self.baseline)
        self.migrations = wanted.apply(self._contracted)
        applied = tuple(one.name for one in self.migrations if one.applied)
        self.guard.update_release_state(migrations=applied)
        return self.migrations

    def _contracted(self, yes: bool) -> None:  # noqa: FBT001 - as Migrations has it
        """Nobody's way back ends with it in a first release."""
        if not self.is_first:
            self.guard.update_release_state(contracted=yes)

    @property
    def candidate(self) -> Candidate:
        """The revision that this release has made. Raises ReleaseError before there is one."""
        if self._candidate is None:
            raise ReleaseError("no candidate in this run", hint="run features/ as a whole")
        return self._candidate

    @property
    def deployed(self) -> bool:
        """True once a candidate was asked for, whatever came of it."""
        return self._candidate is not None

    def keep_candidate(self, name: str) -> None:
        """Go on with a candidate that is there already."""
        self._candidate = Candidate(name, self.plan, self.dependencies)

    def deploy(self) -> Candidate:
        """Make the candidate, without traffic, under its revision tag; unless it is there.

        That of a first release has all the traffic, as Cloud Run has it: nobody is let in instead.
        """
        if self._candidate is None:
            self._make_candidate()
        if self.is_first:
            invokable = self.dependencies.platform.invokable_by_all()
            self.prober.shows_token = self.plan.for_everybody and not invokable
        else:
            admit_everybody(self.plan, self.dependencies.platform, self.guard)
        self._prove_own_addresses()
        return self.candidate

    def _make_candidate(self) -> None:
        self._expect_fitting()
        name = f"{self.plan.service}-{self.dependencies.clock.now():%Y%m%d-%H%M%S}"
        split, image = self._split_without_users(name), self.image.reference
        candidate = self._candidate = Candidate(name, self.plan, self.dependencies)
        self.guard.write_ahead(split, stage=Stage.DEPLOYED, candidate=name, image=image)
        if self.is_first:
            candidate.create(split, image, self.drift, self.guard)
        else:
            candidate.make(split, image, self.baseline, self.drift, self.guard)

    def _expect_fitting(self) -> None:
        platform = self.dependencies.platform
        baseline = None if self.is_first else platform.revision(self.baseline)
        preflight.expect_fitting(self.plan, baseline, platform.service_settings())

    def _split_without_users(self, name: str) -> TrafficSplit:
        if self.is_first:
            tagged = ALL_TO_LATEST.tagged(LATEST, self.plan.revision_tag)
            return tagged.tagged(LATEST, FIRST_TAG)
        split = self.guard.known_release_state.before.tagged(name, self.plan.revision_tag)
        return with_baseline_tagged(split, self.baseline, self.plan)

    def _prove_own_addresses(self) -> None:
        """Nothing is asked of a revision before its own URL is proven to be answered by it."""
        plan, urls = self.plan, self.service.tag_urls
        owners = {plan.revision_tag: self.candidate.name, plan.baseline_tag: self.baseline}
        for tag, revision in owners.items():
            if tag in urls:
                url, probe = urls[tag], plan.canary.probes[0]
                self.prober.await_answers_of(revision, url, probe, plan.traffic_timeout)

    def raise_share(self, percent: int) -> None:
        """Give the candidate this share of the users, and the baseline the rest."""
        self._rollout.raise_share(percent)

    def run_canary(self, gate: Gate) -> tuple[CanaryStep, ...]:
        """Raise the share by the planned steps; stop at the first that does not pass.

        Raises:
            GateClosed: a step failed, or there was too little to judge it by.
            ConcurrentChange: another than this release has changed the service meanwhile.
        """
        self._rollout.expect_answers(self.service)
        if self.is_first:
            self.tell_first("no canary: first release, nobody to compare with")
            return ()
        self.guard.attempt("find a place for charts", self._charts.remember_place)
        self.steps = []
        self._rollout.run_canary(gate, self.before, self.service, self.steps)
        self._charts.draw(self.steps)
        return tuple(self.steps)

    def promote(self) -> frozenset[str]:
        """Give the candidate every user, and prove it by who answers them."""
        name, service = self.candidate.name, self.plan.service
        if self.is_first:
            self._let_users_in()
        else:
            self._rollout.give_everybody()
        self._expect_service_settings()
        found = self.answering()
        if found != {name}:
            raise GateClosed(
                f"{service} was promoted, but got answers from {', '.join(sorted(found))}, "
                f"needs them all from {name}"
            )
        self.guard.note("promoted", name, image=self.image.reference, service=service)
        self.guard.update_release_state(stage=Stage.PROMOTED)
        return found

    def _expect_service_settings(self) -> None:
        live = self.dependencies.platform.service_settings()
        if differences := self.plan.service_settings.differences(live):
            told = "; ".join(map(str, differences))
            raise GateClosed(f"settings of {self.plan.service}: {told}")

    def _let_users_in(self) -> None:
        """Let them in, and wait until the platform does: a grant takes a while to be known.

        A refusal is the platform's where whoever shows a token gets another answer.
        """
        url, probe = self.service.url, self.plan.canary.probes[0]
        by_token = self.prober.send(url, probe).status
        self._rollout.let_users_in()
        if not self.prober.shows_token:
            return
        self.prober.shows_token, within = False, self.plan.traffic_timeout
        for _ in polls(self.dependencies.clock, within):
            if by_token == _REFUSED or self.prober.send(url, probe).status != _REFUSED:
                return
        raise DeadlineExceeded(f"{url} to let everybody in", after=within, last_seen=str(_REFUSED))

    def answering(self) -> frozenset[str]:
        """The revisions that answer on the public URL, by the platform's own request log."""
        return self.prober.answering(self.service.url, self.plan.canary.probes[0])

    def roll_back(self) -> bool:
        """Give every user back to the baseline and prove it; True where that took a change.

        Raises ManualActionRequired, as Rollback.restore does, and nothing else.
        """
        if self.release_state is None:
            return False
        if self.promoted:
            self._try_to_write(Stage.MOVED)
        try:
            changed = self.rollback.restore()
            self._try_to_write(Stage.RESTORED)
            if changed and self.is_first:
                told = f"{self.plan.service} is deleted again: first release, as before"
                self.guard.attempt("tell of it", lambda: self.tell_first(told))
        finally:
            self.guard.attempt("draw the canary", lambda: self._charts.draw(self.steps))
        return changed

    def _try_to_write(self, stage: Stage) -> None:
        """Users come first; whoever comes next finds the service as it is."""
        update = self.guard.update_release_state
        self.guard.attempt(UNWRITTEN, lambda: update(stage=stage))

    def settle(self, *, passed: bool) -> bool:
        """Leave production whole: what did not pass is rolled back; True where users had moved.

        Raises ManualActionRequired where users stay elsewhere.
        """
        state = self.release_state
        if state is None and self.users_are_elsewhere and not passed:
            raise ManualActionRequired(
                f"{self.plan.service} is not as it was: an unfinished release was found, and was "
                "not rolled back",
                hint=f"roll it back:\n  {rollback_command(self.plan)}",
            )
        if state is None or (state.stage.ended and (passed or not self.promoted)):
            return False
        return self.roll_back()

    @property
    def _rollout(self) -> Rollout:
        name, drift = self.candidate.name, self.drift
        return Rollout(self.plan, name, drift, self.prober, self.dependencies, self.guard)

    @property
    def rollback(self) -> Rollback:
        """The way back to the baseline. Raises ReleaseError where none was found yet."""
        return self.rollback_of(self.guard.known_release_state)

    def rollback_of(self, release_state: ReleaseState) -> Rollback:
        """The way back from wherever a release stands."""
        return Rollback(self.plan, release_state, self.prober, self.dependencies, self.guard)

    @property
    def start_check(self) -> StartCheck:
        """Starts a revision that no user meets, before users are sent there."""
        return StartCheck(self.plan, self.prober, self.dependencies, self.guard)

    @property
    def timeout(self) -> Timeout:
        """How long a change of the split may take."""
        return Timeout(self.plan.traffic_timeout, self.dependencies.progress.report)
