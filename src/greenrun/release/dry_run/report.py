"""A dry run: everything is read, nothing is changed, and what would happen is reported."""

from collections.abc import Iterator
from dataclasses import dataclass

from greenrun.canary.forecast import Forecast, forecast
from greenrun.model.image import Image, Source, TagPolicy
from greenrun.model.interfaces import Dependencies
from greenrun.model.plan import Plan
from greenrun.model.release_state import ReleaseState, Stage
from greenrun.model.revision import Revision
from greenrun.model.service import Service, baseline_of
from greenrun.model.stats import SequentialTest
from greenrun.model.text import (
    delete_command,
    deletion_command,
    rollback_command,
    span,
    traffic_command,
)
from greenrun.release.dry_run import canary_forecast, settings_diff, steps
from greenrun.release.dry_run.settings_diff import SettingsDiff
from greenrun.release.dry_run.tables import DryRun, ReportSection, Row
from greenrun.release.preflight.rollback import is_left_closed

_LATEST = "latest"
_FLOATING = "read anew when an instance starts: a rollback does not bring an old value back"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The image of a green rehearsal, and the migrations that it brings."""

    image: Image
    migrations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DryRunInputs:
    """Facts that are known before anything is read.

    `trial` is the test that each metric source of the canary is judged by. `last` is the state of
    the release before this one; None where none is known. Without a rehearsed image one is to be
    built. `watched` is what would become of dashboards and alerts.
    """

    trial: SequentialTest
    last: ReleaseState | None = None
    rehearsed: Rehearsed | None = None
    watched: tuple[Row, ...] = ()


def dry_run(plan: Plan, dependencies: Dependencies, source: Source, known: DryRunInputs) -> DryRun:
    """Read everything, change nothing. Raises CallFailed where a reading is refused."""
    last, rehearsed, service = known.last, known.rehearsed, dependencies.platform.service()
    if service and is_left_closed(service, dependencies):
        service = None
    found = _Findings(plan, dependencies, source, last, rehearsed, service)
    canary = found.canary(known.trial)
    sections = (
        ReportSection("Where", tuple(found.place())),
        ReportSection("Who serves", tuple(found.serving())),
        ReportSection("Under way", tuple(found.under_way())),
        ReportSection("Image", tuple(found.image_wanted())),
        ReportSection("Settings that differ", found.settings(), settings_diff.HEAD),
        ReportSection(
            "Deployed since, and not taken over",
            found.not_taken_over(),
            settings_diff.HEAD_OF_OTHERS,
        ),
        ReportSection(
            "Secrets", tuple(found.secrets()), ("variable", "version", "state", "remark")
        ),
        ReportSection("All settings of the candidate", found.made(), settings_diff.HEAD_OF_ALL),
        ReportSection("Migrations", tuple(found.migrations())),
        ReportSection("Canary", found.canary_rows(canary)),
        ReportSection("Monitored from then on", known.watched),
        ReportSection("If it fails", tuple(found.promise())),
        ReportSection("Steps", found.steps(canary), steps.HEAD),
    )
    return DryRun(
        f"Plan of a release of {plan.service} to {plan.environment}: nothing was changed",
        tuple(_without_gaps(section) for section in sections),
    )


@dataclass(frozen=True, slots=True)
class _Findings:
    plan: Plan
    dependencies: Dependencies
    source: Source
    last: ReleaseState | None
    rehearsed: Rehearsed | None
    service: Service | None

    def place(self) -> Iterator[Row]:
        yield "service", f"{self.plan.service} in {self.plan.place.parent}"
        yield "account", self.dependencies.access.account()
        wanted = "everybody" if self.plan.public else "only who was granted it"
        yield "who may invoke", f"now {self._invokers()}; wanted: {wanted}"

    def serving(self) -> Iterator[Row]:
        if self.service is None:
            yield "baseline", f"none: {self.plan.service} does not exist yet: first release"
            yield from self._first()
            return
        yield from self._baseline(self.service)
        yield "split in effect", str(self.service.actual)
        yield "split asked for", str(self.service.wanted)
        yield from self._tags(self.service)
        if self.service.changed_by or self.service.changed_at:
            who, when = self.service.changed_by or "somebody", self.service.changed_at
            yield "last changed", f"by {who}" + (f" at {when}" if when else "")

    def under_way(self) -> Iterator[Row]:
        top = next(iter(self.dependencies.leases.all()), None)
        if top is None or not top.held:
            yield "lock", "free"
        else:
            silence = self.dependencies.clock.now() - top.renewed_at
            dead = "; it has expired, and would be taken over"
            told = f"held: {top}, renewed {span(silence)} ago"
            yield "lock", told + (dead if silence >= top.time_to_live else "")
        yield "last release", self._last_release()

    def image_wanted(self) -> Iterator[Row]:
        if self.rehearsed is not None:
            image = self.rehearsed.image
            yield "rehearsed, and green", image.name
            yield "image id", str(image.digest)
            return
        if self.plan.build.image:
            yield "built elsewhere", self.plan.build.image
            return
        commit = f"commit {self.source.commit}" if self.source.commit else "this folder"
        yield "to be built from", commit
        yield "repository", self.plan.build.repository
        latest = ", and latest" if self.plan.build.also_latest else ""
        yield "image tag", f"{self._tag()}{latest}"

    def settings(self) -> tuple[Row, ...]:
        return self._diff.rows()

    def not_taken_over(self) -> tuple[Row, ...]:
        newest = self.service.latest_created if self.service else ""
        return self._diff.not_taken_over(self._revision(newest))

    def made(self) -> tuple[Row, ...]:
        return self._diff.made()

    @property
    def _diff(self) -> SettingsDiff:
        live, last = self._revision(self._most_serving()), self._revision(self._left())
        of_service = self.dependencies.platform.service_settings()
        return SettingsDiff(self.plan, of_service, live, last, self.dependencies.scanner)

    def secrets(self) -> Iterator[Row]:
        for variable, reference in self.plan.settings.every_secret.items():
            there = self.dependencies.secret_store.exists(reference.secret, reference.version)
            remark = _FLOATING if reference.version == _LATEST else ""
            yield variable, str(reference), "enabled" if there else "missing", remark
        live = self._revision(self._most_serving())
        kept = live.settings.every_secret.items() if live else ()
        for variable, reference in kept:
            if reference.version == _LATEST:
                yield variable, str(reference), "live", _FLOATING

    def canary(self, trial: SequentialTest) -> Forecast:
        baseline = self._baseline_name()
        if self.service is None or not baseline:
            nobody = Forecast(self.plan.canary, trial, lag=self.dependencies.metrics.lag)
            return nobody.with_rate_found()
        return forecast(self.plan, self.dependencies, self.service, baseline, trial)

    def canary_rows(self, canary: Forecast) -> tuple[Row, ...]:
        if self.service is None:
            return (("none", "first release: there is nobody to compare with"),)
        return tuple(canary_forecast.rows(canary))

    def steps(self, canary: Forecast) -> tuple[Row, ...]:
        rehearsed, first = self.rehearsed is not None, self.service is None
        return steps.step_rows(self.plan, canary.max_duration, rehearsed=rehearsed, first=first)

    def migrations(self) -> Iterator[Row]:
        if self.plan.migration is None:
            return
        yield "pending", self._pending()
        allowed = self.plan.migration.allow_contracting or self.service is None
        yield (
            "a contracting one",
            "is applied" if allowed else "stops the release before it is applied",
        )
        check = " ".join(self.plan.migration.check)
        yield "check of the data", check or "none: release.yaml names no migration.check"

    def promise(self) -> Iterator[Row]:
        if self.service is None:
            yield "when a gate closes", f"{self.plan.service} is deleted again, which it created"
            yield "migrations", "stay applied"
            yield "to roll back", deletion_command(self.plan)
            yield "without greenrun", delete_command(self.plan)
            return
        baseline = self._baseline_name() or "the baseline"
        may_freeze = self.plan.migration is not None and self.plan.migration.allow_contracting
        yield "when a gate closes", f"all traffic goes back to {baseline}"
        if may_freeze:
            yield (
                "after a contraction",
                "freeze: traffic stays where it is, the way is forward",
            )
        rollback = rollback_command(self.plan)
        yield "to roll back", rollback
        if self._baseline_name():
            yield "without greenrun", traffic_command(self.plan, self._baseline_name())

    def _first(self) -> Iterator[Row]:
        """Yield how a service comes to its users that was none before."""
        yield "created", "after its migrations; nobody may invoke it until it is proven"
        tag = self.plan.revision_tag
        yield "proven", f"at the URL of its revision tag {tag}, with an identity token"
        opened = "let everybody invoke it" if self.plan.for_everybody else "take away its mark"
        yield "promoted", opened

    def _pending(self) -> str:
        brought = self.rehearsed.migrations if self.rehearsed else ()
        applied = self.last.migrations if self.last else ()
        if not (brought and applied):
            return "unknown until the image has run"
        return "\n".join(name for name in brought if name not in applied) or "none"

    def _invokers(self) -> str:
        if self.service is None:
            return "nobody"
        everybody = self.dependencies.platform.invokable_by_all()
        return "everybody" if everybody else "only who was granted it"

    def _baseline(self, service: Service) -> Iterator[Row]:
        try:
            name = baseline_of(service)
            yield "baseline", name
            found = self.dependencies.platform.revision(name)
            yield "its image", found.image if found else "unknown: the revision is gone"
        except ValueError as doubts:
            yield "baseline", f"none: {doubts}"

    def _baseline_name(self) -> str:
        try:
            return baseline_of(self.service) if self.service else ""
        except ValueError:
            return ""

    def _most_serving(self) -> str:
        if self.service is None or not self.service.actual.serving:
            return ""
        resolved = self.service.resolved
        return max(resolved.serving, key=resolved.share)

    def _tags(self, service: Service) -> Iterator[Row]:
        ours = self.plan.revision_tag
        for tag, revision in service.actual.tags.items():
            becomes = "would move to the candidate" if tag == ours else "stays there"
            yield f"revision tag {tag}", f"on {revision or 'LATEST'}, {becomes}"

    def _last_release(self) -> str:
        if self.last is None:
            return "none is known"
        told = f"{self.last.candidate or 'no candidate'}, {self.last.stage.value}"
        if self.last.contracted:
            told += ", on a contracted schema"
        if self.last.stage.ended:
            return told
        if self.last.contracted:
            return f"{told}; unfinished, and frozen: a person has to decide first"
        if self.last.is_first:
            return f"{told}; an unfinished first release: what no user met would be deleted first"
        return f"{told}; unfinished: users would first be brought back to {self.last.baseline}"

    def _tag(self) -> str:
        match self.plan.build.tag_policy:
            case TagPolicy.TIMESTAMP:
                return f"{self.plan.service}-YYYYmmdd-HHMMSS, by the time of the build"
            case TagPolicy.BUILD_ID:
                return "the number of the last build and one"
            case TagPolicy.COMMIT:
                return f"{self.source.commit[:12]}, by the commit"

    def _left(self) -> str:
        """The revision that the last release has left to users."""
        if self.last is None:
            return ""
        return self.last.candidate if self.last.stage is Stage.PROMOTED else self.last.baseline

    def _revision(self, name: str) -> Revision | None:
        return self.dependencies.platform.revision(name) if name else None


def _without_gaps(section: ReportSection) -> ReportSection:
    """A section of which there is nothing to tell says so."""
    if section.rows:
        return section
    return ReportSection(section.title, (("none", ""),))
