"""Forms that several parts of Envoy's configuration have."""

from typing import Any

Config = dict[str, Any]


def typed(kind: str, **fields: object) -> Config:
    """The configuration of an extension, `kind` such as `filters.http.router.v3.Router`."""
    return {"@type": f"type.googleapis.com/envoy.extensions.{kind}", **fields}


def answer(status: int, text: str) -> Config:
    """What a route does that asks nobody."""
    return {"direct_response": {"status": status, "body": {"inline_string": text}}}
