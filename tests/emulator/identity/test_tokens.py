"""Identity tokens, read as their receivers read them: with google-auth."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import exceptions, jwt

from cloudrun_emulator.identity.tokens import Issuer

AUDIENCE = "http://127.0.0.1:4711"
ROBOT = "robot@shop.iam.gserviceaccount.com"


def read(token: str, issuer: Issuer) -> dict[str, Any]:
    """The claims. Raises google-auth's errors for a token that is not this issuer's."""
    (key,) = json.loads(issuer.keys)["keys"]
    public = rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    untyped: Any = jwt
    return dict(untyped.decode(token, {key["kid"]: pem}, audience=AUDIENCE))


def number(text: str) -> int:
    return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def test_a_token_tells_who_and_for_whom_for_an_hour() -> None:
    issuer = Issuer()
    claims = read(issuer.token(ROBOT, AUDIENCE), issuer)
    since, until = (datetime.fromtimestamp(claims.pop(name), UTC) for name in ("iat", "exp"))
    assert until - since == timedelta(hours=1)
    assert abs(datetime.now(UTC) - since) < timedelta(minutes=1)
    assert claims.pop("sub") == claims.pop("azp")
    assert claims == {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "email": ROBOT,
        "email_verified": True,
    }


def test_an_account_has_one_number() -> None:
    claims = [
        read(issuer.token(email, AUDIENCE), issuer)["sub"]
        for issuer in (Issuer(), Issuer())
        for email in (ROBOT, "somebody@example.com")
    ]
    assert claims[:2] == claims[2:]
    assert len(set(claims)) == 2


def test_each_issuer_has_a_key_of_its_own() -> None:
    token = Issuer().token(ROBOT, AUDIENCE)
    with pytest.raises(exceptions.GoogleAuthError):
        read(token, Issuer())


def test_nothing_private_is_told() -> None:
    issuer = Issuer()
    (key,) = json.loads(issuer.keys)["keys"]
    assert key.keys() == {"kty", "alg", "use", "kid", "n", "e"}
    assert repr(issuer) == f"Issuer(key={key['kid']})"
