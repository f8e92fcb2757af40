"""Whose credentials these are, by what Application Default Credentials tell."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from greenrun.adapters.gcp.access import GoogleAccess
from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.model.errors import CallFailed
from greenrun.model.plan import Location

PLACE = Location("shop-project", "europe-west1")
ROBOT = "release@shop-project.iam.gserviceaccount.com"
USER = {
    "type": "authorized_user",
    "client_id": "shop",
    "client_secret": "shop",
    "refresh_token": "shop",
}


@pytest.fixture
def access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleAccess]:
    """Of Google itself, on a machine without credentials."""
    for name in ("HOME", "CLOUDSDK_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST", "GCE_METADATA_IP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with closing(GoogleClients(Endpoints())) as clients:
        yield GoogleAccess(clients, PLACE)


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the file with the credentials is looked for."""
    path = tmp_path / "credentials.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    return path


def robot() -> dict[str, str]:
    """A service account's key, as the console gives it out."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    written = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "client_email": ROBOT,
        "private_key": written.decode(),
        "token_uri": "https://oauth2.googleapis.com/token",
    }


def test_a_machine_without_credentials_is_a_failed_call(access: GoogleAccess) -> None:
    with pytest.raises(CallFailed, match="got no Google credentials on this machine") as told:
        access.account()
    assert told.value.hint == "gcloud auth application-default login"


def test_a_service_account_is_known_by_its_address(access: GoogleAccess, credentials: Path) -> None:
    credentials.write_text(json.dumps(robot()))
    assert access.account() == ROBOT


def test_a_user_is_known_where_the_file_tells(access: GoogleAccess, credentials: Path) -> None:
    credentials.write_text(json.dumps({**USER, "account": "ada@example.org"}))
    assert access.account() == "ada@example.org"


def test_else_by_the_kind_of_credentials(access: GoogleAccess, credentials: Path) -> None:
    credentials.write_text(json.dumps(USER))
    assert access.account() == (
        "credentials without a name (google.oauth2.credentials.Credentials)"
    )


class Metadata(BaseHTTPRequestHandler):
    """A metadata server: who the machine's own account is, and a token for it."""

    def do_GET(self) -> None:
        facts = {"token": {"access_token": "x", "expires_in": 300, "token_type": "Bearer"}}
        known = {"email": ROBOT, "scopes": ["all"], "aliases": ["default"]}
        answer = facts["token"] if "/token" in self.path else known
        text = "shop-project" if "project-id" in self.path else json.dumps(answer)
        self.send_response(200)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header(
            "Content-Type", "application/text" if text[0] != "{" else "application/json"
        )
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def metadata_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Metadata) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


ASKING = """
from greenrun.adapters.gcp.access import GoogleAccess
from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.model.plan import Location
print(GoogleAccess(GoogleClients(Endpoints()), Location("shop-project", "europe-west1")).account())
"""


def test_on_googles_machines_the_metadata_server_knows(
    metadata_server: str, tmp_path: Path
) -> None:
    """In a process of its own: the package reads these variables once, when it is imported."""
    names = ("GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT")
    machine = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"}
    told = subprocess.run(
        [sys.executable, "-c", ASKING],
        env={**machine, **dict.fromkeys(names, metadata_server)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert told.stdout.strip() == ROBOT
