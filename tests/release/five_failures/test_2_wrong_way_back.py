"""Wrong way back: a baseline that was never what users had."""

from collections.abc import Callable

import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import run_v2

from greenrun.model.service import baseline_of
from tests.release.five_failures.world import NEW, OLD, PATIENCE, World, all_to, new, template, to

EXPERIMENT = "web-experiment"


def first_entry(world: World) -> str:
    """`gcloud run services describe --format='value(spec.traffic[0].revisionName)'`"""
    return world.raw().traffic[0].revision


def second_newest(world: World) -> str:
    """`gcloud run revisions list --limit=2 | tail -1`, after the deploy."""
    revisions = world.clients.revisions.list_revisions(parent=world.name)
    return [one.name.rpartition("/")[2] for one in revisions][1]


def whoever_was_asked_for(world: World) -> str:
    """The spec alone: the entry with the largest share."""
    return max(world.raw().traffic, key=lambda target: target.percent).revision


def experiment(world: World) -> None:
    """A colleague's revision under a revision tag of its own, which no user has seen."""
    beside = run_v2.Service(
        name=world.name,
        template=template(EXPERIMENT),
        traffic=[to(EXPERIMENT, 0, "experiment"), to(OLD)],
    )
    world.update(beside, "template", "traffic")


def release_and_roll_back(world: World, baseline: Callable[[World], str], *, late: bool) -> None:
    """As scripts do it: the baseline is read before the deploy, or found out after it."""
    known = "" if late else baseline(world)
    change = run_v2.Service(name=world.name, template=template(NEW), traffic=[to(NEW)])
    world.update(change, "template", "traffic")
    world.split(to(known or baseline(world)))


@pytest.mark.parametrize(("baseline", "late"), [(first_entry, False), (second_newest, True)])
def test_a_naive_rollback_sends_users_to_what_they_never_had(
    world: World, baseline: Callable[[World], str], *, late: bool
) -> None:
    experiment(world)
    release_and_roll_back(world, baseline, late=late)
    assert world.answering() == EXPERIMENT


def test_ours_sends_them_back_to_what_they_had(world: World) -> None:
    experiment(world)
    before = world.reading()
    baseline = baseline_of(before)
    split = before.actual.shared({NEW: 100})
    released = world.ours.deploy(new(NEW), split, before, PATIENCE)
    assert world.answering() == NEW
    after = world.ours.split_traffic(released.actual.shared({baseline: 100}), released, PATIENCE)
    assert world.answering() == OLD
    assert after.actual.matches(before.actual)


def failed_update(world: World) -> None:
    """Somebody's deploy of code that does not start: asked for it all, got nothing."""
    broken = run_v2.Service(
        name=world.name, template=template("web-broken", "crash"), traffic=[to("web-broken")]
    )
    with pytest.raises(GoogleAPICallError):
        world.update(broken, "template", "traffic")


def test_a_naive_baseline_is_a_wish_that_never_took_effect(world: World) -> None:
    world.split(to(OLD))
    failed_update(world)
    assert whoever_was_asked_for(world) == "web-broken"
    assert world.answering() == OLD


def test_ours_starts_from_no_such_state_until_the_wish_is_taken_back(world: World) -> None:
    world.split(to(OLD))
    failed_update(world)
    with pytest.raises(ValueError, match="asked for a split that did not take effect"):
        baseline_of(world.reading())
    mended = world.ours.split_traffic(all_to(OLD), world.reading(), PATIENCE)
    assert baseline_of(mended) == OLD
