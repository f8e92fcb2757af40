"""Who we are at a registry."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from greenrun.adapters.registry.address import Address
from greenrun.adapters.registry.login import Login, MachineLogins
from greenrun.model.errors import CallFailed

GOOGLE = Address("europe-west1-docker.pkg.dev", "p/app/web")
OWN = Address("registry.example:5000", "web")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `docker login` writes to."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path / "config.json"


@pytest.fixture
def token_server() -> Iterator[HTTPServer]:
    """Gives token 1, then token 2, each for 1 second, which is past its time at once."""

    class Handler(BaseHTTPRequestHandler):
        given = 0

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            Handler.given += 1
            answer = {"access_token": f"token {Handler.given}", "expires_in": 1}
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
            del format, args

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def write_service_account(path: Path, server: HTTPServer) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    fields = {
        "type": "service_account",
        "client_email": "release@p.iam.example",
        "private_key": encoded.decode(),
        "token_uri": f"http://127.0.0.1:{server.server_address[1]}/token",
        "project_id": "p",
    }
    path.write_text(json.dumps(fields))


def test_nobody_has_to_say_who_he_is_on_loopback() -> None:
    assert MachineLogins()(Address("127.0.0.1:5000", "web")) is None


def test_google_is_told_a_token_that_is_fresh(
    tmp_path: Path, token_server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_service_account(tmp_path / "account.json", token_server)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    logins = MachineLogins()
    assert logins(GOOGLE) == Login("oauth2accesstoken", "token 1")
    assert logins(GOOGLE) == Login("oauth2accesstoken", "token 2")


def test_no_google_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(CallFailed, match="got no Google credentials on this machine") as failed:
        MachineLogins()(GOOGLE)
    assert failed.value.hint == "gcloud auth application-default login"


def test_other_hosts_get_what_docker_login_kept(kept: Path) -> None:
    pair = base64.b64encode(b"me:secret").decode()
    kept.write_text(json.dumps({"auths": {OWN.host: {"auth": pair}}}))
    login = MachineLogins()(OWN)
    assert login == Login("me", "secret")
    assert login.for_engine() == {"username": "me", "password": "secret"}
    assert MachineLogins()(Address("other.example", "web")) is None


def test_a_token_stands_for_user_and_password(kept: Path) -> None:
    kept.write_text(json.dumps({"auths": {OWN.host: {"identitytoken": "long"}}}))
    login = MachineLogins()(OWN)
    assert login == Login(identity_token="long")
    assert login.for_engine() == {"identitytoken": "long"}


def test_a_helper_that_is_not_there(kept: Path) -> None:
    kept.write_text(json.dumps({"credHelpers": {OWN.host: "of-nobody"}}))
    with pytest.raises(CallFailed, match=r"could not log in to registry\.example:5000") as failed:
        MachineLogins()(OWN)
    assert failed.value.hint == "docker login registry.example:5000"


def test_nothing_secret_is_shown() -> None:
    shown = repr(Login("me", "secret-word", "secret-token"))
    assert "secret" not in shown
