"""Calls of Google's APIs: how long, how often, and their refusals told as ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

from google.api_core.exceptions import (
    Aborted,
    GoogleAPICallError,
    PermissionDenied,
    RetryError,
    ServiceUnavailable,
    Unauthenticated,
)
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import GoogleAuthError

from greenrun.errors import CallFailed

_HINTS = MappingProxyType(
    {
        Unauthenticated: "gcloud auth application-default login",
        PermissionDenied: "grant the identity that runs the release the missing permission",
        ServiceUnavailable: "see that the address can be reached from here, then try again",
        Aborted: "somebody else changed it at the same time; look at it, then try again",
    }
)

ANSWER_SECONDS = 15.0
"""How long one call may take; several of Google's methods would wait for ever by themselves."""

PATIENT = Retry(
    predicate=if_exception_type(ServiceUnavailable),
    initial=0.1,
    maximum=1.0,
    timeout=ANSWER_SECONDS,
)
"""For calls that may be made twice: those that read, and those that only say what shall be."""


@contextmanager
def refused(what: str) -> Iterator[None]:
    """Translate what Google's clients raise; `what` completes `could not ...`."""
    try:
        yield
    except GoogleAPICallError as error:
        raise CallFailed(
            f"could not {what}: got {_code(error)}: {error.message}",
            hint=_HINTS.get(type(error), ""),
        ) from error
    except RetryError as error:
        raise CallFailed(
            f"could not {what}: got no answer, last {error.cause}", hint=_HINTS[ServiceUnavailable]
        ) from error
    except GoogleAuthError as error:
        raise CallFailed(f"could not {what}: got {error}", hint=_HINTS[Unauthenticated]) from error


def _code(error: GoogleAPICallError) -> str:
    code = error.grpc_status_code
    return code.name if code is not None else str(error.code)
