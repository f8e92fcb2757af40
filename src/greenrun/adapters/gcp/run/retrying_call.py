"""Sending a change whose answer may get lost: when to send it again, and how often it was."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from google.api_core.exceptions import AlreadyExists, GoogleAPICallError
from google.cloud.run_v2 import ServicesClient

from greenrun.adapters.gcp.calls import ANSWER_SECONDS, TRANSIENT, UNDONE, remedy, told
from greenrun.adapters.gcp.run.operations import Following, Operation
from greenrun.adapters.waiting import Wait
from greenrun.model.interfaces import Clock

_Found = TypeVar("_Found")

Request = Callable[[float], Operation]
"""One request; its argument is the time for the answer, in seconds."""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(milliseconds=100), timedelta(seconds=5)


class RetryingCall:
    """One change on its way. Whoever sends it looks, before each time, whether it is there already.

    `possible` is whether a request may have been carried out, `accepted` whether one was answered
    so, `following` the operation that it was answered with.

    Args:
        client: reads operations.
        wait: the deadline of the whole change.
        clock: what pauses are measured by.
        hint: what to do when it comes to nothing, and no refusal tells better.
        doubt: how long to look, after an answer that tells nothing, before it is sent again.
    """

    def __init__(
        self,
        client: ServicesClient,
        wait: Wait,
        clock: Clock,
        hint: str,
        doubt: timedelta = timedelta(),
    ) -> None:
        self.possible = self.accepted = False
        self.following = Following(client)
        self._client = client
        self._wait = wait
        self._clock = clock
        self.hint = hint
        self._doubt = doubt
        self._pause = _FIRST_PAUSE
        self._due = clock.now()
        self._refusal: GoogleAPICallError | None = None
        self._trouble: GoogleAPICallError | None = None

    @property
    def due(self) -> bool:
        """Whether it may be sent (again) by now."""
        return self._clock.now() >= self._due

    @property
    def answer_seconds(self) -> float:
        """How long one call may take: less when there is little time left for all of it."""
        return min(ANSWER_SECONDS, max(self._wait.left.total_seconds(), 1.0))

    def send(self, request: Request) -> Operation | None:
        """Send once; None where it was not taken. What no repetition can mend is raised."""
        try:
            begun = request(self.answer_seconds)
        except TRANSIENT as error:
            self._refused(error)
            return None
        except AlreadyExists as error:
            # What exists may be what an earlier request has made, whose answer was lost.
            if not self.possible:
                raise
            self._refused(error)
            return None
        self.possible = self.accepted = True
        self._refusal = None
        self.following = Following(self._client, begun)
        return begun

    def look(self) -> None:
        """Ask the operation how far it is."""
        self.following.look(self.answer_seconds)

    def until(self, attempt: Callable[[], _Found | None], seen: Callable[[], str]) -> _Found:
        """As Wait has it; an attempt in which a call is refused for now has found nothing."""

        def tried() -> _Found | None:
            self._trouble = None
            try:
                return attempt()
            except TRANSIENT as error:
                self._trouble = error
                return None

        return self._wait.until(tried, lambda: self._seen(seen()), self._remedy)

    def _seen(self, state: str) -> str:
        trouble = self._trouble or self._refusal
        return f"{state}; last answer {told(trouble)}" if trouble else state

    def _remedy(self) -> str:
        return remedy(self._trouble or self._refusal) or self.hint

    def _refused(self, error: GoogleAPICallError) -> None:
        self._refusal = error
        undone = isinstance(error, UNDONE)
        self.possible = self.possible or not undone
        self._due = self._clock.now() + (self._pause if undone else max(self._pause, self._doubt))
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
