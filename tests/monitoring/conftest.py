"""A service that is watched, and what it was released by."""

from datetime import timedelta

import pytest

from greenrun.model.monitoring import Figure, Level, Quantile, Rate, Share
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import BuildPlan, Location, MonitoringPlan, Plan
from greenrun.model.revision import RevisionSettings
from greenrun.reporting.monitoring import Objectives

URL = "https://shop-abc-ew.a.run.app"


@pytest.fixture
def objectives() -> Objectives:
    """Those of the canary, and of two figures."""
    limits = {
        "error rate": Quantity(5, "%"),
        "p95 latency": Quantity(800, "ms"),
        "p99 latency": Quantity(2000, "ms"),
    }
    canary = tuple(Threshold(name, "at most", limit) for name, limit in limits.items())
    forty = Threshold("cache hit rate", "at least", Quantity(40, "%"))
    hundred = Threshold("cache size", "at most", Quantity(100))
    return Objectives(Gate(canary), Gate((forty, hundred)))


@pytest.fixture
def watched() -> MonitoringPlan:
    hits, misses = "cache_hits_total", "cache_misses_total"
    return MonitoringPlan(
        figures=(
            Figure("success rate", Share(('requests_total{status!~"5.."}',), ("requests_total",))),
            Figure("p95 latency", Quantile("request_seconds", 0.95)),
            Figure("cache hit rate", Share((hits,), (hits, misses))),
            Figure("errors", Rate('requests_total{status=~"[45].."}', ("path", "status"))),
            Figure("cache size", Level("cache_size")),
        ),
        metrics_path="/api/metrics",
        credentials_file="/etc/prometheus/shop.token",
        alert_after=timedelta(minutes=5),
    )


@pytest.fixture
def service(watched: MonitoringPlan) -> Plan:
    return Plan(
        service="shop",
        environment="prod",
        place=Location("shop-project", "europe-west1"),
        build=BuildPlan("registry.test/shop"),
        settings=RevisionSettings(),
        monitoring=watched,
    )
