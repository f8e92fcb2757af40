"""Calls of Google's APIs: repeated while that may help, followed to their effect, or refused.

Cloud Run's answers are witnesses, not proof: a call may be carried out and its answer be lost, its
operation may stay silent for ever, a reading may be older than the one before.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from types import MappingProxyType
from typing import ParamSpec, TypeAlias, TypeVar

from google.api_core.exceptions import (
    Aborted,
    AlreadyExists,
    Cancelled,
    DeadlineExceeded,
    FailedPrecondition,
    GoogleAPICallError,
    InternalServerError,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    RetryError,
    ServiceUnavailable,
    Unauthenticated,
    Unknown,
    from_grpc_status,
)
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud.run_v2 import ServicesClient
from google.longrunning import operations_pb2

from greenrun.adapters.gcp.clients import LOG_IN, EmulatorEnded
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import Clock
from greenrun.model.polling import Backoff, Wait

_Found = TypeVar("_Found")
_Parameters = ParamSpec("_Parameters")

Operation: TypeAlias = operations_pb2.Operation
Request: TypeAlias = Callable[[float], Operation]
"""One request that begins an operation; its argument is the time for the answer, in seconds."""

ANSWER_SECONDS = 10.0
"""How long one call may take; several of Google's methods would wait for ever by themselves."""

TRANSIENT = (
    ServiceUnavailable,
    DeadlineExceeded,
    Aborted,
    ResourceExhausted,
    InternalServerError,
    Unknown,
    Cancelled,
)
"""What the same call may not answer the next time. A change may have been carried out."""

DOUBTFUL = (Unauthenticated, FailedPrecondition, NotFound)
"""What is believed only once it is said again: a token that has just lapsed, a state that is about
to change, a replica that does not know yet what another one has told."""

_DOUBTS = 3
"""How many doubtful answers in a row are borne; the next one is believed."""

_NOT_CARRIED_OUT = (Aborted, ResourceExhausted, *DOUBTFUL)
"""Refusals which say that nothing was done."""

_SEND_BACKOFF = Backoff(timedelta(milliseconds=100), timedelta(seconds=5))

_HINTS: Mapping[type[BaseException], str] = MappingProxyType(
    {
        Unauthenticated: LOG_IN,
        PermissionDenied: "grant the identity that runs the release the missing permission",
        ServiceUnavailable: "see that the address can be reached from here, then try again",
        DeadlineExceeded: "see that the address can be reached from here, then try again",
        Aborted: "somebody else changed it at the same time; look at it, then try again",
        ResourceExhausted: "a quota is used up: wait, or ask for a higher one, then try again",
        InternalServerError: "look at https://status.cloud.google.com, then try again",
        EmulatorEnded: "start it again; what it held is lost",
        InvalidArgument: "correct what release.yaml asks for",
    }
)


class Forbearance:
    """Tells whether an answer may be another one the next time; of one call, or of one change."""

    def __init__(self) -> None:
        self._doubts = 0

    def bears(self, error: Exception) -> bool:
        """Whether to try again after this answer; of doubtful ones only so many in a row."""
        if isinstance(error, EmulatorEnded):
            return False
        if isinstance(error, DOUBTFUL):
            self._doubts += 1
            return self._doubts <= _DOUBTS
        return isinstance(error, TRANSIENT)

    def forget(self) -> None:
        """An answer that says yes ends the row of doubtful ones."""
        self._doubts = 0


