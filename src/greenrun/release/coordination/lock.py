"""The lock of a service: one release of it at a time."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from greenrun.model.errors import CallFailed, LockHeld, LockLost
from greenrun.model.interfaces import Clock, Leases, Progress
from greenrun.model.lease import Lease, LeaseHolder
from greenrun.release.coordination.heart import Heartbeat

_BEAT = 1 / 3
_WATCHED = 1 / 2
"""Shares of a time to live: between beats, and of watching one that looks dead."""

_LOOK_EVERY = timedelta(seconds=1)
_HELD = "wait for that release to end, interrupt it, or end its claim with --unlock"


class Lock:
    """Held by the owner of the highest claim, for as long as that beats.

    A number is claimed once, and the highest number never goes down: a claim is removed only by
    somebody who has seen a higher one, and the last one stays as a mark when it is let go. So
    whoever finds his own claim to be the highest is alone with that, and whoever was taken over
    finds out, however long he slept.

    Clocks decide merely whose claim may be taken over, and need not agree: a claim that looks dead
    is watched for longer than a living owner is silent. An owner who was silent for too long, cut
    off or asleep, claims the next number like anybody else: who gets it knows that nobody had the
    lock in between.
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
        """`is_gone` is True of an owner that has certainly ended: his claim need not be watched."""
        self._service = service
        self.owner = owner
        self._leases = leases
        self._clock = clock
        self._time_to_live = time_to_live
        self._is_gone = is_gone
        self._lease: Lease | None = None
        self._writing = threading.Lock()
        self._heart: Heartbeat | None = None

    def __repr__(self) -> str:
        return f"Lock({self._service}: {self._lease or 'not held'})"

    @property
    def latest(self) -> Lease | None:
        """The highest claim by now, whoever's it is; None where the service was never claimed."""
        return next(iter(self._leases.all()), None)

    @property
    def lease(self) -> Lease | None:
        """One's own, between `take` and `release`, whatever others did meanwhile."""
        return self._lease

    def take(self, progress: Progress) -> Lease | None:
        """Claim the service; the claim that counted before, which may be a dead owner's.

        The new claim keeps the standing of that one until the first `write`: what was left open is
        not forgotten by an owner who dies at once. A dead owner's claim is watched for half its
        time to live, told once a second. Raises LockHeld.
        """
        before = self._vacant(progress)
        lease = self._successor(before, self.owner, held=True)
        self._create(lease)
        self._lease = lease
        self._heart = Heartbeat(self._beat, lease.time_to_live * _BEAT, f"lock of {self._service}")
        try:
            self._prevail(lease)
        except BaseException:
            with suppress(CallFailed):
                self.release()
            raise
        return before

    def check(self) -> None:
        """Raise LockLost where this release may change nothing (any more).

        Asked before every change. A claim is watched for half its time to live after it looks dead,
        so that a change which follows its check at once meets no successor. One that is held up for
        longer on its way is refused for the service's stale etag, where the platform minds it.
        """
        with self._writing:
            self._checked()

    def write(self, release_state: str) -> None:
        """Keep on the claim where the release stands; a beat. Raises LockLost."""
        with self._writing:
            lease = self._checked()
            try:
                self._send(lease, release_state)
            except CallFailed:
                # It is gone, perhaps, because somebody took over at this moment.
                self._checked()
                raise

    def release(self) -> None:
        """End the claim, which stays as a mark. Nothing happens where it is not ours any more.

        Raises CallFailed where it could not be ended; it then ends by itself, for want of beats.
        """
        with self._writing:
            lease, self._lease = self._lease, None
        if lease is None:
            return
        if self._heart:
            self._heart.stop()
        try:
            self._leases.update(replace(lease, renewed_at=self._clock.now(), held=False))
        except CallFailed:
            if (top := self.latest) and _same(top, lease):
                raise

    def break_open(self, owner: LeaseHolder) -> Lease | None:
        """End whoever's claim it is, as a person wants it; the claim that was ended.

        None where nobody held it. Raises LockHeld where somebody else took it at that moment.
        """
        ended = self.latest
        if ended is None or not ended.held:
            return None
        mark = self._successor(ended, owner, held=False)
        self._create(mark)
        self._prevail(mark)
        return ended

    def _checked(self) -> Lease:
        """Our claim, made anew where it lapsed; for whoever holds `_writing`."""
        lease = self._lease
        if lease is None:
            raise LockLost(f"may not change {self._service}: got no claim on it, needs one")
        top = self.latest
        if top is None or not _same(top, lease):
            raise self._lost(lease, top)
        return self._claim_anew(top) if self._is_silent(lease) else lease

    def _claim_anew(self, lapsed: Lease) -> Lease:
        ours = self._successor(lapsed, self.owner, held=True)
        try:
            self._create(ours)
            self._lease = ours
            self._prevail(ours)
        except LockHeld as error:
            raise self._lost(self._lease or lapsed, self.latest) from error
        return ours

    def _vacant(self, progress: Progress) -> Lease | None:
        """The highest claim, once it stands in nobody's way."""
        top = self.latest
        if top is None or not top.held or self._is_gone(top.owner):
            return top
        if not self._is_silent(top):
            raise self._refusal(top)
        return self._watched(top, progress)

    def _watched(self, silent: Lease, progress: Progress) -> Lease | None:
        """Its age is told by two clocks, which may disagree; a beat is told by none."""
        ends = self._clock.now() + silent.time_to_live * _WATCHED
        while (left := ends - self._clock.now()) > timedelta():
            seconds = left.total_seconds()
            progress.report(f"{silent} looks dead; watching {seconds:.0f} s more for a beat of it")
            self._clock.sleep(min(left, _LOOK_EVERY))
            top = self.latest
            if top is None or not top.held:
                return top
            if top != silent:
                raise self._refusal(top)
        return silent

    def _successor(self, before: Lease | None, owner: LeaseHolder, *, held: bool) -> Lease:
        now = self._clock.now()
        number = before.number + 1 if before else 1
        release_state = before.release_state if before else ""
        return Lease(number, owner, now, now, self._time_to_live, held, release_state)

    def _create(self, lease: Lease) -> None:
        if not self._leases.create(lease):
            raise self._refusal(self.latest)

    def _prevail(self, lease: Lease) -> None:
        """Give way to a higher claim, which another made meanwhile; remove the lower ones."""
        leases = self._leases.all()
        if not leases or not _same(leases[0], lease):
            if leases and leases[0].number > lease.number:
                self._remove(lease)
            raise self._refusal(leases[0] if leases else None)
        for lower in leases[1:]:
            self._remove(lower)

    def _remove(self, lower: Lease) -> None:
        """One that stays counts for nothing, and the next release tries again."""
        with suppress(CallFailed):
            self._leases.remove(lower.number)

    def _beat(self) -> bool:
        """False where there is nothing (any more) to keep alive."""
        with self._writing:
            lease = self._lease
            if lease is None:
                return False
            if not self._is_silent(lease):
                self._send(lease, lease.release_state)
                return True
            try:
                self._checked()
            except LockLost:
                return False
            return True

    def _send(self, lease: Lease, release_state: str) -> None:
        """The time that it is known by here is from before it is sent: it is not overrated."""
        beaten = replace(lease, renewed_at=self._clock.now(), release_state=release_state)
        self._leases.update(beaten)
        self._lease = beaten

    def _is_silent(self, lease: Lease) -> bool:
        return self._clock.now() - lease.renewed_at >= lease.time_to_live

    def _refusal(self, top: Lease | None) -> LockHeld:
        if top is None or not top.held:
            seen, hint = "another release that has ended by now", "try again"
        else:
            seen, hint = f"{top} (last beat {top.renewed_at:%Y-%m-%d %H:%M:%S} UTC)", _HELD
        return LockHeld(
            f"could not claim {self._service}: got {seen}, needs no other release of it", hint=hint
        )

    def _lost(self, ours: Lease, top: Lease | None) -> LockLost:
        return LockLost(
            f"may not change {self._service} any more: got {top or 'no claim at all'}, "
            f"needs the highest claim to be {ours}",
            hint="this release changes nothing more; the next one finds what it left, and says so",
        )


def _same(one: Lease, other: Lease) -> bool:
    return (one.number, one.owner) == (other.number, other.owner)
