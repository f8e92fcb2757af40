"""The answers to one row of a table, and how soon they came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

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
