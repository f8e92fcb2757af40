"""The metadata server, asked by google-auth as it is, and by hand."""

import json
import os
import subprocess
import sys
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloudrun_emulator.identity.metadata_server import MetadataServer
from cloudrun_emulator.identity.tokens import OWNER, Issuer

GOOGLE = {"Metadata-Flavor": "Google"}
ACCOUNTS = "/computeMetadata/v1/instance/service-accounts"
CLIENT = """
import json, google.auth
from google.auth.transport.requests import Request
from google.oauth2 import id_token

credentials, project = google.auth.default()
credentials.refresh(Request())
token = id_token.fetch_id_token(Request(), "http://shop")
told = {"account": credentials.service_account_email, "project": project, "token": token}
print(json.dumps({**told, "valid": credentials.valid}))
"""


@pytest.fixture
def server() -> Iterator[MetadataServer]:
    with closing(MetadataServer(Issuer())) as made:
        yield made


def ask(server: MetadataServer, path: str, headers: dict[str, str] = GOOGLE) -> httpx.Response:
    return httpx.get(f"http://{server.address}{path}", headers=headers, trust_env=False)


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_google_auth_finds_an_identity_there(server: MetadataServer, tmp_path: Path) -> None:
    names = ("GCE_METADATA_HOST", "GCE_METADATA_IP")
    environment = {
        **dict.fromkeys(names, server.address),
        **dict.fromkeys(("HOME", "CLOUDSDK_CONFIG"), str(tmp_path)),
        "PATH": os.environ["PATH"],
        "NO_PROXY": "127.0.0.1",
    }
    output = subprocess.run(
        [sys.executable, "-c", CLIENT], env=environment, capture_output=True, text=True, check=True
    ).stdout
    told = json.loads(output)
    token = claims(told.pop("token"))
    assert told == {"account": OWNER, "project": "local-cloud", "valid": True}
    assert (token["email"], token["aud"]) == (OWNER, "http://shop")


def test_it_speaks_for_any_account(server: MetadataServer) -> None:
    path = f"{ACCOUNTS}/robot@shop.iam.gserviceaccount.com"
    token = ask(server, f"{path}/identity?audience=http://shop&format=full").text
    assert claims(token)["email"] == "robot@shop.iam.gserviceaccount.com"
    assert ask(server, f"{path}/email").text == "robot@shop.iam.gserviceaccount.com"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        (f"{ACCOUNTS}/default/email", 200),
        (f"{ACCOUNTS}/default/scopes", 200),
        (f"{ACCOUNTS}/default/identity", 400),
        (f"{ACCOUNTS}/nobody/identity?audience=a", 404),
        ("/computeMetadata/v1/universe/universe-domain", 404),
    ],
)
def test_what_it_knows_and_what_not(server: MetadataServer, path: str, status: int) -> None:
    answer = ask(server, path)
    assert (answer.status_code, answer.headers["Metadata-Flavor"]) == (status, "Google")


@pytest.mark.parametrize("headers", [{}, {**GOOGLE, "X-Forwarded-For": "192.0.2.1"}])
def test_who_was_sent_there_by_a_page_or_a_proxy_is_refused(
    server: MetadataServer, headers: dict[str, str]
) -> None:
    answer = ask(server, f"{ACCOUNTS}/default/identity?audience=a", headers)
    assert (answer.status_code, "." in answer.text) == (403, False)
