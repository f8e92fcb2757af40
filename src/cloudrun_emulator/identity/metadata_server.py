"""The metadata server of Google's machines, as far as identities go.

Source: https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys
"""

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from urllib.parse import parse_qs, unquote, urlsplit

from cloudrun_emulator.identity.tokens import LIFETIME, OWNER, Issuer
from cloudrun_emulator.server.rest import LoopbackServer

FLAVOR = "Metadata-Flavor"
PROJECT = "local-cloud"

_ROOT = "/computeMetadata/v1"
_ACCOUNT_PATH = re.compile(
    rf"{_ROOT}/instance/service-accounts/(default|[^/@]+@[^/@]+)/(identity|token|email|scopes|)"
)
_SCOPES = "https://www.googleapis.com/auth/cloud-platform"


@dataclass(frozen=True, slots=True)
class MetadataResponse:
    """A status, and text of the media type `kind`."""

    status: HTTPStatus
    text: str
    kind: str = "application/text"


class MetadataServer:
    """Speaks for `default`, who is the owner, and for whatever other account is named by e-mail.

    `address` is `127.0.0.1:PORT`, what GCE_METADATA_HOST and GCE_METADATA_IP take.
    """

    def __init__(self, issuer: Issuer) -> None:
        self._serving = LoopbackServer(_MetadataHttpServer(issuer))
        self.address = self._serving.address

    def close(self) -> None:
        self._serving.close()


def metadata_response(issuer: Issuer, path: str, query: dict[str, list[str]]) -> MetadataResponse:
    """Return what is known at a path; 404 where nothing is."""
    if path == "/":
        return MetadataResponse(HTTPStatus.OK, "computeMetadata/\n")
    if path == f"{_ROOT}/project/project-id":
        return MetadataResponse(HTTPStatus.OK, PROJECT)
    asked = _ACCOUNT_PATH.fullmatch(path)
    if asked is None:
        return MetadataResponse(HTTPStatus.NOT_FOUND, "not here\n")
    email = OWNER if asked[1] == "default" else asked[1]
    return _account_metadata(issuer, email, asked[2], query)


def _account_metadata(
    issuer: Issuer, email: str, what: str, query: dict[str, list[str]]
) -> MetadataResponse:
    match what:
        case "identity":
            return _identity(issuer, email, query.get("audience", [""])[0])
        case "token":
            return _json_response(_access_token())
        case "email":
            return MetadataResponse(HTTPStatus.OK, email)
        case "scopes":
            return MetadataResponse(HTTPStatus.OK, _SCOPES)
    return _json_response({"aliases": ["default"], "email": email, "scopes": [_SCOPES]})


def _identity(issuer: Issuer, email: str, audience: str) -> MetadataResponse:
    """Return a token with the e-mail address in both formats [?: documented for `full` alone]."""
    if not audience:
        return MetadataResponse(HTTPStatus.BAD_REQUEST, "non-empty audience parameter required\n")
    return MetadataResponse(HTTPStatus.OK, issuer.token(email, audience))


def _access_token() -> dict[str, object]:
    """Good for nothing: the local cloud's own APIs ask for none."""
    seconds = int(LIFETIME.total_seconds())
    return {"access_token": token_urlsafe(), "expires_in": seconds, "token_type": "Bearer"}


def _json_response(response: dict[str, object]) -> MetadataResponse:
    return MetadataResponse(HTTPStatus.OK, json.dumps(response), "application/json")


class _MetadataHttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, issuer: Issuer) -> None:
        super().__init__(("127.0.0.1", 0), _MetadataConnection)
        self.issuer = issuer


class _MetadataConnection(BaseHTTPRequestHandler):
    """Serves one request a connection."""

    server: _MetadataHttpServer
    timeout = 5

    def do_GET(self) -> None:
        try:
            url = urlsplit(self.path)
        except ValueError:
            self._send(MetadataResponse(HTTPStatus.BAD_REQUEST, "not a path\n"))
            return
        if self._is_meant():
            response = metadata_response(self.server.issuer, unquote(url.path), parse_qs(url.query))
        else:
            response = MetadataResponse(
                HTTPStatus.FORBIDDEN, f"needs the header {FLAVOR}: Google\n"
            )
        self._send(response)

    def _is_meant(self) -> bool:
        """A page in somebody's browser cannot set that header, and a proxy adds the other."""
        return self.headers.get(FLAVOR) == "Google" and "X-Forwarded-For" not in self.headers

    def _send(self, response: MetadataResponse) -> None:
        content = response.text.encode()
        self.send_response(response.status)
        self.send_header(FLAVOR, "Google")
        self.send_header("Content-Type", response.kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""