class Patience(Retry):
    """A `retry=` for calls that may be made twice: each call has a forbearance of its own."""

    def __call__(
        self,
        func: Callable[_Parameters, _Found],
        on_error: Callable[[Exception], object] | None = None,
    ) -> Callable[_Parameters, _Found]:
        """Wrap a callable."""

        @wraps(func)
        def patient(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Found:
            retry = self.with_predicate(Forbearance().bears)
            return Retry.__call__(retry, func, on_error)(*args, **kwargs)

        return patient


PATIENT = Patience(initial=0.1, maximum=1.0, timeout=60.0)
"""For calls that may be made twice: those that read, and those that only say what shall be. In 60 s
a connection that was lost without a word has been found out."""


class RetryingCall:
    """One change on its way. Whoever sends it looks, before each time, whether it is there already.

    `possible` is whether a request may have been carried out, `accepted` whether one was answered
    so, `progress` the operation that it was answered with.

    Args:
        client: reads operations.
        wait: the deadline of the whole change.
        clock: what pauses are measured by.
        hint: what to do when it comes to nothing, and no refusal knows better.
        doubt: how long to look, after an answer that says nothing, before it is sent again.
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
        self.progress = OperationProgress(client)
        self.hint = hint
        self._client = client
        self._wait = wait
        self._clock = clock
        self._doubt = doubt
        self._pauses = iter(_SEND_BACKOFF)
        self._due = clock.monotonic()
        self._forbearance = Forbearance()
        self._send_refusal: GoogleAPICallError | None = None
        self._read_refusal: GoogleAPICallError | None = None

    @property
    def due(self) -> bool:
        """Whether it may be sent (again) by now."""
        return self._clock.monotonic() >= self._due

    @property
    def answer_seconds(self) -> float:
        """How long one call may take: less when there is little time left for all of it."""
        return min(ANSWER_SECONDS, max(self._wait.left.total_seconds(), 1.0))

    def send(self, request: Request) -> Operation | None:
        """Send once; None where it was not taken. What no repetition can mend is raised."""
        try:
            begun = request(self.answer_seconds)
        except GoogleAPICallError as error:
            # What exists may be what an earlier request has made, whose answer was lost.
            own = isinstance(error, AlreadyExists) and self.possible
            if not (own or self._forbearance.bears(error)):
                raise
            self._postpone(error)
            return None
        self.possible = self.accepted = True
        self._send_refusal = None
        self._forbearance.forget()
        self.progress = OperationProgress(self._client, begun)
        return begun

    def refresh(self) -> None:
        """Look how far the operation is."""
        self.progress.refresh(self.answer_seconds)

    def until(self, attempt: Callable[[], _Found | None], seen: Callable[[], str]) -> _Found:
        """As Wait has it; an attempt in which a reading is refused for now has found nothing."""

        def tried() -> _Found | None:
            self._read_refusal = None
            try:
                found = attempt()
            except GoogleAPICallError as error:
                if not self._forbearance.bears(error):
                    raise
                self._read_refusal = error
                return None
            if not self._send_refusal:
                self._forbearance.forget()
            return found

        return self._wait.until(tried, lambda: self._seen(seen()), self._remedy)

    def _postpone(self, error: GoogleAPICallError) -> None:
        self._send_refusal = error
        undone = isinstance(error, _NOT_CARRIED_OUT)
        self.possible = self.possible or not undone
        pause = next(self._pauses)
        self._due = self._clock.monotonic() + (pause if undone else max(pause, self._doubt))

    def _seen(self, state: str) -> str:
        refusal = self._read_refusal or self._send_refusal
        return f"{state}; last answer {described(refusal)}" if refusal else state

    def _remedy(self) -> str:
        return remedy(self._read_refusal or self._send_refusal) or self.hint


class OperationProgress:
    """The word of a long-running operation on its work, beside what the work itself shows.

    It may stay silent for ever, or not be readable for us at all: neither is a failure.
    Any client of Cloud Run can read any operation of it. The polling of `google.api_core` starts
    at a second and grows to twenty, which is too slow for a rollback.
    """

    def __init__(self, client: ServicesClient, begun: Operation | None = None) -> None:
        self._client = client
        self._operation = begun

    def refresh(self, timeout: float) -> None:
        """Read it once; no answer changes nothing."""
        if self._operation is None or self._operation.done:
            return
        request = operations_pb2.GetOperationRequest(name=self._operation.name)
        try:
            self._operation = self._client.get_operation(request, retry=None, timeout=timeout)
        except GoogleAPICallError:
            return

    @property
    def succeeded(self) -> bool:
        """Whether it has ended with a response."""
        return self._operation is not None and self._operation.done and self.error is None

    @property
    def error(self) -> GoogleAPICallError | None:
        """Its end, as the error of a call would be."""
        if self._operation is None or not self._operation.HasField("error"):
            return None
        status = self._operation.error
        error: GoogleAPICallError = from_grpc_status(status.code, status.message)  # type: ignore[no-untyped-call] # bare there
        return error


@dataclass(frozen=True)
class Removal:
    """One resource that shall not be; to send it again does no harm.

    `what` completes `could not ...`, and names the call. `read` raises NotFound once it is gone;
    its argument is the time for the answer, in seconds.
    """

    what: str
    delete: Request
    read: Callable[[float], object]

    def carry_out(self, call: RetryingCall) -> None:
        """Send it, and wait until there is nothing. Raises CallFailed, DeadlineExceeded."""
        with refused(self.what, call.hint):
            call.until(lambda: self._taken(call), lambda: "it is there")
            call.until(lambda: self._gone(call), lambda: "it is there still")

    def _taken(self, call: RetryingCall) -> Operation | None:
        return call.send(self._delete) if call.due else None

    def _delete(self, timeout: float) -> Operation:
        try:
            return self.delete(timeout)
        except NotFound:
            return Operation(done=True)

    def _gone(self, call: RetryingCall) -> bool | None:
        if call.progress.succeeded:
            return True
        try:
            self.read(call.answer_seconds)
        except NotFound:
            return True
        if call.progress.error:
            raise refusal(self.what, call.progress.error, call.hint)
        call.refresh()
        return None


@contextmanager
def refused(what: str, hint: str = "") -> Iterator[None]:
    """Translate the errors of Google's clients; `what` completes `could not ...`.

    `hint` serves where the code alone says nothing better.
    """
    try:
        yield
    except GoogleAPICallError as error:
        raise refusal(what, error, hint) from error
    except RetryError as error:
        raise CallFailed(
            f"could not {what}: got no answer, last {error.cause}",
            hint=remedy(error.cause) or _HINTS[ServiceUnavailable],
        ) from error
    except GoogleAuthError as error:
        raise CallFailed(f"could not {what}: got {error}", hint=_HINTS[Unauthenticated]) from error


def refusal(what: str, error: GoogleAPICallError, hint: str = "") -> CallFailed:
    """A refusal as ours; `hint` serves where the code alone says nothing better."""
    return CallFailed(f"could not {what}: got {described(error)}", hint=remedy(error) or hint)


def described(error: GoogleAPICallError) -> str:
    """A refusal in a line: its code and its message."""
    code = error.grpc_status_code
    return f"{code.name if code is not None else error.code}: {error.message}"


def remedy(error: BaseException | None) -> str:
    """The thing to do about a refusal, as far as its code alone says."""
    if isinstance(error, PermissionDenied) and error.reason == "SERVICE_DISABLED":
        return f"gcloud services enable {(error.metadata or {}).get('service', 'SERVICE')}"
    return _HINTS.get(type(error), "") if error else ""
