"""Deletion of whatever Cloud Run holds, until it is gone."""

from collections.abc import Callable
from dataclasses import dataclass

from google.api_core.exceptions import NotFound

from greenrun.adapters.gcp.calls import refusal, refused
from greenrun.adapters.gcp.run.retrying_call import Request, RetryingCall

Look = Callable[[float], object]
"""Reads it, within that many seconds; raises NotFound once it is gone."""


@dataclass(frozen=True)
class Removal:
    """One resource that shall not be; to send it again does no harm.

    `what` completes `could not ...`, and names the call.
    """

    what: str
    delete: Request
    look: Look

    def make(self, sending: RetryingCall) -> None:
        """Send it, and wait until there is nothing. Raises CallFailed, DeadlineExceeded."""
        with refused(self.what, sending.hint):
            sending.until(lambda: self._taken(sending), lambda: "it is there")
            sending.until(lambda: self._gone(sending), lambda: "it is there still")

    def _taken(self, sending: RetryingCall) -> bool | None:
        if not sending.due:
            return None
        try:
            return sending.send(self.delete) or None
        except NotFound:
            return True

    def _gone(self, sending: RetryingCall) -> bool | None:
        if sending.following.succeeded:
            return True
        try:
            self.look(sending.answer_seconds)
        except NotFound:
            return True
        if sending.following.error:
            raise refusal(self.what, sending.following.error, sending.hint)
        sending.look()
        return None
