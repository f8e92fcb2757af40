"""Google identity tokens: who we are, told to one service that not everybody may call."""

from collections.abc import Callable
from functools import cached_property
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import requests
from google.auth import compute_engine, external_account, impersonated_credentials
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError
from google.auth.transport.requests import Request
from google.oauth2.id_token import fetch_id_token_credentials

from greenrun.adapters.gcp.calls import refused
from greenrun.adapters.gcp.credentials import LOG_IN, SCOPES, application_default
from greenrun.model.errors import CallFailed

_IMPERSONATE = f"{LOG_IN} --impersonate-service-account=ACCOUNT"
_WHAT = "get an identity token"


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
