"""A gate opens on proof, and on nothing else."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from greenrun.domain.gate import Gate, Quantity, Threshold, Verdict, worst

NUMBERS = st.floats(allow_nan=False)
RELATIONS = st.sampled_from(["at most", "at least"])
THRESHOLDS = st.builds(
    Threshold,
    st.sampled_from(["p99 latency", "error rate", "requests"]),
    RELATIONS,
    st.builds(Quantity, NUMBERS),
)
VERDICTS = st.sampled_from(Verdict)


@given(THRESHOLDS)
def test_a_measurement_that_is_missing_never_passes(threshold: Threshold) -> None:
    assert threshold.judge(None).verdict is Verdict.INCONCLUSIVE


@given(THRESHOLDS)
def test_no_number_never_passes(threshold: Threshold) -> None:
    assert threshold.judge(Quantity(math.nan)).verdict is Verdict.FAIL


@given(RELATIONS, NUMBERS)
def test_the_limit_itself_holds(relation: str, limit: float) -> None:
    threshold = Threshold("error rate", relation, Quantity(limit, "%"))

    assert threshold.judge(Quantity(limit, "%")).verdict is Verdict.PASS


@given(NUMBERS, NUMBERS)
def test_beside_the_limit_one_relation_holds_and_the_other_does_not(
    limit: float, measured: float
) -> None:
    assume(limit != measured)
    verdicts = {
        relation: Threshold("requests", relation, Quantity(limit)).judge(Quantity(measured)).verdict
        for relation in ("at most", "at least")
    }
    held, failed = ("at most", "at least") if measured < limit else ("at least", "at most")

    assert verdicts == {held: Verdict.PASS, failed: Verdict.FAIL}


@given(THRESHOLDS, NUMBERS)
def test_units_do_not_mix(threshold: Threshold, value: float) -> None:
    with pytest.raises(ValueError, match="got unit 'ms', needs ''"):
        threshold.judge(Quantity(value, "ms"))


@given(st.text())
def test_a_relation_is_one_of_two(relation: str) -> None:
    assume(relation not in {"at most", "at least"})

    with pytest.raises(ValueError, match="needs 'at most' or 'at least'"):
        Threshold("requests", relation, Quantity(1))


@given(st.lists(THRESHOLDS), st.dictionaries(st.text(), st.builds(Quantity, NUMBERS)))
def test_a_gate_passes_only_when_every_threshold_was_measured_and_held(
    thresholds: list[Threshold], unrelated: dict[str, Quantity]
) -> None:
    measured = {item.measure: item.limit for item in thresholds}
    judgement = Gate(tuple(thresholds)).judge(measured)
    silent = Gate(tuple(thresholds)).judge(dict.fromkeys(measured))

    assert len(judgement.findings) == len(thresholds)
    assert (judgement.verdict is Verdict.PASS) == (
        bool(thresholds) and all(f.verdict is Verdict.PASS for f in judgement.findings)
    )
    assert silent.verdict is Verdict.INCONCLUSIVE
    assert Gate(()).judge(unrelated).verdict is Verdict.INCONCLUSIVE


@given(st.lists(VERDICTS))
def test_the_worst_verdict_wins_in_any_order(verdicts: list[Verdict]) -> None:
    order = [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS]

    assert worst(verdicts) is min(verdicts, key=order.index, default=Verdict.INCONCLUSIVE)
    assert worst(reversed(verdicts)) is worst(verdicts)


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (Quantity(412.26, "ms"), "412.3 ms"),
        (Quantity(12345.6, "ms"), "12346 ms"),
        (Quantity(0.05, "%"), "0.05 %"),
        (Quantity(100), "100"),
    ],
)
def test_a_quantity_reads_as_people_write_it(quantity: Quantity, text: str) -> None:
    assert str(quantity) == text


def test_a_judgement_says_what_decided_it() -> None:
    slow = Threshold("p99 latency", "at most", Quantity(2000, "ms"))
    few = Threshold("requests", "at least", Quantity(100))
    gate = Gate((slow, few))
    latency = Quantity(412, "ms")

    assert [
        str(gate.judge({"p99 latency": latency, "requests": Quantity(120)})),
        str(gate.judge({"p99 latency": latency})),
        str(gate.judge({"p99 latency": Quantity(2412, "ms")})),
        str(Gate(()).judge({})),
    ] == [
        "pass: p99 latency 412 ms (needs at most 2000 ms); requests 120 (needs at least 100)",
        "inconclusive: requests no data (needs at least 100)",
        "fail: p99 latency 2412 ms (needs at most 2000 ms)",
        "inconclusive: nothing was measured",
    ]
