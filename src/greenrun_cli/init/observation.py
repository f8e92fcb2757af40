"""What a service was seen to answer, and what can be promised because of it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil

from greenrun.checks.http import documents
from greenrun.checks.http.promises import read_body_promise
from greenrun.checks.metrics.exposition import Exposition
from greenrun.model.forms import spell_duration
from greenrun.model.interfaces import HttpResponse
from greenrun.model.plan import NEVER_ARRIVES

CATCHES_ALL = "/greenrun-asks-for-no-such-page"
_MOST = 3
_PASSING = re.compile(
    r"(?i)(version|build|commit|sha|revision|host|instance|time|date|uptime|seed|nonce|token|uuid"
    r"|(^|_)(id|at|env|pid)$)"
)
"""Names of what the next release, or the next instance, answers differently."""

_PLAIN = re.compile(r"[\w.,:!?'()/ -]{1,60}")
_NAME = re.compile(r"\w+")

_SHORTEST = timedelta(milliseconds=5)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request got each time that it was made. `promises` held each time."""

    method: str
    path: str
    status: int
    content_type: str = ""
    promises: tuple[str, ...] = ()
    slowest: timedelta = timedelta()
    sends: str = ""

    @property
    def request(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_good(self) -> bool:
        """True where a probe of a canary takes it for a success."""
        return 200 <= self.status < 400


@dataclass(frozen=True, slots=True)
class Observation:
    """One start of the image, and its answers."""

    answers: Sequence[Answer]
    started_in: timedelta = timedelta()
    log_is_clean: bool = True
    metrics_path: str = ""
    families: Sequence[tuple[str, str]] = ()
    fewest_families: int = 0
    openapi: str = ""
    remarks: Sequence[str] = field(default=())

    def answer(self, method: str, path: str, sends: str = "") -> Answer | None:
        """What a request got, if it was made."""
        wanted = method, path, sends
        asked = (each for each in self.answers if (each.method, each.path, each.sends) == wanted)
        return next(asked, None)

    @property
    def health_path(self) -> str:
        """What tells that an instance has started: the first usual path that is good."""
        return next((each.path for each in self._probed if each.path != "/"), "")

    @property
    def _probed(self) -> Sequence[Answer]:
        """Good answers to GET that have no other purpose, those of health first."""
        aside = {self.metrics_path, self.openapi, *NEVER_ARRIVES}
        return [
            each
            for each in self.answers
            if each.method == "GET" and each.is_good and each.path not in aside
        ]

    @property
    def probes(self) -> Sequence[object]:
        """The probes of a canary; none where those that nobody names will do."""
        if probes := [each.request for each in self._probed][:3]:
            return probes
        root = self.answer("GET", "/")
        failing = root is not None and root.status >= 500
        return [{"request": "GET /", "status": root.status}] if root and failing else []

    def probes_per_second(self, most: int) -> int:
        """As many as one instance answers while it is hardly busy."""
        if not self._probed:
            return 0
        slowest = max((*(each.slowest for each in self._probed[:3]), _SHORTEST))
        return max(2, min(most, int(timedelta(seconds=0.25) / slowest)))

    @property
    def slowest(self) -> timedelta:
        """The slowest answer of all."""
        return max((each.slowest for each in self.answers), default=timedelta())

    @property
    def latency_floor_milliseconds(self) -> int:
        """What counts as equally fast on a machine that does other things, too."""
        return min(10_000, max(300, budget_milliseconds(self.slowest * 3, least=300)))

    @property
    def ready_timeout(self) -> str:
        """Empty where the default is generous."""
        needed = self.started_in * 3
        return (
            ""
            if needed <= timedelta(seconds=60)
            else spell_duration(timedelta(seconds=ceil(needed.total_seconds())))
        )


def budget_milliseconds(measured: timedelta, least: int) -> int:
    """A generous limit, in round numbers: five times what was measured, and `least` at least."""
    wanted = max(least, 5 * measured / timedelta(milliseconds=1))
    step = 100 if wanted <= 1000 else 500
    return ceil(wanted / step) * step


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
