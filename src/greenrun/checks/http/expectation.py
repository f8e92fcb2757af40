"""One row of endpoints: a request, what its answers must keep, and the answers that it got."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

from greenrun.checks.http import documents
from greenrun.checks.http.cells import RequestBody, Values
from greenrun.checks.http.documents import Schema
from greenrun.checks.http.promises import BodyPromise, HeaderPromise
from greenrun.model.interfaces import HttpResponse

MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Responses:
    """All answers to the same request; the warm-up counts for everything but the latency."""

    measured: tuple[HttpResponse, ...]
    warm_up: tuple[HttpResponse, ...] = ()

    @property
    def each(self) -> tuple[HttpResponse, ...]:
        """In the order they were asked for."""
        return (*self.warm_up, *self.measured)

    def latency(self, percent: int) -> timedelta:
        """A percentile of the latencies."""
        return percentile(self.measured, percent)

    def told(self, percent: int) -> str:
        """As the report has it: `p95 87 ms of 20 requests after 1 warm-up`."""
        found = f"p{percent} {milliseconds(self.latency(percent))}"
        of = f"of {len(self.measured)} requests after {len(self.warm_up)} warm-up"
        slowest = rank(percent, len(self.measured)) == len(self.measured)
        return f"{found} (the slowest {of})" if slowest else f"{found} {of}"


def percentile(answers: Sequence[HttpResponse], percent: int) -> timedelta:
    """The nearest-rank percentile (1 to 100) of the latencies; of few answers the slowest.

    Source: https://www.itl.nist.gov/div898/handbook/prc/section2/prc262.htm
    """
    latencies = sorted(answer.latency for answer in answers)
    return latencies[rank(percent, len(latencies)) - 1]


def rank(percent: int, count: int) -> int:
    """Which of `count` latencies in rising order is the percentile, from 1 on."""
    return -(-count * percent // 100)


def milliseconds(duration: timedelta) -> str:
    """In whole milliseconds, from ten on; with one digit more below."""
    number = duration / MILLISECOND
    return f"{number:.0f} ms" if number >= 10 else f"{number:.1f} ms"


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
            bodies = [documents.read_json(answer.body) for answer in answers.each]
        except documents.NoJson as error:
            yield f"{error}, needs JSON"
            return
        for promise in self.body:
            yield from _first(promise.broken_by, bodies)
        if schema is not None:
            yield from next(filter(None, map(schema.broken_by, bodies)), ())


def _first(judge: Callable[[T], str], found: Sequence[T]) -> Iterator[str]:
    """The first of the faults, and how many answers have one where not all do."""
    faults = [fault for fault in map(judge, found) if fault]
    if faults:
        some = f" ({len(faults)} of {len(found)} answers)" if len(faults) < len(found) else ""
        yield faults[0] + some
