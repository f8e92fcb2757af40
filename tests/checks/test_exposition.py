"""What a service tells Prometheus is parsed, selected and compared, never grepped."""

from contextlib import suppress
from math import isnan

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenrun.checks.metrics.exposition import Exposition, Selector
from greenrun.model.errors import ReleaseError

TOLD = """# TYPE process_start_time_seconds gauge
process_start_time_seconds 1700000000.5
# TYPE requests_total counter
requests_total{method="GET",path="/a",status="200"} 3
requests_total{method="GET",path="/b",status="500"} 1
requests_total{method="POST",path="/a b",status="502"} 2
# TYPE failures_total counter
# TYPE cached gauge
cached 7
cached{tier="cold"} NaN
# TYPE took_seconds histogram
took_seconds_bucket{le="1.0"} 1
took_seconds_bucket{le="+Inf"} 2
took_seconds_count 2
took_seconds_sum 9
# TYPE cached_created gauge
cached_created 1.7e9
"""


@pytest.fixture(scope="module")
def told() -> Exposition:
    return Exposition.parse(TOLD)


def value(told: Exposition, selector: str) -> float:
    return told.value(Selector.parse(selector))


def test_families_have_their_types_and_labels(told: Exposition) -> None:
    assert [str(family) for family in told.families] == [
        "process_start_time_seconds (gauge)",
        "requests (counter, method, path, status)",
        "failures (counter)",
        "cached (gauge, tier)",
        "took_seconds (histogram, le)",
    ]


@pytest.mark.parametrize(
    ("selector", "sum_"),
    [
        ("requests_total", 6),
        ("requests", 6),
        ('requests_total{path="/a"}', 3),
        ('requests_total{path="/a", status="200"}', 3),
        ('requests_total{status!="200"}', 3),
        ('requests_total{status=~"5.."}', 3),
        ('requests_total{status=~"5"}', 0),
        ('requests_total{status!~"5.."}', 3),
        ('requests_total{path="/a b"}', 2),
        ('requests_total{status="404"}', 0),
        ("failures_total", 0),
        ('cached{tier=""}', 7),
        ("took_seconds_count", 2),
        ('took_seconds_bucket{le="1.0"}', 1),
    ],
)
def test_series_are_summed(told: Exposition, selector: str, sum_: float) -> None:
    assert value(told, selector) == sum_


@pytest.mark.parametrize(
    "selector",
    [
        "nothing_total",
        'requests_total{verb="GET"}',
        'failures_total{status="500"}',
        'cached{tier="hot"}',
        "cached",
        "took_seconds",
    ],
)
def test_what_is_not_told_is_no_number(told: Exposition, selector: str) -> None:
    assert isnan(value(told, selector))


@pytest.mark.parametrize(
    "text", ["", "5xx", "a b", "a{", "a{}", "a{b}", "a{b=c}", 'a{b="c"', 'a{b="c" d="e"}']
)
def test_what_selects_no_series(text: str) -> None:
    with pytest.raises(ReleaseError, match="needs a name"):
        Selector.parse(text)


def test_a_pattern_that_is_none() -> None:
    with pytest.raises(ReleaseError, match=r"label b: got '\(', needs a pattern"):
        Selector.parse('a{b=~"("}')


@given(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])))
def test_any_value_of_a_label_can_be_selected(text: str) -> None:
    registry = prometheus_client.CollectorRegistry()
    gauge = prometheus_client.Gauge("g", "A gauge.", ("label",), registry=registry)
    gauge.labels(text).set(5)
    gauge.labels(text + "other").set(3)
    told = Exposition.parse(prometheus_client.generate_latest(registry).decode())
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    selector = Selector.parse(f'g{{label="{quoted}"}}')
    assert told.value(selector) == 5
    assert Selector.parse(str(selector)) == selector


MANGLED = st.lists(st.sampled_from([*TOLD.splitlines(), "{", "}", '"', "#", " ", "# EOF"]))
MEDIA_TYPES = st.sampled_from(["text/plain", "application/openmetrics-text"])


@given(st.text() | MANGLED.map("\n".join) | MANGLED.map("".join), MEDIA_TYPES)
def test_any_text_is_parsed_or_refused(text: str, media_type: str) -> None:
    with suppress(ValueError):
        told = Exposition.parse(text, media_type)
        assert told.is_of_the_process(told)


def test_open_metrics_are_read_as_such() -> None:
    text = "# TYPE asked counter\nasked_total 4\nasked_created 1.0\n# EOF\n"
    told = Exposition.parse(text, "application/openmetrics-text; version=1.0.0")
    assert value(told, "asked_total") == value(told, "asked") == 4


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("", "", True),
        ("cached 7", "cached 1", True),
        ('status="200"} 3', 'status="200"} 4', True),
        ('status="200"} 3', 'status="200"} 2', False),
        ('requests_total{method="GET",path="/a",status="200"} 3\n', "", False),
        ('took_seconds_bucket{le="+Inf"} 2', 'took_seconds_bucket{le="+Inf"} 1', False),
        ("took_seconds_sum 9", "took_seconds_sum 8", True),
        ("1700000000.5", "1700000001.5", False),
    ],
)
def test_another_process_is_known_by_its_start_and_by_what_fell(
    told: Exposition, old: str, new: str, same: object
) -> None:
    assert Exposition.parse(TOLD.replace(old, new)).is_of_the_process(told) == same
