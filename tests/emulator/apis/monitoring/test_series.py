"""Time series from the requests of an ingress."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.monitoring_v3.types import Aggregation, ListTimeSeriesRequest, TimeSeries
from grpc import StatusCode

from cloudrun_emulator.apis.monitoring.series import Monitoring
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import ServedRequest
from tests.contract.caller import moment
from tests.emulator.answered import AnsweredIngress

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
COUNT = 'metric.type="run.googleapis.com/request_count"'
LATENCIES = 'metric.type="run.googleapis.com/request_latencies"'
SUM = {"alignment_period": {"seconds": 60}, "per_series_aligner": "ALIGN_SUM"}


def request(
    second: float = 0.5, *, status: int = 200, revision: str = "web-001", milliseconds: float = 0
) -> ServedRequest:
    """One that finished `second` seconds after noon."""
    latency = timedelta(milliseconds=milliseconds)
    return ServedRequest(
        time=NOON + timedelta(seconds=second) - latency,
        service="projects/p/locations/l/services/web",
        revision=revision,
        method="GET",
        url="http://127.0.0.1:1/",
        status=status,
        latency=latency,
        user_agent="",
        response_bytes=0,
    )


def series(
    *requests: ServedRequest,
    text: str = COUNT,
    now: datetime = NOON + timedelta(hours=1),
    lag: timedelta = timedelta(),
    **options: Any,  # noqa: ANN401 - fields of the request
) -> list[TimeSeries]:
    """Those of the first minute after noon, unless `options` ask for something else."""
    monitoring = Monitoring(AnsweredIngress(requests), lag=lag, clock=lambda: now)
    interval = {"start_time": NOON, "end_time": NOON + timedelta(seconds=60)}
    asked = {"name": "projects/p", "filter": text, "interval": interval, **options}
    return list(monitoring.list_time_series(ListTimeSeriesRequest(asked)).time_series)


def counts(one: TimeSeries) -> dict[int, int]:
    """Requests by the end of their point, in seconds after noon."""
    return {
        round((moment(point.interval.end_time) - NOON).total_seconds()): point.value.int64_value
        for point in one.points
    }


def test_requests_are_counted_by_the_second_in_which_they_finished_newest_first() -> None:
    (one,) = series(request(0.2), request(1.9), request(1.1), request(0.0, milliseconds=5))
    assert list(counts(one).items()) == [(2, 2), (1, 1)]
    assert one.points[0].interval.start_time == NOON + timedelta(seconds=1)


def test_a_series_is_told_by_revision_and_response_code() -> None:
    requests = (request(), request(status=503), request(revision="web-002"))
    told = {
        (
            one.resource.labels["revision_name"],
            one.metric.labels["response_code"],
            one.metric.labels["response_code_class"],
        )
        for one in series(*requests)
    }
    assert told == {
        ("web-001", "200", "2xx"),
        ("web-001", "503", "5xx"),
        ("web-002", "200", "2xx"),
    }


def test_a_series_says_what_it_is() -> None:
    (one,) = series(request())
    assert one.metric.type == "run.googleapis.com/request_count"
    assert one.resource.type == "cloud_run_revision"
    assert dict(one.resource.labels) == {
        "project_id": "p",
        "location": "l",
        "service_name": "web",
        "configuration_name": "web",
        "revision_name": "web-001",
    }
    assert (one.metric_kind, one.value_type, one.unit) == (2, 2, "1")


def test_latencies_are_a_distribution_of_milliseconds() -> None:
    (one,) = series(*(request(milliseconds=value) for value in (0.5, 1, 1.2, 100)), text=LATENCIES)
    distribution = one.points[0].value.distribution_value
    buckets = distribution.bucket_options.exponential_buckets
    assert distribution.count == 4
    assert distribution.mean == pytest.approx(25.675)
    assert distribution.sum_of_squared_deviation == pytest.approx(7365.8675)
    assert (buckets.growth_factor, buckets.scale) == (1.4, 1)
    assert len(distribution.bucket_counts) == buckets.num_finite_buckets + 2
    filled = {place: count for place, count in enumerate(distribution.bucket_counts) if count}
    assert filled == {0: 1, 1: 2, 14: 1}  # 1.4 ** 13 is 79, 1.4 ** 14 is 111
    assert (one.value_type, one.unit) == (5, "ms")


def test_the_interval_leaves_out_its_start_and_takes_in_its_end() -> None:
    (one,) = series(request(-0.5), request(0), request(0.1), request(60), request(60.1))
    assert counts(one) == {60: 1, 1: 1}


def test_what_may_still_change_is_withheld() -> None:
    now = NOON + timedelta(seconds=10)
    (one,) = series(request(8.5), request(9.5), now=now)
    assert counts(one) == {9: 1}


def test_a_lag_withholds_what_is_younger() -> None:
    now = NOON + timedelta(seconds=190)
    (one,) = series(request(8.5), request(9.5), now=now, lag=timedelta(seconds=180))
    assert counts(one) == {9: 1}


def test_alignment_counts_backwards_from_the_end_of_the_interval() -> None:
    requests = (request(1), request(29), request(31), request(59))
    (one,) = series(*requests, aggregation={**SUM, "alignment_period": {"seconds": 30}})
    assert counts(one) == {60: 2, 30: 2}
    assert one.points[0].interval.start_time == NOON + timedelta(seconds=30)


def test_a_sum_across_series_keeps_the_labels_that_it_groups_by() -> None:
    requests = (request(), request(status=500), request(revision="web-002"))
    aggregation = {
        **SUM,
        "cross_series_reducer": "REDUCE_SUM",
        "group_by_fields": ["resource.label.revision_name"],
    }
    first, second = series(*requests, aggregation=aggregation)
    assert dict(first.resource.labels) == {"revision_name": "web-001"}
    assert dict(first.metric.labels) == {}
    assert (counts(first), counts(second)) == ({60: 2}, {60: 1})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('metric.labels.response_code_class="5xx"', 1),
        ('metric.label.response_code!="200"', 1),
        ('resource.labels.revision_name=("web-001" OR "web-002")', 2),
        ('resource.type="cloud_run_revision" AND resource.labels.service_name="web"', 2),
        ('resource.type="k8s_pod"', 0),
    ],
)
def test_filters(text: str, expected: int) -> None:
    requests = (request(), request(status=500, revision="web-002"))
    assert len(series(*requests, text=f"{COUNT} AND {text}")) == expected


def test_headers_alone_have_no_points() -> None:
    (one,) = series(request(), view="HEADERS")
    assert not one.points


def test_other_projects_are_not_told() -> None:
    assert not series(request(), name="projects/other")


@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        ({"text": ""}, StatusCode.INVALID_ARGUMENT, "metric.type"),
        ({"text": f"{COUNT} OR {LATENCIES}"}, StatusCode.INVALID_ARGUMENT, "exactly one"),
        ({"text": 'metric.type="x"'}, StatusCode.NOT_FOUND, '"x"'),
        ({"text": f"{COUNT} user.labels.a=1"}, StatusCode.INVALID_ARGUMENT, "user.labels.a"),
        (
            {"text": f"{COUNT} metric.labels.response_code>=500"},
            StatusCode.INVALID_ARGUMENT,
            "response_code",
        ),
        ({"name": "folders/1"}, StatusCode.INVALID_ARGUMENT, "folders/1"),
        ({"interval": {}}, StatusCode.INVALID_ARGUMENT, "end_time"),
        (
            {"aggregation": {**SUM, "per_series_aligner": "ALIGN_RATE"}},
            StatusCode.UNIMPLEMENTED,
            "ALIGN_RATE",
        ),
        (
            {"aggregation": {**SUM, "cross_series_reducer": "REDUCE_MEAN"}},
            StatusCode.UNIMPLEMENTED,
            "REDUCE_MEAN",
        ),
        (
            {"aggregation": {"cross_series_reducer": "REDUCE_SUM"}},
            StatusCode.INVALID_ARGUMENT,
            "aligner",
        ),
        (
            {"aggregation": {"per_series_aligner": Aggregation.Aligner.ALIGN_DELTA}},
            StatusCode.INVALID_ARGUMENT,
            "alignment_period",
        ),
    ],
)
def test_what_is_not_understood_is_named(
    options: dict[str, Any], code: StatusCode, named: str
) -> None:
    with pytest.raises(CloudError) as refusal:
        series(request(), **options)
    assert refusal.value.code is code
    assert named in refusal.value.message
