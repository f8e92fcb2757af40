"""Charts tell what was seen, in documents that are small, alike, and never missing for a crash."""

import math
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from greenrun.model.canary_step import CanaryStep, CountedBy, Observation
from greenrun.model.stats import Counts, Histogram, LogEvidence, Outcome, Sample
from greenrun.model.stats.result import SequentialState
from greenrun.reporting.charts.charts import MatplotlibCharts
from greenrun.reporting.charts.labels import Label, apart, joined
from tests.canary.streams import BEGAN, TEST, Canary

EVIDENCE, LATENCIES, TRAFFIC = NAMES = (
    "canary: evidence over time",
    "canary: latencies of both revisions",
    "canary: traffic over time",
)
WORSE = Canary(errors=0.05).steps()
SLOWER = Canary(max_latency_increase=1.6).steps()
HEALTHY = Canary(max_seconds=900).steps()
UNDECIDED = Canary(errors=0.006, users=1, probes=4, shares=(10,)).steps()


def drawn(*steps: CanaryStep) -> dict[str, bytes]:
    return {chart.name: chart.svg for chart in MatplotlibCharts().of_canary(steps)}


def words(svg: bytes) -> list[str]:
    """Every text of a drawing; title and description included."""
    return [text for text in map(str.strip, ET.fromstring(svg).itertext()) if text]


def told(svg: bytes) -> str:
    return " ".join(words(svg))


def looked(candidate: Sample, baseline: Sample, outcome: Outcome = Outcome.NO_DATA) -> CanaryStep:
    """A step of a second with one look at these."""
    results = TEST.update(TEST.start(), candidate, baseline)
    end = BEGAN + timedelta(seconds=1)
    observation = Observation(end, CountedBy.PLATFORM, candidate, baseline, results)
    return CanaryStep(10, outcome, "no data: nobody came", BEGAN, end, (observation,))


NOBODY = Sample(Counts())


@pytest.mark.parametrize("canary", [WORSE, SLOWER, HEALTHY, UNDECIDED])
def test_the_sentence_is_what_is_read_first(canary: tuple[CanaryStep, ...]) -> None:
    first = canary[-1].sentence
    title = words(drawn(*canary)[EVIDENCE])[0]
    assert title.lower() == first.lower()


def test_a_canary_has_its_three_charts() -> None:
    assert tuple(drawn(*WORSE)) == NAMES


def test_the_decision_is_marked_with_its_time() -> None:
    seconds = (WORSE[-1].ended - BEGAN).total_seconds()
    assert f"rolled back after {seconds:.0f} s" in words(drawn(*WORSE)[EVIDENCE])
    assert "undecided after 5 min" in words(drawn(*UNDECIDED)[EVIDENCE])


def test_the_part_that_decided_is_named_with_both_sides_and_the_others_are() -> None:
    text = words(drawn(*SLOWER)[EVIDENCE])
    assert {"against: p50", "for: p50"} <= set(text)
    assert "against: errors" not in text
    others = {"errors", "error limit", "p95", "p99", "p50 limit", "p95 limit", "p99 limit"}
    assert all(other in " ".join(text) for other in others)


def test_every_step_is_named_by_its_share() -> None:
    for svg in (drawn(*HEALTHY)[EVIDENCE], drawn(*HEALTHY)[TRAFFIC]):
        assert {"10 % passed", "50 % passed"} <= set(words(svg))


def test_every_watcher_has_a_panel() -> None:
    text = told(drawn(*HEALTHY)[EVIDENCE])
    assert "Evidence by our own probes" in text
    assert "Evidence by the platform's metrics" in text
    users = Canary(errors=0.2, probes=0, users=40).steps()
    assert "our own probes" not in "".join(told(svg) for svg in drawn(*users).values())


def test_who_had_counted_nothing_by_then_is_said_to() -> None:
    assert "nothing had been counted by then" in told(drawn(*SLOWER)[EVIDENCE])


def test_latencies_are_told_in_milliseconds_side_by_side() -> None:
    last = SLOWER[-1].last(CountedBy.PROBES)
    assert last
    before, after = (one.latencies.quantile(0.5) for one in (last.baseline, last.candidate))
    change = round(100 * (after / before - 1))
    assert f"{before:.0f} ms → {after:.0f} ms (+{change} %)" in words(drawn(*SLOWER)[LATENCIES])


def test_limits_that_are_known_are_drawn() -> None:
    last = SLOWER[-1].observations[-1]
    limit = replace(last.results.by_part["p95 limit"], state=SequentialState(bounds=(800.0, 800.0)))
    results = replace(last.results, by_part={**last.results.by_part, "p95 limit": limit})
    observations = [
        replace(one, results=results) if one.counted_by is CountedBy.PROBES else one
        for one in SLOWER[-1].observations
    ]
    step = replace(SLOWER[-1], observations=tuple(observations))
    assert "limit 800 ms" in words(drawn(step)[LATENCIES])


def test_errors_of_both_revisions_are_told() -> None:
    last = WORSE[-1].last(CountedBy.PROBES)
    assert last
    text = words(drawn(*WORSE)[TRAFFIC])
    assert f"candidate: {last.candidate.counts} failed" in text
    assert f"baseline: {last.baseline.counts} failed" in text


