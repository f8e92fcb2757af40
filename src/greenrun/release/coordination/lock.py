"""The lock of a service: one release of it at a time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

from greenrun.model.errors import CallFailed, LockHeld, LockLost
from greenrun.model.interfaces import Clock, Leases, Watch
from greenrun.model.lease import Lease, LeaseHolder
from greenrun.model.polling import Backoff, Deadline

_RENEWED_EVERY = 1 / 3
_RETRIED_AFTER = 1 / 10
_WATCHED_BEYOND = 1 / 2
"""Shares of a time to live: between renewals, and of watching what should have expired by then; a
renewal that failed is tried again after a share of the time between two."""

_LOOKS = Backoff(timedelta(seconds=1), timedelta(seconds=1))
_WRITTEN_WITHIN = timedelta(minutes=2)
"""Longer than any call of a keeper of leases, with its repetitions."""

_HELD = "wait for that release to end, interrupt it, or end its lease with --unlock"


class Lock:
    """Held by the owner of the highest lease, for as long as that is renewed.

    A number is leased once, and the highest number never goes down: a lease is removed only by
    somebody who has seen a higher one, and the last one stays as a mark when it is released. So
    whoever finds his own lease to be the highest is alone with that, and whoever was taken over
    finds out, however long he slept.

    Clocks decide merely whose lease may be taken over, and need not agree: a lease that looks
    expired is watched for longer than a living owner is silent, and so is one whose time cannot be
    told, by a clock that never goes back. An owner who was silent for too long, cut off or asleep,
    takes the next number like anybody else: who gets it knows that nobody had the lock in between.
    """

    def __init__(  # noqa: PLR0913 - each is somebody else's to choose
        self,
        service: str,
        owner: LeaseHolder,
        leases: Leases,
        clock: Clock,
        time_to_live: timedelta,
        *,
        is_gone: Callable[[LeaseHolder], bool] = lambda _: False,
    ) -> None:
        """`is_gone` is True of an owner that has certainly ended, whose lease is not watched."""
        self._service = service
        self.owner = owner
        self._leases = leases
        self._clock = clock
        self._time_to_live = time_to_live
        self._is_gone = is_gone
        self._lease: Lease | None = None
        self._renewed = timedelta()
        self._writing = threading.Lock()
        self._heartbeat: Heartbeat | None = None

    def __repr__(self) -> str:
        return f"Lock({self._service}: {self._lease or 'not held'})"

    @property
    def latest(self) -> Lease | None:
        """The highest lease by now, whoever's it is; None where the service never had one."""
        return next(iter(self._leases.all()), None)

    @property
    def lease(self) -> Lease | None:
        """One's own, between `acquire` and `release`, whatever others did meanwhile."""
        return self._lease

    def acquire(self, watch: Watch = lambda _: None) -> Lease | None:
        """Take the lock; return the lease that counted before, which may be a dead owner's.

        The new lease keeps the release state of that one until the first `write`: what was left
        unfinished is not forgotten by an owner who dies at once. A lease that looks expired is
        watched, told once a second. Raises LockHeld.
        """
        before = self._vacant(watch)
        try:
            self._take(self._successor(before, self.owner, held=True))
        except BaseException:
            with suppress(CallFailed):
                self.release()
            raise
        return before

    def check_free(self) -> None:
        """Raise LockHeld where somebody is known to hold it, without watching a silent lease."""
        top = self.latest
        if top and top.held and not self._is_gone(top.owner) and self._is_recent(top):
            raise self._refusal(top)

    def reclaim(self, watch: Watch = lambda _: None) -> None:
        """Hold the lock for the way back, whatever became of the lease.

        One that lapsed, that somebody has deleted, or that something unreadable stands above, is
        made anew and keeps what was written last. Raises LockHeld where somebody else's lease is in
        force.
        """
        with self._alone():
            top, ours = self.latest, self._lease
            if top and ours and _same(top, ours) and not self._has_lapsed(ours):
                return
            is_free = top is None or top.unreadable or top.owner == self.owner
            before = top if is_free else self._vacant(watch)
            anew = self._successor(before, self.owner, held=True)
            if ours:
                number = max(anew.number, ours.number + 1)
                anew = replace(anew, number=number, release_state=ours.release_state)
            self._take(anew)

    def check(self) -> None:
        """Raise LockLost where this release may change nothing (any more).

        Called before every change. A lease is watched for half its time to live after it has
        expired, so that a change which follows its check at once meets no successor. One that is
        held up for longer on its way is refused for the service's stale etag, where the platform
        minds it.
        """
        with self._alone():
            self._checked()

    def write(self, release_state: str) -> None:
        """Keep on the lease where the release stands; renews it. Raises LockLost."""
        with self._alone():
            lease = self._checked()
            try:
                self._renew(lease, release_state)
            except CallFailed:
                # It is gone, perhaps, because somebody took over at this moment.
                self._checked()
                raise

    def release(self) -> None:
        """End the lease, which stays as a mark. Nothing happens where it is not ours any more.

        Raises CallFailed where it could not be ended; it then expires, for want of renewals.
        """
        with self._alone():
            lease, self._lease = self._lease, None
        if lease is None:
            return
        if self._heartbeat:
            self._heartbeat.stop()
            self._heartbeat = None
        try:
            self._leases.update(replace(lease, renewed_at=self._clock.now(), held=False))
        except CallFailed:
            if (top := self.latest) and _same(top, lease):
                raise

    def force_release(self, owner: LeaseHolder) -> Lease | None:
        """End whoever's lease it is, as a person wants it; the lease that was ended.

        None where nobody held it. Raises LockHeld where somebody else took it at that moment.
        """
        ended = self.latest
        if ended is None or not ended.held:
            return None
        mark = self._successor(ended, owner, held=False)
        self._create(mark)
        self._prevail(mark)
        return ended

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep the heartbeat from writing meanwhile. Raises CallFailed where it never ends."""
        if not self._writing.acquire(timeout=_WRITTEN_WITHIN.total_seconds()):
            raise CallFailed(
                f"could not write the lease on {self._service}: a renewal does not end"
            )
        try:
            yield
        finally:
            self._writing.release()

    def _checked(self) -> Lease:
        """Our lease, made anew where it lapsed; for whoever is `_alone`."""
        lease = self._lease
        if lease is None:
            raise LockLost(
                f"cannot change {self._service}: this run does not hold its release lock"
            )
        top = self.latest
        if top is None or not _same(top, lease):
            raise self._lost(lease, top)
        if not self._has_lapsed(lease):
            return lease
        try:
            return self._take(self._successor(top, self.owner, held=True))
        except LockHeld as error:
            raise self._lost(self._lease or lease, self.latest) from error

    def _vacant(self, watch: Watch) -> Lease | None:
        """The highest lease, once it stands in nobody's way."""
        top = self.latest
        if top is None or not top.held or self._is_gone(top.owner):
            return top
        if self._is_recent(top):
            raise self._refusal(top)
        lives = top.time_to_live or self._time_to_live
        silent = self._clock.now() - top.renewed_at
        known = min(max(silent, timedelta()), lives)
        return self._watched(top, lives * (1 + _WATCHED_BEYOND) - known, watch)

    def _is_recent(self, lease: Lease) -> bool:
        """True of a lease that was renewed within its time to live, as the wall clocks have it."""
        lives = lease.time_to_live or self._time_to_live
        return not lease.unreadable and -lives < self._clock.now() - lease.renewed_at < lives

    def _watched(self, silent: Lease, within: timedelta, watch: Watch) -> Lease | None:
        """Its age is told by two wall clocks, which may disagree; a renewal is told by none."""
        deadline = Deadline(self._clock, within)
        for _ in deadline.attempts(_LOOKS):
            top = self.latest
            if top is None or not top.held:
                return top
            if top != silent:
                raise self._refusal(top)
            if (left := deadline.left) > timedelta():
                seconds = left.total_seconds()
                watch(f"watching whether {silent} is renewed, {seconds:.0f} s more")
        return silent

    def _take(self, lease: Lease) -> Lease:
        """Make a lease ours, and keep it alive from now on."""
        at = self._clock.monotonic()
        self._create(lease)
        self._lease, self._renewed = lease, at
        if self._heartbeat is None or not self._heartbeat.is_beating:
            every = lease.time_to_live * _RENEWED_EVERY
            self._heartbeat = Heartbeat(self._beat, every, f"lock of {self._service}")
        self._prevail(lease)
        return lease

    def _successor(self, before: Lease | None, owner: LeaseHolder, *, held: bool) -> Lease:
        now = self._clock.now()
        number = before.number + 1 if before else 1
        release_state = before.release_state if before else ""
        return Lease(number, owner, now, now, self._time_to_live, held, release_state)

    def _create(self, lease: Lease) -> None:
        if not self._leases.create(lease):
            raise self._refusal(self.latest)

    def _prevail(self, lease: Lease) -> None:
        """Give way to a higher lease, which another made meanwhile; remove the lower ones.

        What cannot be read stays: it may be somebody's job that only has the name of a lease.
        """
        leases = self._leases.all()
        if not leases or not _same(leases[0], lease):
            if leases and leases[0].number > lease.number:
                self._remove(lease)
            raise self._refusal(leases[0] if leases else None)
        for lower in leases[1:]:
            if not lower.unreadable:
                self._remove(lower)

    def _remove(self, lower: Lease) -> None:
        """One that stays counts for nothing, and the next release tries again."""
        with suppress(CallFailed):
            self._leases.remove(lower.number)

    def _beat(self) -> bool:
        """Renew the lease; False where there is nothing (any more) to keep alive."""
        with self._alone():
            lease = self._lease
            if lease is None:
                return False
            if not self._has_lapsed(lease):
                self._renew(lease, lease.release_state)
                return True
            try:
                self._checked()
            except LockLost:
                return False
            return True

    def _renew(self, lease: Lease, release_state: str) -> None:
        """The times that it is known by here are from before it is sent: it is not overrated."""
        at = self._clock.monotonic()
        renewed = replace(lease, renewed_at=self._clock.now(), release_state=release_state)
        self._leases.update(renewed)
        self._lease, self._renewed = renewed, at

    def _has_lapsed(self, ours: Lease) -> bool:
        return self._clock.monotonic() - self._renewed >= ours.time_to_live

    def _refusal(self, top: Lease | None) -> LockHeld:
        if top is None or not top.held:
            seen, hint = "another release that has ended by now", "try again"
        else:
            seen, hint = f"{top} (last renewed {top.renewed_at:%Y-%m-%d %H:%M:%S} UTC)", _HELD
        return LockHeld(
            f"could not lock {self._service}: got {seen}, needs no other release of it", hint=hint
        )

    def _lost(self, ours: Lease, top: Lease | None) -> LockLost:
        return LockLost(
            f"cannot change {self._service} any more: got {top or 'no lease at all'}, "
            f"needs the highest lease to be {ours}",
            hint="this run moves users no further",
        )


class Heartbeat:
    """Beats in a thread of its own until it is stopped, or `beat` says that it is enough.

    A beat that fails is tried again, whatever it was: who needs the beats notices where they are
    missing.
    """

    def __init__(self, beat: Callable[[], bool], every: timedelta, name: str) -> None:
        self._beat = beat
        self._seconds = every.total_seconds()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep_beating, name=name, daemon=True)
        self._thread.start()

    @property
    def is_beating(self) -> bool:
        """False once it was stopped, or had nothing to beat for any more."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Returns when the last beat has ended."""
        self._ending.set()
        self._thread.join()

    def _keep_beating(self) -> None:
        pause = self._seconds
        while not self._ending.wait(pause):
            try:
                if not self._beat():
                    return
                pause = self._seconds
            except Exception:  # noqa: BLE001 - as the class says
                pause = self._seconds * _RETRIED_AFTER


def _same(one: Lease, other: Lease) -> bool:
    return (one.number, one.owner) == (other.number, other.owner)
