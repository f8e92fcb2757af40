"""The candidate: the revision that a release has made, as the platform runs it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from textwrap import indent

from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.interfaces import (
    Dependencies,
    LogEntry,
    NewRevision,
    Platform,
    Progress,
    Timeout,
)
from greenrun.model.plan import Plan
from greenrun.model.revision import Difference, Readiness, Revision, RevisionSettings
from greenrun.model.service import Service
from greenrun.model.traffic import TrafficSplit
from greenrun.release.coordination.guard import ChangeGuard, DriftGuard
from greenrun.release.preflight import existing

_LAST_WORDS = 10
"""Lines of a log that tell why its container did not start."""


def tell_no_effect(now: Service, progress: Progress, before: Service | None = None) -> None:
    """Name the settings that a rehearsal can prove nothing about, and that `before` had not."""
    known = before.no_effect if before else ()
    if told := [flag for flag in now.no_effect if flag not in known]:
        progress.present(f"no effect here: {', '.join(told)}")


def admit_everybody(plan: Plan, platform: Platform, guard: ChangeGuard) -> None:
    """Let everybody invoke the service, where the plan says so and they may not yet."""
    if plan.public and not platform.invokable_by_all():
        with guard.change("let everybody invoke", plan.service):
            platform.let_all_invoke()


@dataclass(slots=True)
class Candidate:
    """Asked of the platform each time anew. `ready_after` is zero until it was ready once."""

    name: str
    plan: Plan = field(repr=False)
    dependencies: Dependencies = field(repr=False)
    ready_after: timedelta = timedelta()

    def make(
        self,
        split: TrafficSplit,
        image: str,
        baseline: str,
        drift: DriftGuard,
        guard: ChangeGuard,
    ) -> None:
        """Have the platform start it, like the baseline but for what the plan says.

        `split` gives it no user yet.

        Raises:
            GateClosed: it does not get ready.
        """
        platform = self.dependencies.platform
        wanted = NewRevision(self.name, image, self.plan.settings, baseline)
        with guard.change("deploy", self.name, image=image, split=str(split)), self._starting():
            after = platform.deploy(wanted, split, drift.last_seen, self._timeout)
        drift.remember(after)

    def create(
        self, split: TrafficSplit, image: str, drift: DriftGuard, guard: ChangeGuard
    ) -> None:
        """Have the platform create the service with it, to which nobody is let in yet.

        What would let everybody in, or hide it from whoever proves it, is left to the promotion.
        Raises as `make` does; a service is there then, too.
        """
        platform, of_service = self.dependencies.platform, self.plan.service_settings
        closed = replace(of_service, invoker_iam_check=None, ingress=None, default_url=None)
        wanted = NewRevision(self.name, image, self.plan.settings, service_settings=closed)
        facts = {"revision": self.name, "image": image, "split": str(split)}
        with guard.change("create", self.plan.service, **facts), self._starting():
            platform.create(wanted, self._timeout, split)
        created = existing(platform.service(), self.plan)
        tell_no_effect(created, self.dependencies.progress)
        drift.remember(created)

    @property
    def _timeout(self) -> Timeout:
        return Timeout(self.plan.ready_timeout, self.dependencies.progress.report)

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """Measure how long it takes to get ready; tell what it said where it never does."""
        begun = self.dependencies.clock.monotonic()
        try:
            yield
        except GateClosed as closed:
            raise self.stillborn(closed) from closed
        except ReleaseError:
            self.log()
            raise
        self.ready_after = self.dependencies.clock.monotonic() - begun

    def log(self) -> Sequence[LogEntry]:
        """What it wrote so far, oldest first; kept as evidence."""
        entries = self.dependencies.logs.of_revision(self.name)
        self.dependencies.evidence.attach("log of the candidate", "\n".join(map(str, entries)))
        return entries

    def stillborn(self, closed: GateClosed) -> GateClosed:
        """Why it did not start, with the end of what it said until then."""
        words = "\n".join(entry.text for entry in self.log()[-_LAST_WORDS:]) or "nothing"
        return GateClosed(
            f"{closed.message}\nthe end of its log:\n{indent(words, '  ')}",
            hint="the whole log is in the report, below this sentence",
        )

    def live(self) -> Revision:
        """The platform's description; raises GateClosed where it is not ready."""
        found = self.dependencies.platform.revision(self.name)
        if found is None or found.readiness is not Readiness.READY:
            raise GateClosed(f"{self.name} is not ready: got {found}, needs ready")
        self.dependencies.evidence.attach(
            "candidate as it runs", _described(found, self.plan.settings)
        )
        return found

    def differences(self) -> tuple[Difference, ...]:
        """Its settings that are not what the plan asked for; both are kept as evidence."""
        live = self.live().settings
        self.dependencies.evidence.attach("settings compared", _compared(self.plan.settings, live))
        found = self.plan.settings.differences(live)
        shown = dict(self.plan.settings.shown((one.key, one.live or "") for one in found))
        return tuple(
            one if one.live is None else replace(one, live=shown[one.key]) for one in found
        )

    def lost_variables(self, baseline: str) -> tuple[str, ...]:
        """Variables and secrets of the baseline that it does not have."""
        found = self.dependencies.platform.revision(baseline)
        if found is None:
            raise GateClosed(f"the baseline {baseline} is gone")
        return self.plan.settings.lost(found.settings, self.live().settings)

    @property
    def url(self) -> str:
        """Its own address, which users do not know."""
        service = self.dependencies.platform.service()
        urls = {} if service is None else service.tag_urls
        if self.plan.revision_tag not in urls:
            found = ", ".join(urls) or "none"
            raise GateClosed(
                f"{self.name} has no URL of its own: got revision tags {found}, "
                f"needs {self.plan.revision_tag}"
            )
        return urls[self.plan.revision_tag]


def _compared(wanted: RevisionSettings, live: RevisionSettings) -> str:
    found = dict(wanted.shown(live.facts()))
    rows = [("setting", "wanted", "live")]
    made = wanted.shown(wanted.over(live).facts())
    rows += [(key, value, found.pop(key, "nothing")) for key, value in made]
    rows += [(key, "nothing", value) for key, value in found.items()]
    return "\n".join(f"{key:<32}{left:<36}{right}".rstrip() for key, left, right in rows)


def _described(revision: Revision, wanted: RevisionSettings) -> str:
    facts = (f"{key}: {value}" for key, value in wanted.shown(revision.settings.facts()))
    others = (f"{key}: {value}" for key, value in revision.others.items())
    head = (f"revision: {revision.name}", f"image: {revision.image}")
    return "\n".join((*head, *facts, *others))
