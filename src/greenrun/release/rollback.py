"""The way back: every user returns to the baseline, and that is proven."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from greenrun.model.errors import (
    DeadlineExceeded,
    GateClosed,
    LockHeld,
    ManualActionRequired,
    ReleaseError,
    described,
)
from greenrun.model.interfaces import Dependencies, Timeout
from greenrun.model.plan import START_TAG, Plan, Probe
from greenrun.model.polling import polls
from greenrun.model.release_state import FIRST_TAG, ReleaseState
from greenrun.model.service import Service
from greenrun.model.text import delete_command, restore_command, traffic_command
from greenrun.model.traffic import TrafficSplit
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.migrate import migration_job
from greenrun.release.prober import Prober

_PAUSES = (timedelta(seconds=1), timedelta(seconds=3))
"""Between attempts of the way back: a refusal that passes is no reason to leave users where they
are. The adapters have tried again by themselves before."""

_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Rollback:
    """Leads from wherever a release stands to the split of before. Twice is the same as once.

    It needs the platform and memory, and nothing else: a journal, a lock or evidence that fails is
    told of and passed over. It gives way only to a lease that somebody else holds.
    """

    plan: Plan
    release_state: ReleaseState
    prober: Prober = field(repr=False)
    dependencies: Dependencies = field(repr=False)
    guard: ChangeGuard = field(repr=False)

    def restore(self) -> bool:
        """Read, act where something is to be done, verify. True where the split was changed.

        A split that somebody else has set is left as it is. Where the release has moved nobody,
        that the split is as before is proof enough.

        Raises:
            ManualActionRequired: it may not be done, could not be done, or could not be proven;
                whatever the reason was.
        """
        changes: list[str] = []
        if self.release_state.is_first:
            self._persist(lambda: self._delete(changes), "could not be deleted again")
            return bool(changes)
        self._persist(lambda: self._restore(changes), "could not be brought back to")
        if self.release_state.moved_users:
            self._persist(self._prove, "was sent back, and nobody could prove that it is served by")
        return bool(changes)

    def check(self) -> None:
        """Raise ManualActionRequired where users could not be sent back now."""
        if self.release_state.is_first:
            self._persist(self._check_deletable, "could not be deleted again")
        else:
            self._persist(lambda: self.check_allowed(self._read()), "could not be brought back to")

    @property
    def command(self) -> str:
        """The command that does the same without greenrun."""
        if self.release_state.is_first:
            return delete_command(self.plan)
        return traffic_command(self.plan, self.release_state.baseline)

    def check_allowed(self, service: Service) -> None:
        """Raise ManualActionRequired for a contracted schema, or somebody else's split."""
        if self.release_state.contracted:
            raise self._frozen(service)
        # LATEST is pinned in what a release remembers.
        wanted = service.wanted.without_tag(START_TAG)
        found = (wanted, wanted.pinned(service.latest_ready))
        if not any(map(self.release_state.knows, found)):
            raise self._somebody_elses(service)

    def _restore(self, changes: list[str]) -> None:
        service, target = self._read(), self.release_state.before
        self.check_allowed(service)
        as_before = service.wanted.matches(target) and service.actual.matches(target)
        if as_before or not self.release_state.asked:
            return
        if self.release_state.run != self.guard.run:
            check = StartCheck(self.plan, self.prober, self.dependencies, self.guard)
            service = check.run(self.release_state.baseline, service)
        changes.append(str(target))
        self._attach("traffic before the rollback", service.actual)
        timeout = Timeout(self.plan.traffic_timeout, self.guard.tell)
        with self.guard.restoration("roll back", self.plan.service, split=str(target)):
            after = self._split(target, service, timeout)
        self._attach("traffic after the rollback", after.actual)

    def _split(self, target: TrafficSplit, service: Service, timeout: Timeout) -> Service:
        """Send users back, with the settings of before; without them where those are refused."""
        platform, settings = self.dependencies.platform, self.release_state.service_settings
        if not settings.said:
            return platform.split_traffic(target, service, timeout)
        done: list[Service] = []
        split = partial(platform.split_traffic, target, service, timeout, settings)
        self.guard.attempt("put the service's settings back", lambda: done.append(split()))
        return done[0] if done else platform.split_traffic(target, self._read(), timeout)

    def _delete(self, changes: list[str]) -> None:
        """Delete what this release has created: nobody was served before it."""
        timeout = Timeout(self.plan.traffic_timeout, self.guard.tell)
        platform, created = self.dependencies.platform, self._created()
        if created:
            changes.append(created.name)
            facts = {"revision": self.release_state.candidate}
            with self.guard.restoration("delete service", self.plan.service, **facts):
                platform.remove_service(timeout)
        if self.plan.migration is not None:
            self.guard.attempt("delete the job of the migrations", self._delete_job)

    def _delete_job(self) -> None:
        job, timeout = migration_job(self.plan), Timeout(self.plan.traffic_timeout, self.guard.tell)
        with self.guard.restoration("delete job", job):
            self.dependencies.platform.remove_job(job, timeout)

    @property
    def has_let_users_in(self) -> bool:
        """True of a first release whose service users may have met: open, or marked no more.

        Raises ManualActionRequired where somebody has deployed to it since.
        """
        service = self._created()
        if service is None:
            return False
        is_marked = FIRST_TAG in service.wanted.tags
        return not is_marked or self.dependencies.platform.invokable_by_all()

    def _check_deletable(self) -> None:
        self._created()

    def _created(self) -> Service | None:
        """The service, where this release created it; None where there is none, or another's.

        Raises ManualActionRequired where somebody has deployed to it since.
        """
        service = self.dependencies.platform.service()
        if service is None or not self.release_state.asked:
            return None
        ours = self.release_state.candidate
        names = {one.name for one in self.dependencies.platform.revisions()}
        if ours not in names and FIRST_TAG not in service.wanted.tags:
            return None
        if theirs := sorted(names - {ours}):
            who = service.changed_by or "somebody"
            raise ManualActionRequired(
                f"{self.plan.service} was created by this release, and has {', '.join(theirs)} by "
                f"{who} since: it was left as it is",
                hint=f"speak with {who}; then say who shall serve:\n  {restore_command(self.plan)}",
            )
        return service

    def _persist(self, action: Callable[[], None], failed: str) -> None:
        """Try again after whatever may pass; raise ManualActionRequired for what does not."""
        for pause in (*_PAUSES, None):
            try:
                return action()
            except ManualActionRequired:
                raise
            except LockHeld as error:
                raise self._left(failed, error, self._unlock) from error
            except Exception as error:
                final = isinstance(error, GateClosed | DeadlineExceeded)
                if final or pause is None:
                    raise self._left(failed, error, self._advice) from error
                self._pause(pause)
        return None

    def _pause(self, duration: timedelta) -> None:
        self.guard.attempt("wait", lambda: self.dependencies.clock.sleep(duration))

    def _attach(self, name: str, split: TrafficSplit) -> None:
        attach = self.dependencies.evidence.attach
        self.guard.attempt("keep the evidence", lambda: attach(name, str(split)))

    def _left(self, failed: str, error: Exception, hint: str) -> ManualActionRequired:
        where = f"{failed} {self.release_state.baseline}".rstrip()
        return ManualActionRequired(f"{self.plan.service} {where}: {described(error)}", hint=hint)

    def _somebody_elses(self, service: Service) -> ManualActionRequired:
        who, candidate = service.changed_by or "somebody", self.release_state.candidate
        met = "users meet" if service.resolved.share(candidate) else "no user meets"
        met = f", in which {met} the candidate {candidate}" if candidate else ""
        return ManualActionRequired(
            f"{self.plan.service} was given another split by {who}: got {service.wanted}{met}; "
            "it was left as it is",
            hint=f"speak with {who}; then say who shall serve:\n  {restore_command(self.plan)}",
        )

    def _frozen(self, service: Service) -> ManualActionRequired:
        return ManualActionRequired(
            f"{self.plan.service} is frozen as it is, {service.actual}: its schema was contracted, "
            f"and {self.release_state.baseline} cannot work with it any more",
            hint=self._advice,
        )

    @property
    def _advice(self) -> str:
        if self.release_state.is_first:
            return f"delete it by hand:\n  {self.command}"
        if self.release_state.contracted:
            settle = restore_command(self.plan)
            return f"the way is forward: mend the candidate, say who serves:\n  {settle}"
        return f"send every user back by hand:\n  {self.command}"

    @property
    def _unlock(self) -> str:
        settle = restore_command(self.plan)
        return f"speak with them; where nobody releases, say who shall serve:\n  {settle} --unlock"

    def _read(self) -> Service:
        service = self.dependencies.platform.service()
        if service is None:
            raise ReleaseError(f"{self.plan.service} is gone")
        return service

    def _prove(self) -> None:
        """Answers of another revision may be on their way for a moment after the change."""
        url = self._read().url
        if not url:
            raise ReleaseError("it has no URL to be asked at, as its default URL is disabled")
        found = self.prober.answering(url, self.plan.canary.probes[0])
        if found != {self.release_state.baseline}:
            raise ReleaseError(
                f"got answers from {', '.join(sorted(found)) or 'nobody'}, "
                f"needs them all from {self.release_state.baseline}"
            )


