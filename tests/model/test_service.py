"""The baseline is the one revision that serves everybody, or there is none."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from greenrun.model.revision import Readiness
from greenrun.model.service import Service, baseline_of
from greenrun.model.traffic import LATEST, Target, TrafficSplit

SETTLED = Service(
    name="shop",
    url="https://shop.example",
    generation=7,
    readiness=Readiness.READY,
    wanted=TrafficSplit.all_to("shop-a"),
    actual=TrafficSplit.all_to("shop-a"),
    latest_ready="shop-b",
    latest_created="shop-b",
)
REVISIONS = st.sampled_from(["shop-a", "shop-b", "shop-c"])
NAMED = st.builds(Target, st.just("shop-a"), st.just(100), st.sampled_from(["", "live"]))
TAG_ONLY = st.lists(st.builds(Target, REVISIONS, st.just(0), st.sampled_from(["x", "y"])))


def serving(*targets: Target) -> Service:
    return replace(SETTLED, wanted=TrafficSplit(targets), actual=TrafficSplit(targets))


@given(before=TAG_ONLY, named=NAMED, after=TAG_ONLY)
def test_targets_that_only_have_a_tag_are_never_the_baseline(
    before: list[Target], named: Target, after: list[Target]
) -> None:
    assert baseline_of(serving(*before, named, *after)) == "shop-a"


@given(st.integers(1, 99), REVISIONS)
def test_latest_stands_for_the_latest_ready_revision(share: int, ready: str) -> None:
    everything = replace(serving(Target(LATEST, 100)), latest_ready=ready, latest_created="shop-x")
    both = replace(serving(Target(ready, share), Target(LATEST, 100 - share)), latest_ready=ready)

    assert baseline_of(everything) == baseline_of(both) == ready


@given(st.integers(1, 99))
def test_a_split_has_no_baseline(share: int) -> None:
    split = serving(Target("shop-a", share), Target("shop-b", 100 - share))

    with pytest.raises(ValueError, match=r"shop is split: got .* needs one revision at 100 %"):
        baseline_of(split)


@given(st.sampled_from([Readiness.READY, Readiness.FAILED]))
def test_a_failed_update_leaves_the_baseline_known(readiness: Readiness) -> None:
    assert baseline_of(replace(SETTLED, readiness=readiness)) == "shop-a"


@given(NAMED)
def test_a_service_that_is_being_changed_has_no_baseline(target: Target) -> None:
    with pytest.raises(ValueError, match="needs at rest"):
        baseline_of(replace(serving(target), readiness=Readiness.PENDING))


@given(TAG_ONLY)
def test_a_service_that_serves_nobody_has_no_baseline(tag_only: list[Target]) -> None:
    with pytest.raises(ValueError, match="serves nobody"):
        baseline_of(serving(*tag_only))


def test_a_service_that_was_never_ready_has_no_baseline() -> None:
    with pytest.raises(ValueError, match="serves nobody"):
        baseline_of(replace(serving(Target(LATEST, 100)), latest_ready=""))


@given(st.dictionaries(st.sampled_from(["shop-a", "shop-b", LATEST]), st.integers(1, 100)))
def test_a_stale_wish_forbids_a_release(wish: dict[str, int]) -> None:
    assume(wish != {"shop-a": 100})
    assume(set(wish) - {LATEST})
    wanted = TrafficSplit(tuple(Target(*item) for item in wish.items()))

    with pytest.raises(ValueError, match="was asked for a split that did not take effect"):
        baseline_of(replace(SETTLED, wanted=wanted))


@pytest.mark.parametrize("wanted", [TrafficSplit(), TrafficSplit.all_to(LATEST)])
def test_a_wish_for_the_latest_is_never_stale(wanted: TrafficSplit) -> None:
    assert baseline_of(replace(SETTLED, wanted=wanted)) == "shop-a"


def test_all_doubts_are_told_at_once() -> None:
    split = TrafficSplit((Target("shop-a", 90), Target("shop-b", 10)))

    with pytest.raises(ValueError, match="is split") as caught:
        baseline_of(replace(SETTLED, actual=split))

    assert str(caught.value) == (
        "shop is split: got 90 % shop-a, 10 % shop-b, needs one revision at 100 %\n"
        "shop was asked for a split that did not take effect: "
        "got 90 % shop-a, 10 % shop-b, was asked for 100 % shop-a"
    )


@given(NAMED, TAG_ONLY)
def test_resolving_keeps_the_revision_tags(named: Target, tag_only: list[Target]) -> None:
    resolved = serving(named, *tag_only).resolved
    tags = [(target.revision, target.tag) for target in (named, *tag_only) if target.tag]

    assert [(target.revision, target.tag) for target in resolved if target.tag] == tags


def test_a_service_that_never_was_ready_serves_nobody() -> None:
    assert serving().resolved.serving == {}
