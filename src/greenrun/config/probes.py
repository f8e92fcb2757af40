"""The key `canary.probes`: requests of our own, and what is a good answer to each."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from greenrun.config import values as are
from greenrun.config.values import LEFT_OUT, REQUIRED, Section, accepts
from greenrun.model import forms
from greenrun.model.forms import Form
from greenrun.model.plan import DONE, NEVER_ARRIVES, USER, Probe

_REQUEST = forms.text(
    r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /[!-~]{0,1023}",
    "a method and a path, such as GET /api/health",
)
_STATUSES = re.compile(r"[1-5][0-9]{2}( or [1-5][0-9]{2})*")


def _arrives(request: str) -> str:
    path = request.split(" ")[1]
    if path.partition("?")[0] in NEVER_ARRIVES:
        raise ValueError(f"another path: on run.app, Google's front end answers {path} with 404")
    return request


def _is_known(identity: str, info: ValidationInfo) -> str:
    known = are.identities_known(info)
    if identity not in known:
        raise ValueError(f"one of: {', '.join(known)}")
    return identity


def _document(value: object) -> object:
    """A JSON document that can be sent, as YAML has it; None for what is none."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return None
    return value if isinstance(value, dict | list) else None


def _statuses(value: object) -> tuple[int, ...] | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return tuple(map(int, text.split(" or "))) if _STATUSES.fullmatch(text) else None


Request = Annotated[str, accepts(_REQUEST), AfterValidator(_arrives)]


class CanaryProbe(Section):
    """One of our own requests, and what is a good answer."""

    request: Request = REQUIRED
    identity: Annotated[str, accepts(are.IDENTITY_NAME), AfterValidator(_is_known)] = Field(
        default=USER, alias="as"
    )
    headers: Mapping[are.HeaderName, are.PlainHeader] = Field(default_factory=dict)
    sends: Annotated[Any, accepts(Form("a mapping or a list, sent as JSON", _document))] = LEFT_OUT
    status: Annotated[
        tuple[int, ...] | None,
        accepts(Form("a status such as 204, or several such as 401 or 403", _statuses)),
    ] = LEFT_OUT

    def plan(self) -> Probe:
        method, path = self.request.split(" ")
        statuses = self.status or DONE
        return Probe(method, path, self.identity, self.headers, self.sends, statuses)


def _spelled_out(value: object) -> object:
    """A request alone stands for a mapping with nothing else."""
    return value if isinstance(value, dict | CanaryProbe) else {"request": value}


def _some(value: object) -> object:
    if not isinstance(value, list) or not value:
        raise ValueError("a list of requests, such as [GET /, GET /api/health]")
    return value


Probes = Annotated[
    tuple[
        Annotated[
            CanaryProbe, BeforeValidator(_spelled_out, json_schema_input_type=Request | CanaryProbe)
        ],
        ...,
    ],
    BeforeValidator(_some),
]
