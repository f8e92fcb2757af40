"""The key `monitoring` of release.yaml: what is meant, and what cannot be."""

from datetime import timedelta
from pathlib import Path
from textwrap import indent

import pytest

from greenrun.config import load_plan
from greenrun.model.errors import SettingsError
from greenrun.model.monitoring import Figure, Level, Quantile, Rate, Share
from greenrun.model.plan import MonitoringPlan

SMALLEST = """\
service: shop
build: {repository: europe-west1-docker.pkg.dev/rehearsal/app/shop}
environments:
  prod: {project: rehearsal, region: europe-west1}
"""
GAUGE = "figures: {cache size: {gauge: cache_size}}\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "env.yaml").write_text("{}")
    return tmp_path


def plan(directory: Path, monitoring: str) -> MonitoringPlan | None:
    section = f"monitoring:\n{indent(monitoring, '  ')}" if monitoring else ""
    (directory / "release.yaml").write_text(SMALLEST + section)
    return load_plan(directory, "prod").monitoring


def figure(directory: Path, text: str) -> Figure:
    read = plan(directory, f"figures:\n  it:\n{indent(text, '    ')}")
    assert read
    return read.figures[0]


def complaint(directory: Path, monitoring: str) -> str:
    with pytest.raises(SettingsError) as caught:
        plan(directory, monitoring)
    (only,) = caught.value.complaints
    return str(only)


def test_what_is_left_out_is_not_watched(directory: Path) -> None:
    assert plan(directory, "") is None


def test_everything_else_has_a_default(directory: Path) -> None:
    assert plan(directory, GAUGE) == MonitoringPlan((Figure("cache size", Level("cache_size")),))


def test_everything_that_is_written_reaches_the_plan(directory: Path) -> None:
    written = """\
folder: ops
metrics-path: /api/metrics
scrape-interval: 15s
credentials-file: /etc/prometheus/shop.token
target: shop.example.com:8443
alerts: [memory, error rate]
alert-after: 1h30m
overwrite: true
"""
    assert plan(directory, written + GAUGE) == MonitoringPlan(
        figures=(Figure("cache size", Level("cache_size")),),
        folder="ops",
        metrics_path="/api/metrics",
        scrape_interval=timedelta(seconds=15),
        credentials_file="/etc/prometheus/shop.token",
        target="shop.example.com:8443",
        alerts=("memory", "error rate"),
        alert_after=timedelta(minutes=90),
        overwrite=True,
    )


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        (
            'share: hits{path=~"/a|/b", status!="5\\\\d"}\nof: [hits, misses]\n',
            Share(('hits{path=~"/a|/b", status!="5\\\\d"}',), ("hits", "misses")),
        ),
        ("quantile: 0.95\nhistogram: request_seconds\n", Quantile("request_seconds", 0.95)),
        ("rate: errors_total\nby: [path, status]\n", Rate("errors_total", ("path", "status"))),
        ("rate: errors_total\n", Rate("errors_total")),
        ("gauge: queue:depth{}\n", Level("queue:depth{}")),
    ],
)
def test_a_figure_is_read_off_metrics(directory: Path, text: str, reading: object) -> None:
    assert figure(directory, text) == Figure("it", reading)  # type: ignore[arg-type] # one of Reading


KINDS = "needs one of: share with of, quantile with histogram, rate, gauge"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("folder: x\n", "monitoring.figures: got nothing, needs a mapping"),
        ("figures: {}\n", "monitoring.figures: got an empty mapping, needs at least one figure"),
        ("figures: {it: {}}\n", KINDS),
        ("figures: {it: {share: a}}\n", KINDS),
        ("figures: {it: {gauge: a, rate: b}}\n", KINDS),
        ("figures: {it: {gauge: a, by: [b]}}\n", "needs `by` beside `rate` only"),
        ("figures: {it: {gauge: a b}}\n", "it.gauge: got 'a b', needs a metric of the service"),
        ("figures: {it: {gauge: 'a{b=c}'}}\n", "it.gauge: got 'a{b=c}', needs a metric"),
        ("figures: {it: {share: [], of: a}}\n", "it.share: got [], needs a metric"),
        ("figures: {it: {gauge: a, at-most: 5}}\n", "at-most: got an unknown key, needs one of"),
        ("figures: {it: {gage: a}}\n", "gage: got an unknown key, needs gauge"),
        (GAUGE + "alerts: [p42 latency]\n", "monitoring.alerts: got ['p42 latency'], needs a list"),
        (GAUGE + "alerts: [memory, memory]\n", "each at most once"),
        (GAUGE + "alert-after: 90s\n", "got '90s', needs a duration in whole minutes"),
        (GAUGE + "alert-after: 24h\n", "needs a duration in whole minutes from 1m to 23h"),
        (GAUGE + "target: https://x\n", "got 'https://x', needs HOST or HOST:PORT"),
        (GAUGE + "folder: /etc\n", "monitoring.folder: got '/etc', needs a path relative"),
        ("\n", "monitoring: got nothing, needs its keys below it, or to be left out"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_complaint(
    directory: Path, written: str, message: str
) -> None:
    assert message in complaint(directory, written)
