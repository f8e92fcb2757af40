"""Whose credentials a release works with, what they allow, and the tokens that they mint."""

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import islice
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import requests
from google.auth import compute_engine, external_account, impersonated_credentials
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError
from google.auth.transport.requests import Request
from google.oauth2.id_token import fetch_id_token_credentials

from greenrun.adapters.gcp.calls import ANSWER_SECONDS, PATIENT, refused
from greenrun.adapters.gcp.clients import LOG_IN, SCOPES, GoogleClients, application_default
from greenrun.model.errors import CallFailed
from greenrun.model.plan import Location

_AT_ONCE = 100  # more permissions than that are refused
_IMPERSONATE = f"{LOG_IN} --impersonate-service-account=ACCOUNT"
_WHAT = "get an identity token"


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


class IdentityTokens:
    """Tokens for one audience, each kept until it is about to lapse; threads may share them.

    Args:
        audience: asked for once, with the first token. For Cloud Run it is the URL of the
            service, also where a revision is called by its tag.
        metadata_server: `HOST:PORT` of an emulated one. It alone is asked then, and is told
            nothing of the credentials of this machine.

    Source: https://cloud.google.com/run/docs/authenticating/service-to-service
    """

    def __init__(self, audience: Callable[[], str], metadata_server: str = "") -> None:
        self._audience = audience
        self._emulated = bool(metadata_server)
        self._request = _RequestTo(metadata_server) if metadata_server else Request()
        self._one_by_one = Lock()

    def token(self) -> str:
        """A token that is valid. Raises CallFailed where these credentials cannot mint any."""
        with self._one_by_one:
            if not self._credentials.valid:
                with refused(_WHAT):
                    self._credentials.refresh(self._request)  # type: ignore[no-untyped-call] # bare
            return str(self._credentials.token)

    @cached_property
    def _credentials(self) -> Credentials:
        audience = self._audience()
        if self._emulated:
            return _metadata_servers(audience, self._request)
        return _minting(application_default(_WHAT), audience)


class _RequestTo(Request):
    """Asks one server for what the metadata server of Google's machines is asked for.

    google-auth takes its address from variables of the whole process, which is one and the same for
    a rehearsal and for the release after it.
    """

    def __init__(self, address: str) -> None:
        session = requests.Session()
        session.trust_env = False  # no proxy, and nothing of a netrc file
        super().__init__(session)
        self._address = address

    def __call__(self, url: str, *others: Any, **more: Any) -> Any:  # noqa: ANN401 - as the package has it
        there = urlsplit(url)._replace(scheme="http", netloc=self._address).geturl()
        return super().__call__(there, *others, **more)  # type: ignore[no-untyped-call] # bare


def _metadata_servers(audience: str, request: Request) -> Credentials:
    with refused(_WHAT):
        minting: Credentials = compute_engine.IDTokenCredentials(  # type: ignore[no-untyped-call] # bare
            request, audience, use_metadata_identity_endpoint=True, bind_id_token=False
        )
    return minting


def _minting(own: Credentials, audience: str) -> Credentials:
    """Credentials whose token is an identity token.

    A service account vouches for itself, by its key or by the metadata server of Google's machines;
    for an impersonated one, and for a workload of another cloud, Google does.
    """
    if isinstance(own, external_account.Credentials) and own.service_account_email:
        own = impersonated_credentials.Credentials(  # type: ignore[no-untyped-call] # bare
            own, own.service_account_email, SCOPES
        )
    if isinstance(own, impersonated_credentials.Credentials):
        return impersonated_credentials.IDTokenCredentials(  # type: ignore[no-untyped-call] # bare
            own, audience, include_email=True
        )
    if not hasattr(own, "service_account_email") or isinstance(own, external_account.Credentials):
        raise _cannot(own)
    with refused(_WHAT, _IMPERSONATE):
        try:
            minting: Credentials = fetch_id_token_credentials(audience)  # type: ignore[no-untyped-call] # bare
        except DefaultCredentialsError as error:
            raise _cannot(own) from error
    return minting


def _cannot(own: Credentials) -> CallFailed:
    kind = f"{type(own).__module__}.{type(own).__name__}"
    return CallFailed(
        f"could not {_WHAT}: got {kind}, which cannot mint one, needs a service account",
        hint=_IMPERSONATE,
    )