@dataclass(frozen=True, slots=True)
class StartCheck:
    """Starts a revision that no user meets, and asks it, before users are sent there.

    The platform calls a revision ready that failed its start, once it has neither traffic nor a
    tag. What serves has been proven by that.
    """

    plan: Plan
    prober: Prober = field(repr=False)
    dependencies: Dependencies = field(repr=False)
    guard: ChangeGuard = field(repr=False)

    def run(self, name: str, service: Service) -> Service:
        """Return the service with the revision under START_TAG; as it is where it serves.

        That we could not ask says nothing of the revision: it is told, and passed over.

        Raises:
            GateClosed: it answers with an error of a server, for as long as a start may take.
        """
        if service.resolved.share(name):
            return service
        if service.actual.tags.get(START_TAG) != name:
            service = self._tag(name, service)
        url, statuses = service.tag_urls.get(START_TAG, ""), list[int]()
        at = f"{url}{self._probe.path}"
        self.guard.attempt(f"ask {name} at {at}", lambda: statuses.append(self._status(url)))
        if any(self._is_broken(status) for status in statuses):
            raise GateClosed(f"{name} cannot serve: got {statuses[0]} at {at}, needs it to answer")
        return service

    def _tag(self, name: str, service: Service) -> Service:
        split = service.resolved.tagged(name, START_TAG)
        timeout = Timeout(self.plan.traffic_timeout, self.guard.tell)
        with self.guard.restoration("tag", name, split=str(split)):
            return self.dependencies.platform.split_traffic(split, service, timeout)

    def _status(self, url: str) -> int:
        """The first status of a revision that serves, or the last one there was."""
        for _ in polls(self.dependencies.clock, self.plan.ready_timeout):
            status = self.prober.send(url, self._probe).status
            if not self._is_broken(status):
                break
        return status

    def _is_broken(self, status: int) -> bool:
        """Whoever answers, if only that it has no such page, serves: it is what users had."""
        return status >= _SERVER_ERROR and status not in self._probe.statuses

    @property
    def _probe(self) -> Probe:
        return self.plan.canary.probes[0]
