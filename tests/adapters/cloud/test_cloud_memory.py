"""Memory of a revision: of a real container through Google's own client, and as fakes tell it."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from google.api.distribution_pb2 import Distribution
from google.cloud import run_v2
from google.cloud.monitoring_v3.types import Point, TimeInterval, TimeSeries, TypedValue

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.docker import DockerRuntime
from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.adapters.gcp.monitoring.metrics import CloudMetrics, highest
from greenrun.adapters.machine import SystemClock
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import Clock, Metrics
from greenrun.model.plan import Location
from tests.fakes import FakeClock, FakeMetrics

PLACE = Location("memory-project", "europe-west1")
HOLDING = """
import http.server, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
held = b"x" * (64 * 2**20)
handler = http.server.SimpleHTTPRequestHandler
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), handler).serve_forever()
"""
SOON = timedelta(seconds=30)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Held:
    """What tells of `web-one`, which holds half of its memory by now."""

    metrics: Metrics
    clock: Clock


@pytest.fixture(scope="module", params=["fake", pytest.param("cloud", marks=pytest.mark.docker)])
def held(request: pytest.FixtureRequest) -> Held:
    """The same of every implementation."""
    found: Held = request.getfixturevalue(f"{request.param}_held")
    return found


@pytest.fixture(scope="module")
def fake_held() -> Held:
    clock = FakeClock()
    return Held(FakeMetrics(clock, using={"web-one": 60.0}), clock)


@pytest.fixture(scope="module")
def cloud_held() -> Iterator[Held]:
    """A cloud of real containers, once it has looked at one that holds 64 of its 128 MiB."""
    clock = SystemClock()
    with (
        LocalCloud(DockerRuntime(), EnvoyIngress()) as cloud,
        closing(GoogleClients(Endpoints.all_at(cloud.grpc))) as clients,
    ):
        create(clients)
        metrics = CloudMetrics(clients, PLACE, "web", clock)

        def half_full() -> bool:
            used = metrics.highest("memory", "web-one", earlier(clock), clock.now())
            return used is not None and used.value > 50

        wait_until(half_full, SOON, "a look at the container while it holds 64 of its 128 MiB")
        yield Held(metrics, clock)


def create(clients: GoogleClients) -> None:
    limits = run_v2.ResourceRequirements(limits={"memory": "128Mi", "cpu": "1"})
    container = run_v2.Container(
        image="python:3.11-slim", command=["python3", "-c", HOLDING], resources=limits
    )
    template = run_v2.RevisionTemplate(revision="web-one", containers=[container])
    service = run_v2.Service(template=template, invoker_iam_disabled=True)
    begun = clients.services.create_service(parent=PLACE.parent, service_id="web", service=service)
    begun.result(timeout=60)  # type: ignore[no-untyped-call] # bare there


def earlier(clock: Clock) -> datetime:
    return clock.now() - timedelta(minutes=5)


def test_the_most_that_was_used_is_told_in_percent_of_the_limit(held: Held) -> None:
    used = held.metrics.highest("memory", "web-one", earlier(held.clock), held.clock.now())
    assert used is not None
    assert (used.unit, 50 < used.value < 80) == ("%", True)  # and an interpreter


def test_nothing_is_told_of_another_revision(held: Held) -> None:
    assert held.metrics.highest("memory", "web-two", earlier(held.clock), held.clock.now()) is None


def test_nothing_is_told_of_what_has_not_been_yet(held: Held) -> None:
    assert held.metrics.highest("memory", "web-one", held.clock.now(), held.clock.now()) is None


def test_a_runtime_that_measures_no_memory_tells_none(
    clients: GoogleClients, place: Location
) -> None:
    clock = SystemClock()
    metrics = CloudMetrics(clients, place, "web", clock)
    assert metrics.highest("memory", "web-one", earlier(clock), clock.now()) is None


def series(options: Mapping[str, object], *distributions: list[int]) -> list[TimeSeries]:
    """A point of noon for each distribution; of several values, none is told but by its bucket."""
    values = (
        Distribution(count=sum(counts), mean=0.333, bucket_counts=counts, bucket_options=options)
        for counts in distributions
    )
    minute = TimeInterval(start_time=NOON, end_time=NOON + timedelta(minutes=1))
    points = [
        Point(value=TypedValue(distribution_value=value), interval=minute) for value in values
    ]
    return [TimeSeries(points=points)]


LINEAR = {"linear_buckets": {"num_finite_buckets": 2, "width": 0.5, "offset": 0}}
GROWING = {"exponential_buckets": {"num_finite_buckets": 2, "growth_factor": 2, "scale": 0.25}}
EXPLICIT = {"explicit_buckets": {"bounds": [0.2, 0.4, 0.8]}}


@pytest.mark.parametrize(
    ("options", "distributions", "percent"),
    [
        (LINEAR, [[0, 2]], 50),
        (LINEAR, [[0, 2, 1]], 100),
        (LINEAR, [[0, 0, 1, 1]], 100),
        (GROWING, [[2]], 25),
        (GROWING, [[0, 1, 1]], 100),
        (GROWING, [[0, 0, 0, 2]], 100),
        (EXPLICIT, [[0, 2], [2]], 40),
        (EXPLICIT, [[0, 0, 0, 2]], 80),
        (EXPLICIT, [[0, 1]], 33.3),
    ],
)
def test_the_highest_value_is_where_its_bucket_ends(
    options: Mapping[str, object], distributions: list[list[int]], percent: float
) -> None:
    found = highest(series(options, *distributions), NOON)
    assert found == pytest.approx(percent / 100)


def test_nothing_that_was_counted_is_no_data() -> None:
    assert highest([], NOON) is None
    assert highest(series(LINEAR, [0, 0]), NOON) is None


def test_what_shares_a_period_with_the_time_before_is_left_out() -> None:
    assert highest(series(LINEAR, [0, 1]), NOON + timedelta(seconds=1)) is None


def test_buckets_that_nobody_knows_are_not_guessed() -> None:
    with pytest.raises(CallFailed, match="got buckets None, needs"):
        highest(series({}, [0, 2]), NOON)
