"""Identity tokens, minted with a service account's key by a token server that remembers."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from cloudrun_emulator.identity.metadata_server import MetadataServer
from cloudrun_emulator.identity.tokens import OWNER, Issuer
from greenrun.adapters.gcp.access import IdentityTokens
from greenrun.model.errors import CallFailed

AUDIENCE = "https://shop.example.run.app"
ROBOT = "release@shop-project.iam.gserviceaccount.com"
USER = {"type": "authorized_user", **dict.fromkeys(("client_id", "client_secret"), "shop")}


@dataclass
class TokenServer:
    """Answers every signed wish with a token for the audience that it names."""

    seconds: int = 3600
    status: int = 200
    audiences: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, wish: str) -> bytes:
        audience = leases(parse_qs(wish)["assertion"][0])["target_audience"]
        self.audiences.append(audience)
        said = {"aud": audience, "exp": int(time.time()) + self.seconds, "n": len(self.audiences)}
        token = ".".join(map(encoded, ({"alg": "none"}, said, {})))
        return json.dumps({"id_token": token} if self.status == 200 else {"error": "no"}).encode()


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def leases(token: str) -> dict[str, str]:
    part = token.split(".")[1]
    found: dict[str, str] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    minted = TokenServer()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = minted.answer(self.rfile.read(int(self.headers["content-length"])).decode())
            self.send_response(minted.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        minted.url = f"http://127.0.0.1:{server.server_port}/token"
        yield minted
        server.shutdown()
        thread.join()


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the credentials, the only ones of this machine."""
    path = tmp_path / "credentials.json"
    for name in ("HOME", "CLOUDSDK_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return path


@pytest.fixture
def robot(credentials: Path, tokens: TokenServer) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    written = {"type": "service_account", "client_email": ROBOT, "private_key": key.decode()}
    credentials.write_text(json.dumps({**written, "token_uri": tokens.url}))


@pytest.mark.usefixtures("robot")
def test_a_token_is_for_the_audience() -> None:
    assert leases(IdentityTokens(lambda: AUDIENCE).token())["aud"] == AUDIENCE


@pytest.mark.usefixtures("robot")
def test_a_token_serves_until_it_is_about_to_lapse(tokens: TokenServer) -> None:
    minted = IdentityTokens(lambda: AUDIENCE)
    assert minted.token() == minted.token()
    assert tokens.audiences == [AUDIENCE]


@pytest.mark.usefixtures("robot")
def test_a_token_that_has_lapsed_is_replaced(tokens: TokenServer) -> None:
    tokens.seconds = -10
    minted = IdentityTokens(lambda: AUDIENCE)
    assert minted.token() != minted.token()


@pytest.mark.usefixtures("robot")
def test_nothing_is_asked_before_a_token_is_needed(tokens: TokenServer) -> None:
    IdentityTokens(lambda: pytest.fail("the audience was asked for"))
    assert tokens.audiences == []


@pytest.mark.usefixtures("robot")
def test_a_refusal_is_a_failed_call(tokens: TokenServer) -> None:
    tokens.status = 400
    with pytest.raises(CallFailed, match="could not get an identity token: got "):
        IdentityTokens(lambda: AUDIENCE).token()


def test_a_person_cannot_mint_one(credentials: Path) -> None:
    credentials.write_text(json.dumps({**USER, "refresh_token": "hunter2"}))
    with pytest.raises(CallFailed, match="cannot mint one, needs a service account") as told:
        IdentityTokens(lambda: AUDIENCE).token()
    assert "--impersonate-service-account=" in told.value.hint
    assert "hunter2" not in str(told.value)


@pytest.mark.usefixtures("credentials")
def test_a_machine_without_credentials_is_a_failed_call() -> None:
    with pytest.raises(CallFailed, match="got no Google credentials on this machine"):
        IdentityTokens(lambda: AUDIENCE).token()


@pytest.fixture
def metadata() -> Iterator[MetadataServer]:
    with closing(MetadataServer(Issuer())) as server:
        yield server


@pytest.mark.usefixtures("robot")
def test_an_emulated_metadata_server_is_asked_alone(
    metadata: MetadataServer, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    token = IdentityTokens(lambda: AUDIENCE, metadata.address).token()
    assert (leases(token)["aud"], leases(token)["email"]) == (AUDIENCE, OWNER)
    assert tokens.audiences == []


def test_the_release_after_a_rehearsal_has_its_own_identity(
    metadata: MetadataServer, credentials: Path
) -> None:
    IdentityTokens(lambda: AUDIENCE, metadata.address).token()
    assert not credentials.exists()
    with pytest.raises(CallFailed, match="got no Google credentials on this machine"):
        IdentityTokens(lambda: AUDIENCE).token()