def test_where_nothing_failed_a_chart_says_so() -> None:
    steps = Canary(errors=0, shares=(10,), max_seconds=5, users=0, seed=1).steps()
    assert "none failed" in words(drawn(*steps)[TRAFFIC])


def test_text_stays_text_and_nothing_is_loaded_from_elsewhere() -> None:
    for svg in drawn(*WORSE).values():
        root = ET.fromstring(svg)
        assert root.findall(".//{http://www.w3.org/2000/svg}text")
        links = [value for one in root.iter() for key, value in one.items() if "href" in key]
        assert all(link.startswith("#") for link in links)


def test_the_same_canary_gives_the_same_bytes_in_another_process() -> None:
    program = (
        "import sys, hashlib; from tests.canary.streams import Canary;"
        "from greenrun.reporting.charts.charts import MatplotlibCharts;"
        "charts = MatplotlibCharts().of_canary(Canary(errors=0.05).steps());"
        "sys.stdout.buffer.write(b''.join(chart.svg for chart in charts))"
    )
    again = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert again.stdout == b"".join(drawn(*WORSE).values())


def test_a_long_canary_stays_small() -> None:
    long = Canary(errors=0.006, users=20, probes=20, max_seconds=900, shares=(10,)).steps()
    assert len(long[0].observations) == 2 * 900
    sizes = {name: len(svg) for name, svg in drawn(*long).items()}
    assert max(sizes.values()) < 100_000, sizes


def test_nothing_is_drawn_of_nothing() -> None:
    unseen = CanaryStep(10, Outcome.NO_DATA, "no data", BEGAN, BEGAN, ())
    assert drawn() == {}
    assert drawn(unseen) == {}


def test_where_nothing_was_counted_the_chart_of_evidence_says_so() -> None:
    charts = drawn(looked(NOBODY, NOBODY))
    assert list(charts) == [EVIDENCE]
    assert {"No data: nobody came", "nothing had been counted by then"} <= set(
        words(charts[EVIDENCE])
    )


@pytest.mark.parametrize(
    ("candidate", "baseline"),
    [
        (Sample(Counts(3, 0)), NOBODY),
        (NOBODY, Sample(Counts(0, 3))),
        (Sample(Counts(1), Histogram((1.0, 2.0), (0, 1))), Sample(Counts(1))),
        (Sample(Counts(1), Histogram((0.0,), (1,))), Sample(Counts(1), Histogram((0.0,), (0, 1)))),
        (
            Sample(Counts(2), Histogram((0.0, 5.0), (0, 1, 1))),
            Sample(Counts(2), Histogram((0.0, 5.0), (2,))),
        ),
    ],
)
def test_odd_counts_are_drawn_as_far_as_they_go(candidate: Sample, baseline: Sample) -> None:
    charts = drawn(looked(candidate, baseline))
    timed = candidate.latencies.total and baseline.latencies.total
    assert list(charts) == [EVIDENCE, *([LATENCIES] if timed else []), TRAFFIC]
    assert all(words(svg) for svg in charts.values())


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("needed", [4.6, 0.0])
def test_evidence_that_is_no_number_breaks_nothing(value: float, needed: float) -> None:
    step = looked(Sample(Counts(3, 1)), Sample(Counts(3, 1)), Outcome.INCONCLUSIVE)
    (observation,) = step.observations
    odd = LogEvidence(value, value, needed, needed)
    parts = observation.results.by_part
    parts = {name: replace(part, evidence=odd) for name, part in parts.items()}
    observation = replace(observation, results=replace(observation.results, by_part=parts))
    assert "inf" not in drawn(replace(step, observations=(observation,)))[EVIDENCE].decode().lower()


def test_a_sentence_with_signs_of_formulas_and_markup_is_read_as_it_is() -> None:
    odd = "rolled back: $p_{95}$ of <shop> & 5 % > 3 %"
    step = replace(WORSE[-1], sentence=odd)
    assert odd.capitalize().lower() in " ".join(words(drawn(step)[EVIDENCE])).lower()


def test_a_release_that_draws_nothing_does_not_pay_for_it() -> None:
    program = "import sys, greenrun.reporting.charts.charts; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"False"


def test_labels_keep_apart_and_move_no_more_than_that_takes() -> None:
    assert apart([0, 50, 90], [8, 8, 8]) == [0, 50, 90]
    assert apart([10, 10, 10], [8, 8, 8]) == [10, 18, 26]
    assert apart([99, 100], [8, 8]) == [92, 100]


def test_of_a_long_path_a_label_tells_the_end() -> None:
    label = Label(0, "against: /api/dashboard/costs/summary", "red", bold=True)
    assert label.lines == ["against:", "…shboard/costs/summary"]


def test_labels_of_one_place_are_one() -> None:
    told = [Label(0, "p50", "grey"), Label(1, "p95", "grey"), Label(50, "p99", "grey")]
    bold = Label(0, "against", "red", bold=True)
    assert [label.text for label in joined([*told, bold])] == ["p50, p95", "p99", "against"]
