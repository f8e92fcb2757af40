"""How much of its memory a revision has used, by Cloud Monitoring."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from google.cloud.monitoring_v3.types import TimeSeries

from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.monitoring.series import RevisionSeries, values
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import Clock
from greenrun.model.objective import Quantity
from greenrun.model.plan import Location

RawDistribution = Any  # google.api.Distribution

UTILIZATIONS = "run.googleapis.com/container/memory/utilizations"


class CloudMemory:
    """Memory of one service's revisions. On Google it is sampled each minute, 2 minutes behind.

    Source: https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run
    """

    def __init__(self, clients: GoogleClients, place: Location, service: str, clock: Clock) -> None:
        self._series = RevisionSeries(clients, place, service)
        self._clock = clock

    def memory(self, revision: str, since: datetime) -> Quantity | None:
        """The most that an instance has used of its limit since then, in %; None: no data.

        As near as the platform's buckets tell, and never less than it was; of whole periods.
        """
        found = self._series.read(UTILIZATIONS, revision, since, self._clock.now())
        return highest(found, since)


def highest(series: Iterable[TimeSeries], since: datetime) -> Quantity | None:
    """The highest share of all points since then, in %; None where nothing was counted."""
    shares = [_highest(one) for one in _distributions(series, since)]
    return Quantity(100 * max(shares), "%") if shares else None


def _distributions(series: Iterable[TimeSeries], since: datetime) -> list[RawDistribution]:
    found = (value.distribution_value for one in series for value in values(one, since))
    return [distribution for distribution in found if distribution.count]


def _highest(distribution: RawDistribution) -> float:
    """The highest value; of several, where the bucket ends that it lies in."""
    if distribution.count == 1 or not distribution.bucket_counts:
        return float(distribution.mean)
    last = max(place for place, count in enumerate(distribution.bucket_counts) if count)
    return _end(distribution.bucket_options, last)


def _end(options: Any, place: int) -> float:  # noqa: ANN401 - a raw BucketOptions
    """Where bucket `place` ends; the open one, where it begins.

    Source: google.api.Distribution.BucketOptions
    """
    match options.WhichOneof("options"):
        case "linear_buckets":
            linear = options.linear_buckets
            return float(linear.offset + linear.width * min(place, linear.num_finite_buckets))
        case "exponential_buckets":
            growth = options.exponential_buckets
            return float(
                growth.scale * growth.growth_factor ** min(place, growth.num_finite_buckets)
            )
        case "explicit_buckets":
            bounds = options.explicit_buckets.bounds
            return float(bounds[min(place, len(bounds) - 1)])
        case unknown:
            raise CallFailed(
                f"could not read {UTILIZATIONS}: got buckets {unknown}, needs linear, "
                "exponential or explicit ones"
            )
