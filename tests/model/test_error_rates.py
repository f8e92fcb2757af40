"""Evidence for and against a candidate holds at every result."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenrun.model.objective import Verdict
from greenrun.model.stats import Counts, ErrorRateComparison, Outcome, RateLimit, Result
from greenrun.model.stats.comparisons import BLOCK

COUNTS = st.builds(Counts, st.integers(0, 500), st.integers(0, 60))
FEW = st.builds(Counts, st.integers(0, 3), st.integers(0, 2))
TEST = ErrorRateComparison()


def folded(pairs: Iterable[tuple[Counts, Counts]], test: ErrorRateComparison = TEST) -> Result:
    """Steps, each looked at as it came."""
    result = test.start()
    for candidate, baseline in pairs:
        result = test.update(result, result.candidate + candidate, result.baseline + baseline)
    return result


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=100))
@settings(deadline=None, max_examples=30)
def test_an_observation_of_every_request_is_as_good_as_one_of_every_block(
    requests: list[tuple[bool, bool]],
) -> None:
    def counted(some: list[tuple[bool, bool]], *, of_candidate: bool) -> Counts:
        bad = [failed for candidate, failed in some if candidate is of_candidate]
        return Counts(bad.count(False), bad.count(True))

    def steps(size: int) -> list[tuple[Counts, Counts]]:
        parts = [requests[start : start + size] for start in range(0, len(requests), size)]
        return [
            (counted(part, of_candidate=True), counted(part, of_candidate=False)) for part in parts
        ]

    one_by_one, block_by_block = folded(steps(1)), folded(steps(BLOCK))

    assert one_by_one.state == block_by_block.state
    assert one_by_one.evidence == block_by_block.evidence


@given(st.lists(st.tuples(FEW, FEW), max_size=40))
@settings(deadline=None, max_examples=50)
def test_what_failed_once_has_failed(steps: list[tuple[Counts, Counts]]) -> None:
    result = folded([(Counts(0, 40), Counts(40, 0))])
    for candidate, baseline in steps:
        result = TEST.update(result, result.candidate + candidate, result.baseline + baseline)
    better = TEST.update(
        result, result.candidate + Counts(90_000), result.baseline + Counts(0, 9_000)
    )

    assert better.evidence.for_ > better.evidence.for_needed
    assert (result.outcome, better.outcome) == (Outcome.FAIL, Outcome.FAIL)


@given(COUNTS)
@settings(deadline=None)
def test_no_data_of_either_revision_is_no_pass(counts: Counts) -> None:
    looks = [
        TEST.update(TEST.start(), counts, Counts()),
        TEST.update(TEST.start(), Counts(), counts),
        TEST.start(),
    ]

    assert {result.outcome for result in looks} == {Outcome.NO_DATA}
    assert {result.outcome.verdict for result in looks} == {Verdict.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("candidate", "baseline", "sentence"),
    [
        (
            Counts(30, 11),
            Counts(369, 2),
            (
                "rolled back after 412 requests: "
                "11 of 41 candidate requests failed, 2 of 371 baseline requests"
            ),
        ),
        (
            Counts(1500, 3),
            Counts(13_480, 20),
            (
                "passed after 15,003 requests: "
                "3 of 1,503 candidate requests failed, 20 of 13,500 baseline requests"
            ),
        ),
        (
            Counts(39, 1),
            Counts(369, 2),
            (
                "undecided after 411 requests: "
                "1 of 40 candidate requests failed, 2 of 371 baseline requests; "
                "evidence against 9 %, for 0 % of what it takes"
            ),
        ),
        (
            Counts(),
            Counts(369, 2),
            "no data: the candidate answered 0 requests, the baseline 371",
        ),
    ],
)
def test_a_verdict_is_said_in_a_sentence(
    candidate: Counts, baseline: Counts, sentence: str
) -> None:
    assert TEST.update(TEST.start(), candidate, baseline).sentence() == sentence


def test_an_increase_that_is_surely_small_enough_passes() -> None:
    steps = [(Counts(98_800, 1_200), Counts(990_000, 10_000))]
    strict, tolerant = (
        folded(steps, ErrorRateComparison(max_error_increase=size)) for size in (0.001, 0.01)
    )

    assert strict.outcome is Outcome.FAIL
    assert tolerant.outcome is Outcome.PASS


def test_a_step_has_to_pass_anew_while_evidence_against_is_kept() -> None:
    passed = folded([(Counts(2_000, 0), Counts(2_000, 10))])
    begun = TEST.next_step(passed)
    looked = TEST.update(begun, passed.candidate + Counts(5), passed.baseline + Counts(5))

    assert passed.outcome is Outcome.PASS
    assert looked.outcome is Outcome.INCONCLUSIVE
    assert looked.evidence.against == passed.evidence.against


def test_an_increase_that_passed_once_does_not_count_against_the_next_step() -> None:
    passed = folded([(Counts(98_800, 1_200), Counts(990_000, 10_000))])
    begun = TEST.next_step(passed)
    healthy = TEST.update(begun, passed.candidate + Counts(99, 1), passed.baseline + Counts(99, 1))
    worse = TEST.update(begun, passed.candidate + Counts(80, 20), passed.baseline + Counts(99, 1))

    assert passed.evidence.against > passed.evidence.against_needed
    assert (passed.outcome, healthy.outcome, worse.outcome) == (
        Outcome.PASS,
        Outcome.INCONCLUSIVE,
        Outcome.FAIL,
    )


def test_errors_that_rise_for_both_with_the_share_are_nobodys_fault() -> None:
    quiet, troubled = (Counts(50, 0), Counts(950, 1)), (Counts(450, 50), Counts(450, 50))
    together_counted = (quiet[0] + troubled[0], quiet[1] + troubled[1])

    assert folded([quiet, troubled]).outcome is Outcome.INCONCLUSIVE
    assert folded([together_counted]).outcome is Outcome.FAIL


def test_what_is_left_over_is_tested_at_the_last_observation() -> None:
    counts = Counts(0, 6), Counts(20, 0)
    waiting = TEST.update(TEST.start(), *counts)

    assert waiting.evidence.against == 0
    assert TEST.update(waiting, *counts, last=True).outcome is Outcome.FAIL


def test_counts_never_fall() -> None:
    result = folded([(Counts(100, 2), Counts(100, 2))])

    with pytest.raises(ValueError, match="needs counts that never fall"):
        TEST.update(result, Counts(100, 1), Counts(200, 2))
    with pytest.raises(ValueError, match="needs 0 or more of each"):
        Counts(-1, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        ErrorRateComparison(alpha=0),
        ErrorRateComparison(beta=1),
        RateLimit(alpha=2),
        RateLimit(beta=0),
    ],
)
def test_a_chance_lies_between_never_and_always(wrong: ErrorRateComparison | RateLimit) -> None:
    with pytest.raises(ValueError, match="needs to be between 0 and 1"):
        wrong.start()


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        (
            Counts(70, 30),
            (
                "rolled back after 100 candidate requests: "
                "30 of 100 candidate requests failed (30 %, needs under 5 %)"
            ),
        ),
        (
            Counts(399, 1),
            (
                "passed after 400 candidate requests: "
                "1 of 400 candidate requests failed (0.25 %, needs under 5 %)"
            ),
        ),
        (
            Counts(19, 1),
            (
                "undecided: 1 of 20 candidate requests failed (5 %, needs under 5 %); "
                "evidence against 0 %, for 0 % of what it takes"
            ),
        ),
        (Counts(), "no data: the candidate answered no requests"),
    ],
)
def test_a_limit_is_kept_whatever_the_baseline_does(counts: Counts, sentence: str) -> None:
    objective = RateLimit(0.05)

    assert objective.sentence(objective.update(objective.start(), counts)) == sentence
