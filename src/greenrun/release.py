"""A release: one candidate against one baseline, from the first doubt to the record."""

from collections.abc import Mapping

from greenrun import preflight
from greenrun.canary import Canary, Increment
from greenrun.candidate import Candidate
from greenrun.domain.gate import Gate, Verdict
from greenrun.domain.image import Build, Image, Source
from greenrun.domain.plan import Plan
from greenrun.domain.service import Service
from greenrun.errors import GateClosed, ReleaseError
from greenrun.journal import Journal
from greenrun.migration import Migration, Migrations
from greenrun.ports import NewRevision, Patience, Roles
from greenrun.probing import Prober
from greenrun.way_back import WayBack


class Release:
    """What is known of a release so far, and what can be done next.

    Every change of the platform is journalled before and after. Methods that judge raise
    GateClosed; only `raise_share`, `run_canary` and `promote` move users to the candidate.
    """

    def __init__(
        self,
        plan: Plan,
        roles: Roles,
        journal: Journal,
        identities: Mapping[str, Mapping[str, str]],
        source: Source,
    ) -> None:
        self.source = source
        self.plan = plan
        self.roles = roles
        self.journal = journal
        self.prober = Prober(roles, identities)
        self.before: Service | None = None
        self.baseline = ""
        self.increments: list[Increment] = []
        self.promoted = False
        self._build: Build | None = None
        self._candidate: Candidate | None = None

    def __repr__(self) -> str:
        return f"<release of {self.plan.service} on {self.plan.environment}>"

    @property
    def build(self) -> Build:
        """The build of this run. Raises ReleaseError before there is one."""
        if self._build is None:
            raise ReleaseError("no image was built in this run", hint="run features/ as a whole")
        return self._build

    @property
    def image(self) -> Image:
        """The image that is released."""
        return self.build.image

    @property
    def service(self) -> Service:
        """A fresh reading of the service. Raises ReleaseError where there is none."""
        return preflight.existing(self.roles.platform.service(), self.plan)

    def find_baseline(self) -> str:
        """Find the revision that serves everybody, which is the way back."""
        self.before = self.service
        self.baseline = preflight.baseline(self.before)
        self.journal.note("baseline", self.baseline, split=str(self.before.actual))
        self.roles.evidence.attach("service before the release", repr(self.before))
        return self.baseline

    def build_image(self) -> Build:
        """Build this directory's image and tag it as the plan says."""
        tag = self._image_tag()
        report = self.roles.progress.report
        self._build = self.roles.builder.build(self.plan.build, tag=tag, watch=report)
        image = self._build.image
        if self.plan.build.also_latest:
            self.roles.builder.tag(image.digest, image.repository, "latest")
        self.journal.note("build", image.reference, tag=tag)
        (self.source.directory / "build_tag.txt").write_text(f"{tag}\n", "utf-8")
        self.roles.evidence.attach("build log", self._build.log)
        self.roles.evidence.attach("image inspection", image.describe())
        return self._build

    @property
    def built(self) -> bool:
        """True once there is an image to release."""
        return self._build is not None

    def adopt(self, build: Build) -> None:
        """Release an image that another release has built."""
        self._build = build

    def migrate(self) -> tuple[Migration, ...]:
        """Apply pending migrations with the candidate's image; their status afterwards."""
        migrations = self._migrations()
        before = migrations.status()
        self.roles.evidence.attach("migrations before", "\n".join(map(str, before)))
        if all(migration.applied for migration in before):
            return before
        migrations.apply()
        after = migrations.status()
        self.roles.evidence.attach("migrations after", "\n".join(map(str, after)))
        return after

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

    def deploy(self) -> Candidate:
        """Make the candidate, without traffic, under its revision tag."""
        begun = self.roles.clock.now()
        name = f"{self.plan.service}-{begun:%Y%m%d-%H%M%S}"
        split = self._known_before().resolved.tagged(name, self.plan.revision_tag)
        wanted = NewRevision(name, self.image.reference, self.plan.settings)
        candidate = self._candidate = Candidate(name, self.plan, self.roles)
        patience = Patience(self.plan.ready_within, self.roles.progress.report)
        with self.journal.change("deploy", name, image=wanted.image, split=str(split)):
            try:
                self.roles.platform.deploy(wanted, split, patience)
            except GateClosed as closed:
                raise candidate.stillborn(closed) from closed
            except ReleaseError:
                candidate.log()
                raise
        candidate.ready_after = self.roles.clock.now() - begun
        self._admit_everybody()
        return candidate

    def raise_share(self, percent: int) -> None:
        """Give the candidate this share of the users, and the baseline the rest."""
        shares = {self.baseline: 100 - percent, self.candidate.name: percent}
        before = self.service.resolved
        split = before.shared(shares)
        with self.journal.change("split traffic", self.plan.service, split=str(split)):
            self.roles.platform.split_traffic(split, self.patience)
        after = self.service.resolved
        self.roles.evidence.attach(f"traffic at {percent} %", f"before: {before}\nafter: {after}")

    def run_canary(self, gate: Gate) -> tuple[Increment, ...]:
        """Raise the share by the planned increments; stop at the first that does not pass.

        Raises:
            GateClosed: an increment failed, or there was too little to judge it by.
        """
        headers = self.prober.headers("a user")
        canary = Canary(
            self.plan.canary,
            self.service.url,
            self.candidate.name,
            self.baseline,
            headers,
            self.roles,
        )
        for share in self.plan.canary.increments:
            self.raise_share(share)
            increment = canary.bake(share, gate)
            self.increments.append(increment)
            self.roles.evidence.attach(f"canary at {share} %", increment.as_table())
            if increment.judgement.verdict is not Verdict.PASS:
                raise GateClosed(f"the canary at {increment}", hint=increment.advice)
        return tuple(self.increments)

    def promote(self) -> frozenset[str]:
        """Give the candidate every user, and prove it by who answers them."""
        self.raise_share(100)
        found = self.answering()
        if found != {self.candidate.name}:
            raise GateClosed(
                f"{self.plan.service} was promoted, but got answers from "
                f"{', '.join(sorted(found))}, needs them all from {self.candidate.name}"
            )
        facts = {"image": self.image.reference, "service": self.plan.service}
        self.journal.note("promoted", self.candidate.name, **facts)
        self.promoted = True
        return found

    def answering(self) -> frozenset[str]:
        """The revisions that answer on the public URL, by the platform's own request log."""
        return self.prober.answering(self.service.url, self.plan.canary.probe_paths[0])

    def roll_back(self) -> bool:
        """Give every user back to the baseline and prove it; True where that took a change.

        Raises:
            NeedsPerson: it could not be done, or could not be proven.
        """
        self.promoted = False
        return self.way_back.take() if self.baseline else False

    def settle(self, *, passed: bool) -> bool:
        """Leave production whole: what did not pass is taken back; True where users had moved."""
        if not self.deployed or (passed and self.promoted):
            return False
        return self.roll_back()

    @property
    def way_back(self) -> WayBack:
        """The way back to the baseline. Raises ReleaseError where none was found yet."""
        before = self._known_before()
        return WayBack(self.plan, before, self.baseline, self.prober, self.roles, self.journal)

    @property
    def patience(self) -> Patience:
        """How long a change of the split may take."""
        return Patience(self.plan.change_within, self.roles.progress.report)

    def _image_tag(self) -> str:
        return self.plan.build.tag_policy.tag(
            service=self.plan.service,
            at=self.roles.clock.now(),
            commit=self.source.commit,
            build_id=self._last_build_id(),
        )

    def _last_build_id(self) -> int:
        tags = [entry.facts["tag"] for entry in self.journal.entries() if entry.action == "build"]
        return max((int(tag) for tag in tags if tag.isdecimal()), default=0)

    def _migrations(self) -> Migrations:
        if self.plan.migration is None:
            raise ReleaseError("release.yaml names no migration", hint="add the key `migration`")
        image = self.image.reference
        return Migrations(self.plan, self.plan.migration, image, self.roles, self.journal)

    def _admit_everybody(self) -> None:
        platform = self.roles.platform
        if self.plan.public and not platform.invokable_by_all():
            with self.journal.change("let everybody invoke", self.plan.service):
                platform.let_all_invoke()

    def _known_before(self) -> Service:
        if self.before is None:
            raise ReleaseError(
                "the baseline is not known in this run", hint="run features/ as a whole"
            )
        return self.before
