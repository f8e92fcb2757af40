"""Time series of Cloud Monitoring about one revision."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from google.cloud.monitoring_v3.types import (
    ListTimeSeriesRequest,
    TimeInterval,
    TimeSeries,
    TypedValue,
)

from greenrun.adapters.gcp.calls import ANSWER_SECONDS, PATIENT, refused
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.model.plan import Location


@dataclass(frozen=True, slots=True)
class RevisionSeries:
    """Reads them for the revisions of one service."""

    clients: GoogleClients = field(repr=False)
    place: Location
    service: str

    def read(
        self, metric: str, revision: str, since: datetime, until: datetime
    ) -> Sequence[TimeSeries]:
        """All series of a metric in that time. Raises CallFailed where they cannot be read."""
        request = ListTimeSeriesRequest(
            name=f"projects/{self.place.project}",
            filter=self._filter(metric, revision),
            interval=_interval(since, until),
            view=ListTimeSeriesRequest.TimeSeriesView.FULL,
        )
        with refused(f"read {metric} of revision {revision}"):
            found = self.clients.metrics.list_time_series(
                request, retry=PATIENT, timeout=ANSWER_SECONDS
            )
            return list(found)

    def _filter(self, metric: str, revision: str) -> str:
        terms = {
            "metric.type": metric,
            "resource.type": "cloud_run_revision",
            "resource.labels.location": self.place.region,
            "resource.labels.service_name": self.service,
            "resource.labels.revision_name": revision,
        }
        return " AND ".join(f"{field}={json.dumps(value)}" for field, value in terms.items())


def values(series: TimeSeries, since: datetime) -> Iterator[TypedValue]:
    """Those of whole periods: what shares one with the time before `since` is left out."""
    for point in series.points:
        if TimeInterval.pb(point.interval).start_time.ToDatetime(UTC) >= since:
            yield point.value


def _interval(since: datetime, until: datetime) -> TimeInterval:
    interval = TimeInterval()
    written = TimeInterval.pb(interval)
    written.start_time.FromDatetime(since)
    written.end_time.FromDatetime(until)
    return interval
