"""A release: one candidate against one baseline, from the first doubt to the record."""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from greenrun.canary.setup import with_baseline_tagged
from greenrun.canary.showing import Showing
from greenrun.model.canary_step import CanaryStep
from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.image import Build, Image
from greenrun.model.interfaces import Dependencies, Timeout
from greenrun.model.objective import Gate
from greenrun.model.plan import Plan
from greenrun.model.release_state import ReleaseState, Stage
from greenrun.model.service import Service
from greenrun.model.source import Source
from greenrun.release import build, preflight, push
from greenrun.release.coordination.drift import DriftGuard
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.deploy import Candidate
from greenrun.release.migrate import Migration, Migrations
from greenrun.release.prober import Prober
from greenrun.release.rollback import Rollback
from greenrun.release.traffic import Rollout

if TYPE_CHECKING:
    from greenrun.model.alert_status import AlertStatus


class Release:
    """What is known of a release so far, and what can be done next.

    Every change of the platform is made under the lock, journalled before and after, and rests on
    the service as this release left it. Methods that judge raise GateClosed; only `raise_share`,
    `run_canary` and `promote` move users to the candidate. `by_hand` tells what people have asked
    for instead of a release, `watched` what became of the alert policies.
    """

    def __init__(
        self,
        plan: Plan,
        roles: Dependencies,
        account: ChangeGuard,
        identities: Mapping[str, Mapping[str, str]],
        source: Source,
    ) -> None:
        self.source = source
        self.plan = plan
        self.roles = roles
        self.account = account
        self.prober = Prober(roles, identities, source.directory / "features")
        self.footing = DriftGuard(plan, roles.platform)
        self.started = roles.clock.now()
        self.before: Service | None = None
        self.increments: list[CanaryStep] = []
        self.by_hand: list[str] = []
        self.watched: tuple[AlertStatus, ...] = ()
        self.migrations: tuple[Migration, ...] = ()
        self._showing = Showing(roles)
        self._build: Build | None = None
        self._pushed: Image | None = None
        self._candidate: Candidate | None = None

    def __repr__(self) -> str:
        return f"<release of {self.plan.service} on {self.plan.environment}>"

    @property
    def standing(self) -> ReleaseState | None:
        """Where it stands, as it was last written down; None before the baseline was found."""
        return self.account.standing

    @property
    def baseline(self) -> str:
        """The revision that served before; empty until it was found."""
        return self.standing.baseline if self.standing else ""

    @property
    def promoted(self) -> bool:
        """True once the candidate was proven to serve everybody, until it is taken back."""
        return self.standing is not None and self.standing.stage is Stage.PROMOTED

    @property
    def service(self) -> Service:
        """A fresh reading of the service. Raises ReleaseError where there is none."""
        return preflight.existing(self.roles.platform.service(), self.plan)

    def claim(self) -> ReleaseState | None:
        """Take the lock; where the release before this one stood when it ended, or died."""
        self.account.claim(self.roles.progress)
        return self.account.last

    def find_baseline(self) -> str:
        """Find the revision that serves everybody, which is the way back."""
        if self.standing is not None and not self.standing.stage.ended:
            return self.baseline
        before = self.before = self.footing.stand_on(self.service)
        baseline = preflight.baseline(before)
        self.roles.evidence.attach("service before the release", repr(before))
        self.account.begin(baseline, before)
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
        """Build this directory's image and tag it as the plan says."""
        self._build = build.build(self.plan, self.roles, self.account, self.source)
        return self._build

    def adopt(self, made: Build) -> None:
        """Release an image that another release has built, under the name it has here."""
        self._build = build.adopt(made, self.plan.build.repository, self.roles)

    def push_image(self) -> Image:
        """Send the rehearsed image to the registry; from now on it goes by the digest there."""
        self._pushed = push.push(self.build.image, self.plan, self.roles, self.account)
        return self._pushed

    def migrate(self) -> tuple[Migration, ...]:
        """Apply pending migrations with the candidate's image; their status afterwards."""
        wanted = Migrations.of(self.plan, self.image.reference, self.roles, self.account)
        self.migrations = wanted.apply(lambda yes: self.account.change_standing(contracted=yes))
        applied = tuple(one.name for one in self.migrations if one.applied)
        self.account.change_standing(migrations=applied)
        return self.migrations

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
        self._candidate = Candidate(name, self.plan, self.roles)

    def deploy(self) -> Candidate:
        """Make the candidate, without traffic, under its revision tag; unless it is there."""
        if self._candidate is None:
            self._make_candidate()
        self.candidate.admit_everybody(self.account)
        return self.candidate

    def _make_candidate(self) -> None:
        name = f"{self.plan.service}-{self.roles.clock.now():%Y%m%d-%H%M%S}"
        split = self.account.stands.before.tagged(name, self.plan.revision_tag)
        split = with_baseline_tagged(split, self.baseline, self.plan)
        image = self.image.reference
        candidate = self._candidate = Candidate(name, self.plan, self.roles)
        self.account.ask(split, stage=Stage.DEPLOYED, candidate=name, image=image)
        candidate.make(split, image, self.footing, self.account)

    def raise_share(self, percent: int) -> None:
        """Give the candidate this share of the users, and the baseline the rest."""
        self._way_forward.raise_share(percent)

    def run_canary(self, gate: Gate) -> tuple[CanaryStep, ...]:
        """Raise the share by the planned increments; stop at the first that does not pass.

        Raises:
            GateClosed: an increment failed, or there was too little to judge it by.
            ChangedBySomebody: another than this release has changed the service meanwhile.
        """
        self._showing.choose_place()
        self.increments = []
        self._way_forward.run_canary(gate, self.before, self.service, self.increments)
        self._showing.draw(self.increments)
        return tuple(self.increments)

    def promote(self) -> frozenset[str]:
        """Give the candidate every user, and prove it by who answers them."""
        name, service = self.candidate.name, self.plan.service
        self._way_forward.give_everybody()
        found = self.answering()
        if found != {name}:
            raise GateClosed(
                f"{service} was promoted, but got answers from {', '.join(sorted(found))}, "
                f"needs them all from {name}"
            )
        self.account.note("promoted", name, image=self.image.reference, service=service)
        self.account.change_standing(stage=Stage.PROMOTED)
        return found

    def answering(self) -> frozenset[str]:
        """The revisions that answer on the public URL, by the platform's own request log."""
        return self.prober.answering(self.service.url, self.plan.canary.probe_paths[0])

    def roll_back(self) -> bool:
        """Give every user back to the baseline and prove it; True where that took a change.

        Raises as Rollback.take does; CallFailed where all but the claim is as before.
        """
        if self.standing is None:
            return False
        if self.promoted:
            with suppress(ReleaseError):  # users come first; the way back tells what forbids it
                self.account.change_standing(stage=Stage.MOVED)
        try:
            changed = self.way_back.take()
            self.account.change_standing(stage=Stage.RESTORED)
        finally:
            self._showing.draw(self.increments)
        return changed

    def settle(self, *, passed: bool) -> bool:
        """Leave production whole: what did not pass is taken back; True where users had moved."""
        if self.standing is None or (self.standing.stage.ended and (passed or not self.promoted)):
            return False
        return self.roll_back()

    @property
    def _way_forward(self) -> Rollout:
        name, footing = self.candidate.name, self.footing
        return Rollout(self.plan, name, footing, self.prober, self.roles, self.account)

    @property
    def way_back(self) -> Rollback:
        """The way back to the baseline. Raises ReleaseError where none was found yet."""
        return self.way_back_of(self.account.stands)

    def way_back_of(self, standing: ReleaseState) -> Rollback:
        """The way back from wherever a release stands."""
        return Rollback(self.plan, standing, self.prober, self.roles, self.account)

    @property
    def patience(self) -> Timeout:
        """How long a change of the split may take."""
        return Timeout(self.plan.change_within, self.roles.progress.report)
