"""A gate opens on proof, and on nothing else."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from greenrun.model.objective import Quantity, Threshold, Verdict

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
