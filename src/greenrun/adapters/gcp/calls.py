"""Calls of Google's APIs: how long, how often, and their refusals told as ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from google.api_core.exceptions import (
    Aborted,
    DeadlineExceeded,
    GoogleAPICallError,
    InternalServerError,
    InvalidArgument,
    PermissionDenied,
    ResourceExhausted,
    RetryError,
    ServiceUnavailable,
    Unauthenticated,
)
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import GoogleAuthError

from greenrun.adapters.gcp.credentials import LOG_IN
from greenrun.adapters.gcp.emulators import EmulatorEnded
from greenrun.model.errors import CallFailed

TRANSIENT = (
    ServiceUnavailable,
    DeadlineExceeded,
    Aborted,
    ResourceExhausted,
    InternalServerError,
)
"""What the same call may not answer the next time. A change may have been carried out."""

UNDONE = (Aborted, ResourceExhausted)
"""Those of them that say that nothing was carried out."""

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

ANSWER_SECONDS = 10.0
"""How long one call may take; several of Google's methods would wait for ever by themselves."""

_PATIENCE_SECONDS = 60.0
"""Longer than it takes to find out a connection that was lost without a word."""

PATIENT = Retry(
    predicate=if_exception_type(*TRANSIENT),
    initial=0.1,
    maximum=1.0,
    timeout=_PATIENCE_SECONDS,
)
"""For calls that may be made twice: those that read, and those that only say what shall be."""


@contextmanager
def refused(what: str, hint: str = "") -> Iterator[None]:
    """Translate what Google's clients raise; `what` completes `could not ...`.

    `hint` serves where the code alone tells nothing better.
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
    """A refusal as ours; `hint` serves where the code alone tells nothing better."""
    return CallFailed(f"could not {what}: got {told(error)}", hint=remedy(error) or hint)


def told(error: GoogleAPICallError) -> str:
    """A refusal in a line: its code and its message."""
    code = error.grpc_status_code
    return f"{code.name if code is not None else error.code}: {error.message}"


def remedy(error: BaseException | None) -> str:
    """What to do about a refusal, as far as its code alone tells."""
    return _HINTS.get(type(error), "") if error else ""
