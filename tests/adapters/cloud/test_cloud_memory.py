"""Memory of a revision, from a real container through Google's own client."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from google.api.distribution_pb2 import Distribution
from google.cloud import run_v2
from google.cloud.monitoring_v3.types import Point, TimeSeries, TypedValue

from greenrun.adapters.clock import SystemClock
from greenrun.adapters.cloud_memory import CloudMemory, highest
from greenrun.adapters.google_clients import Endpoints, GoogleClients
from greenrun.domain.gate import Quantity
from greenrun.domain.plan import Place
from greenrun.errors import CallFailed
from greenrun.local_cloud.cloud import LocalCloud
from greenrun.local_cloud.ingress.envoy import EnvoyIngress
from greenrun.local_cloud.instances.docker import DockerRuntime
from greenrun.local_cloud.waiting import until

PLACE = Place("memory-project", "europe-west1")
HOLDING = """
import http.server, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
held = b"x" * (64 * 2**20)
handler = http.server.SimpleHTTPRequestHandler
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), handler).serve_forever()
"""
SOON = timedelta(seconds=30)


@pytest.fixture(scope="module")
def containers() -> Iterator[GoogleClients]:
    """A cloud of real containers."""
    with (
        LocalCloud(DockerRuntime(), EnvoyIngress()) as cloud,
        closing(GoogleClients(Endpoints.all_at(cloud.grpc))) as clients,
    ):
        yield clients


def earlier() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=5)


@pytest.mark.docker
def test_a_container_that_holds_half_of_its_memory_is_seen_to(containers: GoogleClients) -> None:
    limits = run_v2.ResourceRequirements(limits={"memory": "128Mi", "cpu": "1"})
    container = run_v2.Container(
        image="python:3.11-slim", command=["python3", "-c", HOLDING], resources=limits
    )
    template = run_v2.RevisionTemplate(revision="web-one", containers=[container])
    containers.services.create_service(
        parent=PLACE.parent,
        service_id="web",
        service=run_v2.Service(template=template, invoker_iam_disabled=True),
    ).result(timeout=60)

    memory = CloudMemory(containers, PLACE, "web", SystemClock())

    def half_full() -> Quantity | None:
        used = memory.memory("web-one", earlier())
        return used if used and used.value > 50 else None

    used = until(half_full, SOON, "a look at the container while it holds 64 of its 128 MiB")
    assert (used.unit, used.value < 80) == ("%", True)  # and an interpreter
    assert memory.memory("web-two", earlier()) is None


def test_a_runtime_that_measures_no_memory_tells_none(clients: GoogleClients, place: Place) -> None:
    memory = CloudMemory(clients, place, "web", SystemClock())
    assert memory.memory("web-one", earlier()) is None


def series(options: dict[str, object], *distributions: list[int]) -> list[TimeSeries]:
    """A point for each distribution; of several values none is told but by its bucket."""
    values = (
        Distribution(count=sum(counts), mean=0.333, bucket_counts=counts, bucket_options=options)
        for counts in distributions
    )
    points = [Point(value=TypedValue(distribution_value=value)) for value in values]
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
    options: dict[str, object], distributions: list[list[int]], percent: float
) -> None:
    assert highest(series(options, *distributions)) == Quantity(pytest.approx(percent), "%")


def test_nothing_that_was_counted_is_no_data() -> None:
    assert highest([]) is None
    assert highest(series(LINEAR, [0, 0])) is None


def test_buckets_that_nobody_knows_are_not_guessed() -> None:
    with pytest.raises(CallFailed, match="got buckets None, needs"):
        highest(series({}, [0, 2]))
