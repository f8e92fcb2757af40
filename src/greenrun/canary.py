"""The canary: the candidate's share rises by increments, and each is watched and judged."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle
from threading import Event

from greenrun.domain.gate import Gate, Judgement, Quantity, Verdict
from greenrun.domain.plan import CanaryPlan
from greenrun.errors import CallFailed
from greenrun.ports import Probe, Roles

_LOOK = timedelta(seconds=1)
"""Between two looks at the figures of a bake."""

_PROBERS = 8
"""Probes under way at once; a slow candidate may not starve its own judgement."""


@dataclass(frozen=True, slots=True)
class Increment:
    """One rise of the share and what came of it."""

    share: int
    judgement: Judgement
    candidate: Mapping[str, Quantity | None] = field(repr=False)
    baseline: Mapping[str, Quantity | None] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.share} %: {self.judgement}"

    def as_table(self) -> str:
        """Every figure of the candidate beside the baseline's, a line each."""
        rows = [f"{'measure':<14}{'candidate':>14}{'baseline':>14}"]
        for measure, value in self.candidate.items():
            beside = self.baseline.get(measure)
            rows.append(f"{measure:<14}{value or '-'!s:>14}{beside or '-'!s:>14}")
        return "\n".join([*rows, "", str(self)])

    @property
    def advice(self) -> str:
        """What to do about an increment that did not pass."""
        if self.judgement.verdict is Verdict.INCONCLUSIVE:
            return "lengthen `canary.bake` or lower `canary.fewest-requests` in release.yaml"
        return "compare the figures of both revisions, and read the candidate's log in the report"


@dataclass(frozen=True, slots=True)
class Canary:
    """Watches one candidate against one baseline on one public URL.

    `undisturbed` raises where another than the release has changed the service; asked at each look.
    """

    plan: CanaryPlan
    url: str
    candidate: str
    baseline: str
    headers: Mapping[str, str] = field(repr=False)
    roles: Roles = field(repr=False)
    undisturbed: Callable[[], None] = field(repr=False)

    def bake(self, share: int, gate: Gate) -> Increment:
        """Watch one share for the planned time; a failing look ends it at once."""
        since = self.roles.clock.now()
        with self._probing():
            while True:
                self.roles.clock.sleep(min(_LOOK, self.plan.bake))
                self.undisturbed()
                increment = self._look(share, gate, since)
                elapsed = self.roles.clock.now() - since
                self.roles.progress.report(self._line(increment, elapsed))
                if increment.judgement.verdict is Verdict.FAIL or elapsed >= self.plan.bake:
                    return increment

    def _look(self, share: int, gate: Gate, since: datetime) -> Increment:
        figures = self.roles.metrics.of_revision(self.candidate, since)
        beside = self.roles.metrics.of_revision(self.baseline, since)
        judged = figures if _enough(figures, self.plan.fewest_requests) else {}
        return Increment(share, gate.judge(judged), figures, beside)

    def _line(self, increment: Increment, elapsed: timedelta) -> str:
        requests = increment.candidate.get("requests") or Quantity(0)
        return (
            f"{increment.share} % for {elapsed.total_seconds():.0f} s of "
            f"{self.plan.bake.total_seconds():.0f} s: {requests} requests to the candidate, "
            f"{increment.judgement.verdict.value}"
        )

    @contextmanager
    def _probing(self) -> Iterator[None]:
        """Our own requests beside the users', at the planned rate, until the bake is over."""
        if not self.plan.probes_per_second:
            yield
            return
        over = Event()
        with ThreadPoolExecutor(_PROBERS) as pool:
            try:
                for first in range(_PROBERS):
                    pool.submit(self._probe_until, over, first)
                yield
            finally:
                over.set()

    def _probe_until(self, over: Event, first: int) -> None:
        start = first % len(self.plan.probe_paths)
        paths = cycle(self.plan.probe_paths[start:] + self.plan.probe_paths[:start])
        interval = timedelta(seconds=_PROBERS / self.plan.probes_per_second)
        pause = interval
        while not over.wait(pause.total_seconds()):
            pause = max(timedelta(), interval - self._probe(next(paths)))

    def _probe(self, path: str) -> timedelta:
        """How long the answer took; nothing where none came, which the platform has counted."""
        try:
            return self.roles.web.ask(Probe(self.url + path, headers=self.headers)).latency
        except CallFailed:
            return timedelta()


def _enough(figures: Mapping[str, Quantity | None], fewest: int) -> bool:
    requests = figures.get("requests")
    return requests is not None and requests.value >= fewest
