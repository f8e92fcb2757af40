"""Our own requests to both revisions, side by side, through their revision tags."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import cycle
from secrets import SystemRandom
from threading import Event, Lock, Thread
from typing import Self

from greenrun.canary.sources.source import Measurement
from greenrun.model.canary_step import CountedBy
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import Clock, HttpClient, HttpRequest
from greenrun.model.plan import CanaryPlan, Probe
from greenrun.model.stats import Counts, Histogram, Sample

WARM_UP = 3
"""Probes of a kind that are not counted: they meet cold caches, and open connections."""

_BUCKETS = Histogram.exponential(110, 1.1, 1.0)
"""From 1 ms to 36 s, each bound a tenth above the one before."""

_MS = timedelta(milliseconds=1)

_MAX_IN_FLIGHT = 32
"""Probes of one revision at once: so many wait for one that has stopped to answer."""

_TIMEOUT = timedelta(seconds=10)
"""Nobody waits longer for an answer."""

_GRACE = 0.5
"""Seconds that probes under way are waited for at the end."""

Headers = Callable[[str], Mapping[str, str]]
"""What an identity shows, asked for each probe: tokens lapse. Raises ReleaseError for none."""


def named_after(run: str, headers: Headers) -> Headers:
    """Name the run as user agent, so that our own probes can be told from users."""
    return lambda identity: {**headers(identity), "User-Agent": f"greenrun-canary/{run}"}


def request(
    probe: Probe, url: str, headers: Mapping[str, str], within: timedelta | None = None
) -> HttpRequest:
    """Make the request of a probe to the service or revision at a URL."""
    sent = {**headers, **probe.headers}
    return HttpRequest(url + probe.path, probe.method, sent, probe.json, within=within)


class Probes(AbstractContextManager["Probes"]):
    """Sends probes at the planned rate until it is left.

    Each goes to one of the two by chance, so that no moment is worse for one of them, in the shares
    of the plan; and none waits for the answer to the one before, nor for the other
    revision. No answer, and any that is none of the probe's statuses, is bad.
    """

    counted_by = CountedBy.PROBES
    interval = lag = timedelta()
    """They can be read at any moment."""

    def __init__(
        self,
        plan: CanaryPlan,
        urls: tuple[str, str],
        headers: Headers,
        web: HttpClient,
        clock: Clock,
    ) -> None:
        """Probe two revisions; `urls` are the candidate's and the baseline's."""
        candidate, baseline = urls
        self._plan = plan
        self._candidate = Side(candidate, Tally(plan.named_probes))
        self._baseline = Side(baseline, Tally(plan.named_probes))
        self._headers = headers
        self._web = web
        self._clock = clock
        self._chance = SystemRandom()
        self._candidate_share = 0.5
        self._ended = Event()
        self._failed: Exception | None = None
        self._began = clock.monotonic()
        self._pool = ThreadPoolExecutor(2 * _MAX_IN_FLIGHT, thread_name_prefix="probe")
        self._sender = Thread(target=self._send, name="probes", daemon=True)

    def __enter__(self) -> Self:
        self._began = self._clock.monotonic()
        self._sender.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; probes that hang are left behind, as users may be waiting for their way back."""
        self._ended.set()
        self._sender.join(_GRACE)
        wait(self._candidate.in_flight | self._baseline.in_flight, _GRACE)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def start_step(self, share: int) -> None:
        """Send the candidate its planned part of the probes."""
        self._candidate_share = self._plan.probed_share(share)

    def read(self) -> Measurement:
        """Return what was answered by now.

        Raises what has kept a probe from being sent or counted, as where nobody says any more who
        we are: that blames neither revision.
        """
        if self._failed:
            raise self._failed
        seconds = (self._clock.monotonic() - self._began).total_seconds()
        one, other = self._candidate.tally.samples(), self._baseline.tally.samples()
        probes = {name: (one[name].counts, other[name].counts) for name in one}
        return Measurement(_total(one.values(), seconds), _total(other.values(), seconds), probes)

    def _send(self) -> None:
        interval = timedelta(seconds=1) / (self._plan.probes_per_second or 1)
        due = self._clock.monotonic()
        probes = cycle(self._plan.named_probes.items())
        while not (self._failed or self._ended.wait(self._seconds_until(due))):
            due = max(due, self._clock.monotonic() - interval) + interval
            side = self._choose_side()
            if len(side.in_flight) < _MAX_IN_FLIGHT:
                self._submit(side, *next(probes))

    def _seconds_until(self, due: timedelta) -> float:
        return max(timedelta(), due - self._clock.monotonic()).total_seconds()

    def _submit(self, side: "Side", name: str, probe: Probe) -> None:
        with self._keep_failures():
            sent = request(probe, side.url, self._headers(probe.identity), _TIMEOUT)
            sending = self._pool.submit(self._ask, side, name, sent, probe.statuses)
            side.in_flight.add(sending)
            sending.add_done_callback(side.in_flight.discard)

    @contextmanager
    def _keep_failures(self) -> Iterator[None]:
        """Keep an error for `read`; after the end nobody reads, and the pool takes no probes."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise it to
            if not self._ended.is_set():
                self._failed = self._failed or error

    def _choose_side(self) -> "Side":
        drawn = self._chance.random() < self._candidate_share
        return self._candidate if drawn else self._baseline

    def _ask(self, side: "Side", name: str, sent: HttpRequest, needed: Sequence[int]) -> None:
        with self._keep_failures():
            try:
                answer = self._web.send(sent)
                side.tally.add(name, answer.latency, good=answer.status in needed)
            except CallFailed:
                side.tally.add(name, None, good=False)


@dataclass(frozen=True, slots=True)
class Side:
    """One revision: its URL, and what it answered."""

    url: str
    tally: "Tally" = field(repr=False)
    in_flight: set[Future[None]] = field(default_factory=set, repr=False)


@dataclass(slots=True)
class _Count:
    seen: int = 0
    good: int = 0
    bad: int = 0
    latencies: list[int] = field(default_factory=lambda: [0] * (len(_BUCKETS.bounds) + 1))

    def add(self, latency: timedelta | None, *, good: bool) -> None:
        self.seen += 1
        if self.seen <= WARM_UP:
            return
        self.good, self.bad = self.good + good, self.bad + (not good)
        if latency is not None:
            self.latencies[bisect_right(_BUCKETS.bounds, latency / _MS)] += 1

    @property
    def sample(self) -> Sample:
        latencies = Histogram(_BUCKETS.bounds, tuple(self.latencies))
        return Sample(Counts(self.good, self.bad), latencies)


class Tally:
    """Counts of one revision's probes by name, which one thread reads while others add."""

    def __init__(self, names: Iterable[str]) -> None:
        self._lock = Lock()
        self._counts = {name: _Count() for name in names}

    def add(self, name: str, latency: timedelta | None, *, good: bool) -> None:
        """Add a probe; `latency` is None where no answer came."""
        with self._lock:
            self._counts[name].add(latency, good=good)

    def samples(self) -> Mapping[str, Sample]:
        """Return the counts of each probe."""
        with self._lock:
            return {name: count.sample for name, count in self._counts.items()}


