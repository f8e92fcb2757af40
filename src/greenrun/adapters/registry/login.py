"""Credentials for a registry, and how it is told them.

They are Google's, or what `docker login` has kept on this machine.
"""

import re
import warnings
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.request import parse_http_list, parse_keqv_list

import httpx
from docker.auth import load_config
from docker.errors import DockerException
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from greenrun.adapters.gcp.clients import LOG_IN, application_default
from greenrun.adapters.registry.address import Address, is_loopback, shortened
from greenrun.model.errors import CallFailed

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

_GOOGLE_USER = "oauth2accesstoken"

_MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OSError)
"""What docker's own reader of config.json lets out for one that it does not expect."""

_TOKEN = re.compile(r"[!-~]{1,16000}")
_Exchange = Generator[httpx.Request, httpx.Response, None]


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password; or, with neither, a token that stands for them."""

    user: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    def for_engine(self) -> Mapping[str, str]:
        """As engines want it with a push."""
        if self.identity_token:
            return {"identitytoken": self.identity_token}
        return {"username": self.user, "password": self.password}


Logins = Callable[[Address], Login | None]
"""Who we are at an address; None where nobody has to say. Raises CallFailed without credentials."""


class MachineLogins:
    """What this machine has: nothing is asked for on loopback, and Google's tokens stay fresh."""

    def __init__(self) -> None:
        self._google: Credentials | None = None

    def __call__(self, address: Address) -> Login | None:
        """Raises CallFailed where the credentials that there should be cannot be had."""
        if address.is_loopback:
            return None
        return self._of_google(address) if address.is_google else engine_login(address)

    def _of_google(self, address: Address) -> Login:
        """As https://cloud.google.com/artifact-registry/docs/docker/authentication has it."""
        if self._google is None:
            self._google = application_default(f"log in to {address.host}")
        try:
            if not self._google.valid:
                self._google.refresh(Request())  # type: ignore[no-untyped-call]  # bare in the package
        except GoogleAuthError as error:
            raise CallFailed(
                f"could not log in to {address.host}: got {_first_line(error)}, "
                "needs Google credentials",
                hint=LOG_IN,
            ) from error
        return Login(_GOOGLE_USER, str(self._google.token))


def engine_login(address: Address) -> Login | None:
    """What `docker login` has kept, or what the helper of this registry alone says.

    Raises CallFailed where that cannot be read.
    """
    try:
        with warnings.catch_warnings():  # that there is no such helper
            warnings.simplefilter("ignore", UserWarning)
            found = load_config().resolve_authconfig(address.host)
        return _login_of(found or {})
    except (DockerException, *_MALFORMED) as error:
        raise CallFailed(
            f"could not log in to {address.host}: got {_first_line(error)}, "
            "needs what `docker login` keeps",
            hint=f"docker login {address.host}",
        ) from error


def _login_of(kept: Mapping[str, object]) -> Login | None:
    known = {name.lower(): text for name, text in kept.items() if text}
    wanted = [known.get(name, "") for name in ("username", "password", "identitytoken")]
    if not all(isinstance(text, str) for text in wanted):
        raise TypeError("a login that is no text")
    user, password, token = map(str, wanted)
    return Login(user, password, token) if user or token else None


def _first_line(error: Exception) -> str:
    return shortened(str(error).partition("\n")[0]) or type(error).__name__


class Challenged(httpx.Auth):
    """Says who we are once it is asked, by `Basic` or for a `Bearer` token.

    Source: https://distribution.github.io/distribution/spec/auth/token. What a realm is told goes
    to nobody else, and never without encryption but on loopback.
    """

    requires_response_body = True

    def __init__(self, login: Login | None, address: Address) -> None:
        self._login = login
        self._address = address

    def auth_flow(self, request: httpx.Request) -> _Exchange:
        """Ask without, then again with what the answer wants.

        Raises CallFailed for a challenge, or a token, that cannot be read.
        """
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        scheme, _, rest = response.headers.get("www-authenticate", "").partition(" ")
        if scheme.lower() == "bearer":
            asking = self._token_request(self._challenge_in(rest))
            asking.extensions = request.extensions  # its deadlines among them
            given = yield asking
            if given.is_success:
                request.headers["authorization"] = f"Bearer {self._token_in(given)}"
                yield request
        elif scheme.lower() == "basic" and self._login is not None:
            request.headers["authorization"] = self._basic(self._login)
            yield request

    def _challenge_in(self, text: str) -> dict[str, str]:
        try:
            challenge = parse_keqv_list(parse_http_list(text))
            httpx.URL(challenge["realm"])
        except (ValueError, IndexError, KeyError, httpx.InvalidURL) as error:
            raise self._unreadable(f"the challenge {shortened(text)!r}", "a realm") from error
        return challenge

    def _token_in(self, given: httpx.Response) -> str:
        try:
            found = given.json()
            token = found.get("token") or found.get("access_token", "")
        except (ValueError, AttributeError, RecursionError):
            token = None
        if isinstance(token, str) and (not token or _TOKEN.fullmatch(token)):
            return token
        raise self._unreadable("an answer without a token", "JSON with a token of ASCII letters")

    def _unreadable(self, got: str, needs: str) -> CallFailed:
        return CallFailed(f"could not log in to {self._address.host}: got {got}, needs {needs}")

    def _token_request(self, challenge: dict[str, str]) -> httpx.Request:
        realm = httpx.URL(challenge["realm"])
        asked = {name: text for name, text in challenge.items() if name in {"service", "scope"}}
        if self._login is None or not (realm.scheme == "https" or is_loopback(realm.host)):
            return httpx.Request("GET", realm, params=asked)
        if self._login.identity_token:
            grant = {"grant_type": "refresh_token", "refresh_token": self._login.identity_token}
            return httpx.Request("POST", realm, data={**asked, **grant, "client_id": "greenrun"})
        headers = {"authorization": self._basic(self._login)}
        return httpx.Request("GET", realm, params=asked, headers=headers)

    def _basic(self, login: Login) -> str:
        pair = httpx.BasicAuth(login.user, login.password)
        spoken = next(pair.auth_flow(httpx.Request("GET", "http://nowhere")))
        return str(spoken.headers["authorization"])
