import pytest
from google.api_core import exceptions
from google.auth.exceptions import RefreshError
from google.rpc.error_details_pb2 import ErrorInfo

from greenrun.adapters.gcp.calls import refused
from greenrun.model.errors import CallFailed


def disabled() -> exceptions.PermissionDenied:
    """What Google answers where an API is not enabled."""
    info = ErrorInfo(reason="SERVICE_DISABLED", metadata={"service": "run.googleapis.com"})
    return exceptions.PermissionDenied("it is disabled", details=[info], error_info=info)  # type: ignore[no-untyped-call] # bare there


@pytest.mark.parametrize(
    ("raised", "message", "hint"),
    [
        (
            exceptions.NotFound("no such thing"),  # type: ignore[no-untyped-call] # bare there
            "could not read it: got NOT_FOUND: no such thing",
            "",
        ),
        (
            exceptions.PermissionDenied("run.services.get"),  # type: ignore[no-untyped-call] # bare there
            "could not read it: got PERMISSION_DENIED: run.services.get",
            "grant the identity that runs the release the missing permission",
        ),
        (
            disabled(),
            "could not read it: got PERMISSION_DENIED: it is disabled",
            "gcloud services enable run.googleapis.com",
        ),
        (
            exceptions.Aborted("stale etag"),  # type: ignore[no-untyped-call] # bare there
            "could not read it: got ABORTED: stale etag",
            "somebody else changed it at the same time; look at it, then try again",
        ),
        (
            exceptions.RetryError("too long", exceptions.ServiceUnavailable("nobody there")),  # type: ignore[no-untyped-call] # bare there
            "could not read it: got no answer, last 503 nobody there",
            "see that the address can be reached from here, then try again",
        ),
        (
            RefreshError("reauthentication is needed"),  # type: ignore[no-untyped-call] # bare there
            "could not read it: got reauthentication is needed",
            "gcloud auth application-default login",
        ),
    ],
)
def test_refusals_are_told_as_ours(raised: Exception, message: str, hint: str) -> None:
    with pytest.raises(CallFailed) as failed, refused("read it"):
        raise raised
    assert (failed.value.message, failed.value.hint) == (message, hint)
    assert failed.value.__cause__ is raised


def test_what_is_no_refusal_passes() -> None:
    with pytest.raises(KeyError), refused("read it"):
        raise KeyError("ours")