def _total(samples: Iterable[Sample], seconds: float) -> Sample:
    """Add up samples that were all counted in so many seconds."""
    counts, latencies = Counts(), Histogram(_BUCKETS.bounds)
    for sample in samples:
        counts, latencies = counts + sample.counts, latencies + sample.latencies
    return Sample(counts, latencies, seconds)


_ALONE = 3
"""Probes of a kind and a revision that are sent one at a time."""

_BUSY = 0.5
"""Up to this part of its time, one worker keeps up with what comes by chance."""

_SLOWED, _TRIAL = 2.0, timedelta(seconds=1)


def sustained_rate(
    plan: CanaryPlan, urls: tuple[str, str], headers: Headers, web: HttpClient, clock: Clock
) -> float:
    """Return the highest rate, up to the planned one, at which answers take no longer than alone.

    A service that waits for others answers many at once, one that computes does not: where a single
    worker would be busy for more than half of its time, the rate is tried for a moment, and halved
    until answers take less than twice as long as one at a time, or a single worker keeps up.
    """
    rate, alone = plan.probes_per_second or 0.0, _alone(plan, urls, headers, web)
    each = max(plan.probed_share(share) for share in plan.steps)
    while rate * each * alone.total_seconds() > _BUSY:
        tried = replace(plan, probes_per_second=rate)
        with Probes(tried, urls, headers, web, clock) as probes:
            probes.start_step(plan.steps[-1])
            clock.sleep(max(_TRIAL, (WARM_UP + 1) * alone))
            found = probes.read()
        if all(_keeps_up(sample, alone) for sample in (found.candidate, found.baseline)):
            break
        rate /= 2
    return rate


def _alone(plan: CanaryPlan, urls: tuple[str, str], headers: Headers, web: HttpClient) -> timedelta:
    """Return how long an answer takes on average, of the slower revision; none if none comes."""
    return max(_average(plan, url, headers, web) for url in urls)


def _average(plan: CanaryPlan, url: str, headers: Headers, web: HttpClient) -> timedelta:
    taken = []
    for probe in plan.probes:
        for _ in range(_ALONE):
            with suppress(CallFailed):
                sent = request(probe, url, headers(probe.identity), _TIMEOUT)
                taken.append(web.send(sent).latency)
    return sum(taken, timedelta()) / len(taken) if taken else timedelta()


def _keeps_up(sample: Sample, alone: timedelta) -> bool:
    if not sample.latencies.total:
        return False
    return sample.latencies.quantile(0.5) * _MS <= _SLOWED * alone
