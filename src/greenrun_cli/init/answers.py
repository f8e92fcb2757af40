"""What can be promised of an answer because it was the same each time."""

import re
from collections.abc import Iterable, Iterator, Sequence

from greenrun.checks.http import documents
from greenrun.checks.http.promises import read_body_promise
from greenrun.checks.metrics.exposition import Exposition
from greenrun.model.interfaces import HttpResponse

_MOST = 3
_PASSING = re.compile(
    r"(?i)(version|build|commit|sha|revision|host|instance|time|date|uptime|seed|nonce|token|uuid"
    r"|(^|_)(id|at|env|pid)$)"
)
"""Names of what the next release, or the next instance, answers differently."""

_PLAIN = re.compile(r"[\w.,:!?'()/ -]{1,60}")
_NAME = re.compile(r"\w+")


def stable(responses: Sequence[HttpResponse]) -> Iterator[str]:
    """Promises about a JSON object that every answer keeps, a few of them."""
    try:
        documents_found = [documents.read_json(each.body) for each in responses]
    except documents.NoJson:
        return
    first = documents_found[0]
    if isinstance(first, dict):
        told = (_promise(name, value) for name, value in first.items() if _NAME.fullmatch(name))
        yield from list(promises(filter(None, told), responses))[:_MOST]


def _promise(name: str, value: object) -> str:
    if _PASSING.search(name) or value is None:
        return f"has {name}"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value == value.strip():
        return f"{name} = {value}"
    if isinstance(value, bool):
        return f"{name} = {str(value).lower()}"
    kinds: dict[type, str] = {str: "a string", list: "an array", dict: "an object"}
    kinds |= {int: "a number", float: "a number"}
    return f"{name} is {kinds[type(value)]}"


def promises(wanted: Iterable[str], responses: Sequence[HttpResponse]) -> Iterator[str]:
    """Those of the promises that every answer keeps."""
    try:
        found = [documents.read_json(each.body) for each in responses]
    except documents.NoJson:
        return
    for text in wanted:
        try:
            promise = read_body_promise(text)
        except ValueError:
            continue
        if not any(promise.broken_by(each) for each in found):
            yield text


def is_the_same(one: HttpResponse, other: HttpResponse | None) -> bool:
    """True where a path answers what a path answers that does not exist."""
    return other is not None and (one.status, one.body) == (other.status, other.body)


def families(answer: HttpResponse) -> Sequence[tuple[str, str]]:
    """The metric families of an answer, each with its type; none where it is no exposition."""
    media_type = answer.headers.get("content-type", "")
    if "html" in media_type or "json" in media_type:
        return ()
    try:
        told = Exposition.parse(answer.body, media_type)
    except ValueError:
        return ()
    return [(family.name, family.kind) for family in told.families if family.kind != "unknown"]
