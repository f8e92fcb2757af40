"""Whose credentials a release works with, and what they allow."""

from collections.abc import Sequence
from itertools import islice

from google.auth.credentials import Credentials
from google.auth.transport.requests import Request

from greenrun.adapters.gcp.calls import ANSWER_SECONDS, PATIENT, refused
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.credentials import application_default
from greenrun.model.plan import Location

_AT_ONCE = 100  # more permissions than that are refused


class GoogleAccess:
    """Application Default Credentials, and their permissions in one project."""

    def __init__(self, clients: GoogleClients, place: Location) -> None:
        self._clients = clients
        self._project = place.project

    def account(self) -> str:
        """An address where the credentials tell one, else what kind of credentials they are.

        Raises CallFailed where there are none. Emulators ask for none.
        """
        if self._clients.emulated:
            return "nobody (emulator)"
        with refused("find out whose credentials these are"):
            return _account_of(application_default("find out whose credentials these are"))

    def missing(self, permissions: Sequence[str]) -> Sequence[str]:
        """Those of the permissions that the account does not have in the project as a whole.

        What was granted on a single service, secret or repository is not seen.
        Source: https://cloud.google.com/resource-manager/reference/rest/v3/projects/testIamPermissions
        """
        granted: set[str] = set()
        rest = iter(permissions)
        while asked := list(islice(rest, _AT_ONCE)):
            granted.update(self._granted(asked))
        return [permission for permission in permissions if permission not in granted]

    def _granted(self, permissions: list[str]) -> Sequence[str]:
        name = f"projects/{self._project}"
        with refused(f"ask what {name} permits"):
            answer = self._clients.projects.test_iam_permissions(
                resource=name, permissions=permissions, retry=PATIENT, timeout=ANSWER_SECONDS
            )
        return list(answer.permissions)


def _account_of(credentials: Credentials) -> str:
    if getattr(credentials, "service_account_email", "") == "default":
        # On Google's own machines the metadata server knows who "default" is.
        credentials.refresh(Request())  # type: ignore[no-untyped-call] # bare in the package
    named = (getattr(credentials, name, "") for name in ("service_account_email", "account"))
    kind = f"{type(credentials).__module__}.{type(credentials).__name__}"
    return next(filter(None, named), f"credentials without a name ({kind})")
