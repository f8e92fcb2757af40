"""One row of a table: a request, and everything that its answers must keep."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

from greenrun.checks.http import json_path
from greenrun.checks.http.body import BodyPromise
from greenrun.checks.http.headers import HeaderPromise
from greenrun.checks.http.json_schema import Schema
from greenrun.checks.http.request_body import RequestBody
from greenrun.checks.http.responses import Responses, milliseconds
from greenrun.checks.http.variables import Values

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limit:
    """The longest that a percentile (50, 95 or 99) of the latencies may be."""

    percent: int
    at_most: timedelta

    def broken_by(self, answers: Responses) -> str:
        """What was found instead; empty where it is kept."""
        if answers.latency(self.percent) <= self.at_most:
            return ""
        return f"got {answers.told(self.percent)}, needs at most {milliseconds(self.at_most)}"


@dataclass(frozen=True, slots=True)
class Expectation:
    """A request, as whom it is sent with what how often, and what must come back how soon.

    `schema` names a file beside the features; `requests` leaves out the warm-up.
    """

    method: str
    path: str
    identity: str = "a user"
    sends: RequestBody = field(default_factory=RequestBody)
    statuses: tuple[int, ...] = (200,)
    headers: tuple[HeaderPromise, ...] = ()
    body: tuple[BodyPromise, ...] = ()
    schema: str = ""
    latency: tuple[Limit, ...] = ()
    requests: int = 1

    def __str__(self) -> str:
        return f"{self.method} {self.path} as {self.identity}"

    def filled(self, values: Values) -> "Expectation":
        """The same, with every place filled in what it sends."""
        return replace(self, sends=self.sends.filled(values))

    def broken_by(self, answers: Responses, schema: Schema | None = None) -> tuple[str, ...]:
        """Every promise that these answers break, as `got X, needs Y`.

        Where a status is wrong, only it and the latency are told: the rest follows from it.
        """
        statuses = sorted({answer.status for answer in answers.each})
        if not set(statuses) <= set(self.statuses):
            needed = " or ".join(map(str, self.statuses))
            found = [f"got status {', '.join(map(str, statuses))}, needs {needed}"]
        else:
            found = [*self._broken_headers(answers), *self._broken_bodies(answers, schema)]
        return (*found, *filter(None, (limit.broken_by(answers) for limit in self.latency)))

    def _broken_headers(self, answers: Responses) -> Iterator[str]:
        heads = [answer.headers for answer in answers.each]
        for promise in self.headers:
            yield from _first(promise.broken_by, heads)

    def _broken_bodies(self, answers: Responses, schema: Schema | None) -> Iterator[str]:
        if not self.body and schema is None:
            return
        try:
            documents = [json_path.read(answer.body) for answer in answers.each]
        except json_path.NoJson as error:
            yield f"{error}, needs JSON"
            return
        for promise in self.body:
            yield from _first(promise.broken_by, documents)
        if schema is not None:
            yield from next(filter(None, map(schema.broken_by, documents)), ())


def _first(judge: Callable[[T], str], found: Sequence[T]) -> Iterator[str]:
    """The first of the faults, and how many answers have one where not all do."""
    faults = [fault for fault in map(judge, found) if fault]
    if faults:
        some = f" ({len(faults)} of {len(found)} answers)" if len(faults) < len(found) else ""
        yield faults[0] + some
