"""A release moves users only forward through gates, and always knows the way back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.domain.gate import Gate, Quantity, Threshold
from greenrun.domain.traffic import Target, TrafficSplit
from greenrun.errors import GateClosed, NeedsPerson, ReleaseError
from greenrun.journal import Journal
from greenrun.release import Release
from tests.conftest import BASELINE, HEALTHY, World

OBJECTIVES = Gate(
    (
        Threshold("error rate", "at most", Quantity(5, "%")),
        Threshold("p95 latency", "at most", Quantity(800, "ms")),
    )
)


def begun(release: Release) -> Release:
    release.claim()
    release.find_baseline()
    return release


def deployed(release: Release) -> Release:
    begun(release)
    release.build_image()
    release.deploy()
    return release


def test_a_candidate_is_deployed_beside_the_baseline_that_serves_everybody(
    release: Release, world: World
) -> None:
    deployed(release)
    assert world.serving == {BASELINE: 100}
    assert release.candidate.url == "http://service.test/candidate"
    assert world.platform.public


def test_a_healthy_candidate_is_promoted_by_its_increments(release: Release, world: World) -> None:
    deployed(release)
    world.metrics.figures[release.candidate.name] = HEALTHY
    assert [increment.share for increment in release.run_canary(OBJECTIVES)] == [10, 50]
    assert release.promote() == {release.candidate.name}
    assert world.serving == {release.candidate.name: 100}


def test_a_failing_increment_closes_the_gate_at_its_first_look(
    release: Release, world: World
) -> None:
    deployed(release)
    world.metrics.figures[release.candidate.name] = {**HEALTHY, "error rate": Quantity(27, "%")}
    before = world.clock.now()
    with pytest.raises(GateClosed, match=r"error rate 27 % \(needs at most 5 %\)"):
        release.run_canary(OBJECTIVES)
    assert world.clock.now() - before == timedelta(seconds=1)
    assert world.serving == {BASELINE: 90, release.candidate.name: 10}


@pytest.mark.parametrize("requests", [0, 99])
def test_too_few_requests_are_no_pass(release: Release, world: World, requests: int) -> None:
    deployed(release)
    world.metrics.figures[release.candidate.name] = {**HEALTHY, "requests": Quantity(requests)}
    with pytest.raises(GateClosed, match="inconclusive: error rate no data"):
        release.run_canary(OBJECTIVES)


def test_a_promotion_that_others_answer_is_none(release: Release, world: World) -> None:
    deployed(release)
    world.logs.answering = lambda: [BASELINE]
    with pytest.raises(GateClosed, match=f"got answers from {BASELINE}"):
        release.promote()
    assert not release.promoted


def test_rolling_back_gives_everybody_to_the_baseline_once(
    release: Release, world: World, journal: Journal
) -> None:
    deployed(release)
    release.raise_share(10)
    assert release.roll_back() is True
    assert world.serving == {BASELINE: 100}
    calls = list(world.platform.calls)
    assert release.roll_back() is False
    assert world.platform.calls == calls
    journal.is_whole()


def test_a_rollback_mends_a_wish_that_never_took_effect(release: Release, world: World) -> None:
    begun(release)
    release.build_image()
    world.platform.unready.add(release.image.reference)
    with pytest.raises(GateClosed, match="is not ready"):
        release.deploy()
    assert release.roll_back() is True
    assert world.platform.state is not None
    assert world.platform.state.wanted == TrafficSplit.all_to(BASELINE)


def test_a_rollback_that_follows_latest_pins_the_baseline_by_name(
    release: Release, world: World
) -> None:
    assert world.platform.state is not None
    latest = TrafficSplit((Target("", 100),))
    world.platform.state = replace(world.platform.state, wanted=latest, actual=latest)
    deployed(release)
    release.roll_back()
    assert world.serving == {BASELINE: 100}


def test_a_rollback_that_is_refused_needs_a_person(release: Release, world: World) -> None:
    deployed(release)
    release.raise_share(10)
    world.platform.refuses.add("split_traffic")
    with pytest.raises(NeedsPerson, match=f"--to-revisions={BASELINE}=100"):
        release.roll_back()


def test_a_rollback_that_nobody_can_prove_needs_a_person(release: Release, world: World) -> None:
    deployed(release)
    release.raise_share(10)
    world.logs.answering = lambda: [release.candidate.name]
    with pytest.raises(NeedsPerson, match="got answers from"):
        release.roll_back()


def test_settling_takes_back_what_did_not_pass(release: Release, world: World) -> None:
    deployed(release)
    release.promote()
    release.settle(passed=False)
    assert world.serving == {BASELINE: 100}


def test_settling_leaves_what_passed(release: Release, world: World) -> None:
    deployed(release)
    release.promote()
    release.settle(passed=True)
    assert world.serving == {release.candidate.name: 100}


def test_a_release_without_a_service_does_not_begin(release: Release, world: World) -> None:
    world.platform.state = None
    with pytest.raises(ReleaseError, match="shop does not exist in projects/rehearsal"):
        release.find_baseline()


def test_stages_taken_alone_say_what_they_miss(release: Release) -> None:
    with pytest.raises(ReleaseError, match="run features/ as a whole"):
        release.deploy()
    with pytest.raises(ReleaseError, match="run features/ as a whole"):
        release.raise_share(10)


def test_variables_of_the_baseline_that_would_be_lost_are_named(
    release: Release, world: World
) -> None:
    deployed(release)
    live = world.platform.revisions_by_name[BASELINE]
    richer = replace(live.settings, variables={"LOG_LEVEL": "INFO", "BY_HAND": "1"})
    world.platform.revisions_by_name[BASELINE] = replace(live, settings=richer)
    assert release.candidate.lost_variables(BASELINE) == ("BY_HAND",)


def test_every_change_is_journalled_before_and_after(release: Release, journal: Journal) -> None:
    deployed(release)
    release.raise_share(10)
    release.roll_back()
    told = [(entry.action, entry.state) for entry in journal.entries() if entry.state != "noted"]
    assert told == [
        ("deploy", "begun"),
        ("deploy", "done"),
        ("let everybody invoke", "begun"),
        ("let everybody invoke", "done"),
        ("split traffic", "begun"),
        ("split traffic", "done"),
        ("roll back", "begun"),
        ("roll back", "done"),
    ]
