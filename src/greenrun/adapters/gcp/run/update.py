"""One change of a service, from its first sending until it holds, whatever gets lost between."""

from google.api_core.exceptions import NotFound
from google.cloud import run_v2
from google.cloud.run_v2 import ServicesClient

from greenrun.adapters.gcp.calls import refusal, refused
from greenrun.adapters.gcp.run.from_proto import describe, service_of
from greenrun.adapters.gcp.run.live import LiveService
from greenrun.adapters.gcp.run.mutations import Mutation
from greenrun.adapters.gcp.run.retrying_call import RetryingCall
from greenrun.model.errors import ConcurrentChange
from greenrun.model.service import Service

_ABSENT = run_v2.Service()


class ServiceChange:
    """Brings about one wish. What counts is what the service shows, never that a call was answered.

    A transient refusal tells nothing, so the service is looked at before each sending: still as
    `before` says, the wish is sent (again); with the wish in it, it was taken; otherwise somebody
    else has changed it. Cloud Run was seen to accept stale etags, so generations are compared too:
    a wish makes one, however often it is sent, and more are somebody else's.

    Args:
        live: the service.
        wish: what it shall be like.
        before: the reading that the wish rests on; None where there shall be no service yet.
        sending: its way to the platform.
    """

    def __init__(
        self, live: LiveService, wish: Mutation, before: Service | None, sending: RetryingCall
    ) -> None:
        self._live = live
        self._wish = wish
        self._before = before
        self._sending = sending
        self._what = wish.of(live.name)
        self._from = self._least = before.generation if before else 0
        self._state = "nothing"
        live.expect(self._from)

    def make(self, client: ServicesClient) -> Service:
        """Send it, and wait for its effect; the reading that shows it.

        Raises ConcurrentChange, GateClosed, CallFailed, DeadlineExceeded.
        """
        with refused(self._what, self._sending.hint):
            self._sending.until(lambda: self._taken(client), self._seen)
            return self._sending.until(self._effect, self._seen)

    def _taken(self, client: ServicesClient) -> bool | None:
        live = self._look() if self._before or self._sending.possible else _ABSENT
        if live.generation != self._from:
            self._check(live)
            return True
        if not self._sending.due:
            return None
        # A wish that stands already may make no generation: it is sent for its effect alone.
        stood = self._before is not None and self._wish.stands_in(live)
        self._least = self._from if stood else self._from + 1
        begun = self._sending.send(lambda timeout: self._wish.send(client, live, timeout))
        return None if begun is None else True

    def _effect(self) -> Service | None:
        live = self._look()
        if live.generation < self._least:
            return None
        self._check(live)
        if self._wish.holds_in(live):
            return service_of(live)
        if live.generation > self._from:
            self._wish.judge(live)
        # An error that was told after the last look leaves one more look for the effect.
        if self._sending.following.error:
            raise refusal(self._what, self._sending.following.error, self._sending.hint)
        self._sending.look()
        return None

    def _look(self) -> run_v2.Service:
        try:
            live = self._live.read(self._sending.answer_seconds)
        except NotFound:
            if self._before:
                raise
            return _ABSENT
        conditions = describe([live.terminal_condition, *live.conditions])
        actual = service_of(live).actual
        self._state = f"generation {live.generation} with {actual}; {conditions}"
        return live

    def _seen(self) -> str:
        return self._state

    def _check(self, live: run_v2.Service) -> None:
        most = self._from + self._sending.possible
        if not self._from <= live.generation <= most or not self._wish.stands_in(live):
            raise _changed(self._before, service_of(live), self._what)


def _changed(before: Service | None, found: Service, what: str) -> ConcurrentChange:
    who = found.changed_by or "somebody unknown"
    when = f" at {found.changed_at}" if found.changed_at else ""
    rested = f"generation {before.generation} with {before.wanted}" if before else "no service"
    return ConcurrentChange(
        f"could not {what}: somebody else changes it: got generation {found.generation} with "
        f"{found.wanted}, last changed by {who}{when}, needs {rested}, and no change since but "
        "this one",
        hint=f"ask {who} what was done, look at the service, then start again",
    )
