"""How a registry asks who we are, and how it is answered."""

from collections.abc import Generator
from urllib.request import parse_http_list, parse_keqv_list

import httpx

from greenrun.adapters.registry.address import is_loopback
from greenrun.adapters.registry.login import Login

_Exchange = Generator[httpx.Request, httpx.Response, None]


class Challenged(httpx.Auth):
    """Says who we are once it is asked, by `Basic` or for a `Bearer` token.

    Source: https://distribution.github.io/distribution/spec/auth/token. What a realm is told goes
    to nobody else, and never without encryption but on loopback.
    """

    requires_response_body = True

    def __init__(self, login: Login | None) -> None:
        self._login = login

    def auth_flow(self, request: httpx.Request) -> _Exchange:
        """Ask without, then again with what the answer wants."""
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        scheme, _, rest = response.headers.get("www-authenticate", "").partition(" ")
        if scheme.lower() == "bearer":
            asking = self._token_request(parse_keqv_list(parse_http_list(rest)))
            asking.extensions = request.extensions  # its deadlines among them
            given = yield asking
            if given.is_success:
                request.headers["authorization"] = f"Bearer {_token(given)}"
                yield request
        elif scheme.lower() == "basic" and self._login is not None:
            request.headers["authorization"] = self._basic(self._login)
            yield request

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


def _token(given: httpx.Response) -> str:
    found = given.json()
    return str(found.get("token") or found.get("access_token", ""))
