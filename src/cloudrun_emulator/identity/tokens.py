"""Identity tokens, signed as Google signs them, with a key that nobody else has."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_hex

from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, jwt

ISSUER = "https://accounts.google.com"
OWNER = "owner@local-cloud.iam.gserviceaccount.com"
"""The account of whoever is on this machine: it owns every project, and may call every service.

Source: https://cloud.google.com/run/docs/securing/authenticating
"""

LIFETIME = timedelta(hours=1)


class Issuer:
    """Signs tokens for one cloud. Its key is made with it, stays in memory, and ends with it."""

    def __init__(self) -> None:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._id = token_hex(20)
        self._public = private.public_key().public_numbers()
        self._signer = crypt.RSASigner(private, self._id)  # type: ignore[no-untyped-call] # bare

    def __repr__(self) -> str:
        return f"Issuer(key={self._id})"

    @property
    def keys(self) -> str:
        """The public key, as the JSON Web Key Set that Google publishes of its own."""
        numbers = {"n": _number(self._public.n), "e": _number(self._public.e)}
        key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self._id, **numbers}
        return json.dumps({"keys": [key]})

    def token(self, email: str, audience: str, lifetime: timedelta = LIFETIME) -> str:
        """Return a token that tells `audience` who `email` is.

        The claims are those of a service account's. Source:
        https://cloud.google.com/docs/authentication/token-types#id
        """
        now, subject = datetime.now(UTC), _subject(email)
        claims = {
            "aud": audience,
            "azp": subject,
            "email": email,
            "email_verified": True,
            "exp": int((now + lifetime).timestamp()),
            "iat": int(now.timestamp()),
            "iss": ISSUER,
            "sub": subject,
        }
        token: bytes = jwt.encode(self._signer, claims)  # type: ignore[no-untyped-call] # bare
        return token.decode()


def _subject(email: str) -> str:
    """The account's number: 21 digits, the same each time."""
    return str(10**20 + int(sha256(email.encode()).hexdigest(), 16) % 10**20)


def _number(value: int) -> str:
    """Write a number as RFC 7518 does (section 2, Base64urlUInt)."""
    content = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return urlsafe_b64encode(content).decode().rstrip("=")
