"""What an endpoint promises, as a row of a feature's table says it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from greenrun.errors import ReleaseError
from greenrun.ports import Answer

COLUMNS = ("request", "as", "status", "body", "p95 at most")
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class BodyPromise:
    """One promise about a JSON body: `PATH = VALUE`, `has PATH` or `N entries`."""

    text: str

    def broken_by(self, body: str) -> str:
        """What was found instead; empty where the promise is kept."""
        try:
            document = json.loads(body)
        except ValueError:
            return f"{self.text}: got no JSON but {body[:80]!r}"
        if counted := re.fullmatch(r"(\d+) entries", self.text):
            return self._count(document, int(counted[1]))
        if self.text.startswith("has "):
            found = _at(document, self.text[4:])
            return f"{self.text}: got {_brief(document)}" if found is _ABSENT else ""
        path, _, wanted = self.text.partition(" = ")
        found = _at(document, path)
        return "" if _written(found) == wanted else f"{self.text}: got {_written(found)}"

    def _count(self, document: object, wanted: int) -> str:
        if not isinstance(document, list):
            return f"{self.text}: got {_brief(document)}, needs an array"
        return "" if len(document) == wanted else f"{self.text}: got {len(document)}"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One row: a request, as whom it is sent, and what must come back how soon."""

    method: str
    path: str
    identity: str
    status: int
    body: tuple[BodyPromise, ...]
    p95: timedelta | None

    def broken_by(self, answers: Sequence[Answer]) -> tuple[str, ...]:
        """Every promise that these answers break, as `got X, needs Y`."""
        last = answers[-1]
        statuses = sorted({answer.status for answer in answers})
        found = [
            f"got status {', '.join(map(str, statuses))}, needs {self.status}"
            for _ in range(statuses != [self.status])
        ]
        if not found:
            found += filter(None, (promise.broken_by(last.body) for promise in self.body))
        if self.p95 is not None and (slow := percentile(answers, 0.95)) > self.p95:
            found.append(f"got p95 {_milliseconds(slow)}, needs at most {_milliseconds(self.p95)}")
        return tuple(found)

    def __str__(self) -> str:
        return f"{self.method} {self.path} as {self.identity}"


def read_table(rows: Sequence[Sequence[str]]) -> tuple[Expectation, ...]:
    """The expectations of a table whose first row names its columns; missing cells default.

    Raises:
        ReleaseError: a column or a cell that cannot be meant, with its row.
    """
    head, *body = rows
    unknown = [name for name in head if name not in COLUMNS]
    if unknown or "request" not in head:
        raise ReleaseError(
            f"table of endpoints: got columns {', '.join(head)}, needs request and any of "
            f"{', '.join(COLUMNS[1:])}"
        )
    if not body:
        raise ReleaseError("table of endpoints: got no row, needs at least one")
    return tuple(_expectation(dict(zip(head, row, strict=True))) for row in body)


def percentile(answers: Sequence[Answer], quantile: float) -> timedelta:
    """The nearest-rank quantile (0 to 1) of the latencies; of few answers the slowest."""
    latencies = sorted(answer.latency for answer in answers)
    return latencies[min(len(latencies) - 1, int(quantile * len(latencies)))]


def _expectation(cells: Mapping[str, str]) -> Expectation:
    request = re.fullmatch(r"(GET|HEAD|POST|PUT|PATCH|DELETE) (/\S*)", cells["request"])
    status = cells.get("status") or "200"
    limit = re.fullmatch(r"(\d+) (ms|s)|", cells.get("p95 at most", ""))
    if not request or not status.isdigit() or limit is None:
        raise ReleaseError(
            f"table of endpoints: got row {dict(cells)}, needs a request like `GET /path`, "
            "a status like 200 and a time like `100 ms`"
        )
    promises = (text.strip() for text in cells.get("body", "").split(";"))
    return Expectation(
        method=request[1],
        path=request[2],
        identity=cells.get("as") or "a user",
        status=int(status),
        body=tuple(BodyPromise(text) for text in promises if text),
        p95=_duration(limit[1], limit[2]) if limit[1] else None,
    )


def _duration(number: str, unit: str) -> timedelta:
    return timedelta(milliseconds=int(number) * (1000 if unit == "s" else 1))


def _milliseconds(duration: timedelta) -> str:
    return f"{duration / timedelta(milliseconds=1):.0f} ms"


def _at(document: object, path: str) -> object:
    for key in path.split("."):
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return _ABSENT
    return document


def _written(found: object) -> str:
    if found is _ABSENT:
        return "nothing there"
    return found if isinstance(found, str) else json.dumps(found)


def _brief(document: object) -> str:
    return json.dumps(document)[:80]
