"""The way back leads to the split of before, whole, and never over somebody else's change."""

from dataclasses import replace

import pytest

from greenrun.model.errors import GateClosed, LockLost, ManualActionRequired
from greenrun.model.service import Service
from greenrun.model.traffic import LATEST, Target, TrafficSplit
from greenrun.release.release import Release
from tests.conftest import BASELINE, World
from tests.stages import begun, deployed, moved

GCLOUD = (
    f"gcloud run services update-traffic shop --to-revisions={BASELINE}=100 "
    "--project=rehearsal --region=europe-west1"
)
SETTLING = "pytest features/07-rollback.feature --env=local --to=REVISION"
EVERYBODYS = TrafficSplit(
    (
        Target(BASELINE, 100),
        Target(BASELINE, 0, "stable"),
        Target("shop-older", 0, "candidate"),
        Target("shop-oldest", 0, "of-alice"),
    )
)


def reading(world: World) -> Service:
    assert world.platform.state is not None
    return world.platform.state


def give(world: World, split: TrafficSplit) -> None:
    """The service has this split before the release."""
    world.platform.state = replace(reading(world), wanted=split, actual=split)


def splits(world: World) -> tuple[TrafficSplit, TrafficSplit]:
    return reading(world).wanted, reading(world).actual


def test_shares_and_everybodys_revision_tags_are_exactly_as_before(
    release: Release, world: World
) -> None:
    give(world, EVERYBODYS)
    moved(release)
    assert reading(world).actual.tags["candidate"] == release.candidate.name
    assert release.rollback.take() is True
    assert splits(world) == (EVERYBODYS, EVERYBODYS)


def test_latest_is_pinned_because_it_would_mean_the_candidate(
    release: Release, world: World
) -> None:
    give(world, TrafficSplit((Target(LATEST, 100), Target(LATEST, 0, "newest"))))
    deployed(release)
    assert release.rollback.take() is True
    pinned = TrafficSplit((Target(BASELINE, 100), Target(BASELINE, 0, "newest")))
    assert splits(world) == (pinned, pinned)


def test_a_release_that_has_asked_for_nothing_leaves_latest_as_it_was(
    release: Release, world: World
) -> None:
    give(world, TrafficSplit.all_to(LATEST))
    begun(release)
    before, calls = reading(world), list(world.platform.calls)
    assert release.rollback.take() is False
    assert (reading(world), world.platform.calls) == (before, calls)


def test_a_wish_that_never_took_effect_is_mended(release: Release, world: World) -> None:
    begun(release)
    release.build_image()
    world.platform.unready.add(release.image.reference)
    with pytest.raises(GateClosed):
        release.deploy()
    before = TrafficSplit.all_to(BASELINE)
    assert reading(world).wanted != before
    assert release.rollback.take() is True
    assert splits(world) == (before, before)


def test_twice_is_once(release: Release, world: World) -> None:
    moved(release)
    assert release.rollback.take() is True
    after, calls = reading(world), list(world.platform.calls)
    assert release.rollback.take() is False
    assert (reading(world), world.platform.calls) == (after, calls)


def test_what_was_changed_stands_in_the_evidence(release: Release, world: World) -> None:
    moved(release)
    name = release.candidate.name
    release.rollback.take()
    told = {name: text for name, text in world.evidence.kept.items() if "rollback" in name}
    assert told == {
        "traffic before the rollback": (
            f"90 % {BASELINE}, 10 % {name}, 0 % {name} (revision tag candidate)"
        ),
        "traffic after the rollback": f"100 % {BASELINE}",
    }


def contracted(release: Release) -> Release:
    """Its schema no longer bears the baseline."""
    moved(release)
    assert release.release_state is not None
    release.guard.write_release_state(replace(release.release_state, contracted=True))
    return release


def test_after_a_contraction_users_stay_where_they_are(release: Release, world: World) -> None:
    contracted(release)
    before, calls = reading(world), list(world.platform.calls)
    with pytest.raises(ManualActionRequired) as told:
        release.rollback.take()
    assert (reading(world), world.platform.calls) == (before, calls)
    assert told.value.message == (
        f"shop is frozen as it is, {before.actual}: its schema was contracted, "
        f"and {BASELINE} cannot work with it any more"
    )
    assert told.value.hint == (
        f"the way is forward: mend the candidate, say who serves:\n  {SETTLING}"
    )


