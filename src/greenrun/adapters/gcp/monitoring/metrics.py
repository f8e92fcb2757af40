"""Cloud Monitoring: how many requests a revision answered, how well and how fast."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import add
from typing import Any

from google.cloud.monitoring_v3.types import TimeSeries

from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.monitoring.memory import CloudMemory
from greenrun.adapters.gcp.monitoring.series import RevisionSeries, values
from greenrun.model.errors import CallFailed
from greenrun.model.histogram import UNKNOWN, Histogram
from greenrun.model.interfaces import Clock
from greenrun.model.objective import Quantity
from greenrun.model.plan import Location
from greenrun.model.stats import Counts, Sample

RawDistribution = Any  # google.api.Distribution

_COUNT = "run.googleapis.com/request_count"
_LATENCIES = "run.googleapis.com/request_latencies"
_LAG, _EMULATED_LAG = timedelta(minutes=4), timedelta(seconds=2)


class CloudMetrics:
    """The platform's figures of one service.

    Source: https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run
    """

    def __init__(self, clients: GoogleClients, place: Location, service: str, clock: Clock) -> None:
        self._clients = clients
        self._series = RevisionSeries(clients, place, service)
        self._memory = CloudMemory(clients, place, service, clock)
        self._clock = clock

    @property
    def lag(self) -> timedelta:
        """Points are written each minute, and seen up to 3 minutes later; emulators are quicker."""
        return _EMULATED_LAG if self._clients.emulated else _LAG

    def sample(self, revision: str, since: datetime, until: datetime | None = None) -> Sample:
        """What a revision has answered: whole periods that lie within that time."""
        end = until or self._clock.now()
        counts = _by_class(self._series.read(_COUNT, revision, since, end), since)
        latencies = _merged(self._series.read(_LATENCIES, revision, since, end), since)
        bad = counts["5xx"]
        return Sample(Counts(counts.total() - bad, bad), latencies)

    def memory(self, revision: str, since: datetime) -> Quantity | None:
        """The most that an instance has used of its limit since then, in %; None: no data."""
        return self._memory.memory(revision, since)


def _by_class(series: Iterable[TimeSeries], since: datetime) -> Counter[str]:
    """How many requests each class of status (2xx, 5xx, ...) had."""
    counts: Counter[str] = Counter()
    for one in series:
        status = one.metric.labels["response_code_class"]
        counts[status] += sum(value.int64_value for value in values(one, since))
    return counts


def _merged(series: Iterable[TimeSeries], since: datetime) -> Histogram:
    """All latencies in one histogram; an empty one where there are none."""
    found = (value for one in series for value in values(one, since))
    parts = (_histogram(value.distribution_value) for value in found)
    return reduce(add, parts, next(parts, UNKNOWN))


def _histogram(distribution: RawDistribution) -> Histogram:
    buckets = distribution.bucket_options
    if not buckets.HasField("exponential_buckets"):
        raise CallFailed(
            f"could not read {_LATENCIES}: got {buckets.WhichOneof('options')}, "
            "needs exponential_buckets"
        )
    growth = buckets.exponential_buckets
    return Histogram.exponential(
        growth.num_finite_buckets, growth.growth_factor, growth.scale, distribution.bucket_counts
    )
