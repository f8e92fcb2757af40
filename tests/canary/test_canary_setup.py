"""The table of objectives says what a canary compares, and where the limits are."""

import pytest

from greenrun.canary.setup import gauge_limits, sequential_test
from greenrun.model.errors import ReleaseError
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import CanaryPlan
from greenrun.model.stats import SequentialTest

PLAN = CanaryPlan(alpha=0.005, beta=0.1, max_error_increase=0.02, max_latency_increase=0.5)


def gate(**limits: Quantity) -> Gate:
    rows = ((name.replace("_", " "), limit) for name, limit in limits.items())
    return Gate(tuple(Threshold(name, "at most", limit) for name, limit in rows))


def test_rows_of_latency_are_limits_and_compared_too() -> None:
    table = gate(
        error_rate=Quantity(5, "%"),
        p50_latency=Quantity(300, "ms"),
        p99_latency=Quantity(2000, "ms"),
    )
    assert sequential_test(table, PLAN) == SequentialTest(
        alpha=0.005,
        beta=0.1,
        max_error_increase=0.02,
        error_limit=0.05,
        quantiles=(0.5, 0.99),
        max_latency_increase=0.5,
        latency_limits=((0.5, 300), (0.99, 2000)),
    )


def test_without_a_row_of_errors_they_are_compared_all_the_same() -> None:
    found = sequential_test(gate(p95_latency=Quantity(800, "ms")), PLAN)
    assert found.error_limit is None
    assert [part.name for part in found.parts] == ["errors", "p95", "p95 limit"]


def test_memory_is_a_limit_beside_the_sequential_test() -> None:
    table = gate(memory=Quantity(90, "%"), error_rate=Quantity(5, "%"))
    assert [(gauge.measure, limit) for gauge, limit in gauge_limits(table)] == [
        ("memory", Quantity(90, "%"))
    ]
    assert sequential_test(table, PLAN) == sequential_test(gate(error_rate=Quantity(5, "%")), PLAN)


def test_without_a_row_of_memory_nobody_asks_for_it() -> None:
    assert gauge_limits(gate(error_rate=Quantity(5, "%"))) == []


@pytest.mark.parametrize(
    ("measure", "limit", "told"),
    [
        (
            "heap",
            Quantity(9, "%"),
            "got the measure 'heap', needs `error rate`, `memory` or a quant",
        ),
        ("memory", Quantity(400, "MiB"), "memory: got 400 MiB, needs to be between 0 and 100 %"),
        ("memory", Quantity(100, "%"), "memory: got 100 %, needs to be between 0 and 100 %"),
        ("p0 latency", Quantity(90, "ms"), "got the measure 'p0 latency', needs"),
        ("p100 latency", Quantity(90, "ms"), "got the measure 'p100 latency', needs"),
        ("error rate", Quantity(5), "error rate: got 5, needs to be between 0 and 100 %"),
        ("error rate", Quantity(0, "%"), "error rate: got 0 %, needs to be between 0 and 100 %"),
        ("error rate", Quantity(100, "%"), "error rate: got 100 %, needs to be between"),
        ("p95 latency", Quantity(2, "s"), "p95 latency: got 2 s, needs to be over 0 ms"),
        ("p95 latency", Quantity(-1, "ms"), "p95 latency: got -1 ms, needs to be over 0 ms"),
    ],
)
def test_what_cannot_be_judged_is_named(measure: str, limit: Quantity, told: str) -> None:
    with pytest.raises(ReleaseError) as refused:
        sequential_test(Gate((Threshold(measure, "at most", limit),)), PLAN)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("one", "other", "limit", "told"),
    [
        ("error rate", "error rate", Quantity(5, "%"), "got error rate 2 times"),
        ("memory", "memory", Quantity(90, "%"), "got memory 2 times"),
        ("p95 latency", "p95.0 latency", Quantity(800, "ms"), "got p95 latency 2 times"),
    ],
)
def test_a_measure_that_is_stated_twice_is_named(
    one: str, other: str, limit: Quantity, told: str
) -> None:
    twice = Gate(tuple(Threshold(each, "at most", limit) for each in (one, other)))
    with pytest.raises(ReleaseError, match=f"{told}, needs each measure once"):
        sequential_test(twice, PLAN)