def test_after_a_contraction_nobody_is_told_to_send_users_back(
    release: Release, world: World
) -> None:
    contracted(release)
    world.platform.refuses.add("service")
    with pytest.raises(ManualActionRequired, match="service was refused") as told:
        release.rollback.take()
    assert GCLOUD not in str(told.value)
    assert SETTLING in told.value.hint


def test_a_split_that_somebody_else_has_set_stays_and_they_are_named(
    release: Release, world: World
) -> None:
    moved(release)
    theirs = TrafficSplit((Target(BASELINE, 50), Target(release.candidate.name, 50)))
    world.platform.change_by_somebody(wanted=theirs, actual=theirs)
    before = reading(world)
    with pytest.raises(ManualActionRequired) as told:
        release.rollback.take()
    assert reading(world) == before
    assert str(told.value) == (
        f"shop was given another split by alice: got {theirs}, in which users meet the candidate "
        f"{release.candidate.name}; it was left as it is\n"
        f"hint: speak with alice; then say who shall serve:\n  {SETTLING}"
    )


def test_a_split_of_somebody_else_without_the_candidate_is_said_to_be_so(
    release: Release, world: World
) -> None:
    moved(release)
    world.platform.change_by_somebody(wanted=EVERYBODYS, actual=EVERYBODYS)
    with pytest.raises(
        ManualActionRequired, match="in which no user meets the candidate shop-2026"
    ):
        release.rollback.take()
    assert splits(world) == (EVERYBODYS, EVERYBODYS)


def test_a_split_of_somebody_else_before_there_is_a_candidate_stays_too(
    release: Release, world: World
) -> None:
    begun(release)
    world.platform.change_by_somebody(wanted=EVERYBODYS, actual=EVERYBODYS)
    with pytest.raises(
        ManualActionRequired, match=r"\(revision tag of-alice\); it was left as it is"
    ):
        release.rollback.take()
    assert splits(world) == (EVERYBODYS, EVERYBODYS)


def test_a_change_that_leaves_the_split_alone_is_nobodys_hindrance(
    release: Release, world: World
) -> None:
    moved(release)
    world.platform.change_by_somebody(latest_created="shop-of-alice")
    assert release.rollback.take() is True
    assert world.serving == {BASELINE: 100}


def test_a_lost_lock_goes_through_untouched(release: Release, world: World) -> None:
    moved(release)
    lock, before = release.guard.lock, reading(world)
    lock.break_open(replace(lock.owner, run="another"))
    with pytest.raises(LockLost, match="may not change shop any more"):
        release.rollback.take()
    assert reading(world) == before


def test_users_are_brought_back_by_whoever_was_cut_off_for_long(
    release: Release, world: World
) -> None:
    moved(release)
    world.clock.sleep(release.plan.lock_time_to_live)
    assert release.rollback.take()
    assert world.serving == {BASELINE: 100}


@pytest.mark.parametrize("refused", ["split_traffic", "service"])
def test_a_refusal_needs_a_person_who_is_told_the_command(
    release: Release, world: World, refused: str
) -> None:
    moved(release)
    world.platform.refuses.add(refused)
    with pytest.raises(ManualActionRequired) as told:
        release.rollback.take()
    assert str(told.value) == (
        f"shop could not be brought back to {BASELINE}: {refused} was refused\n"
        f"hint: send every user back by hand:\n  {GCLOUD}"
    )


def test_a_service_that_is_gone_needs_a_person(release: Release, world: World) -> None:
    moved(release)
    world.platform.state = None
    with pytest.raises(ManualActionRequired, match="shop is gone"):
        release.rollback.take()


@pytest.mark.parametrize(("answering", "who"), [(["somebody"], "somebody"), ([], "10 requests")])
def test_what_nobody_can_prove_needs_a_person(
    release: Release, world: World, answering: list[str], who: str
) -> None:
    moved(release)
    world.logs.answering = lambda: answering
    with pytest.raises(ManualActionRequired, match=who):
        release.rollback.take()
    assert world.serving == {BASELINE: 100}
