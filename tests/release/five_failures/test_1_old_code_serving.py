"""Green release, old code serving: a split that was pinned earlier outlives the deploy."""

from google.cloud import run_v2

from greenrun.model.service import baseline_of
from tests.release.five_failures.world import NEW, OLD, PATIENCE, World, new, template, to


def naive_release(world: World, revision: run_v2.RevisionTemplate) -> str:
    """Deploys, waits for the operation, and asks the service whether it is well."""
    world.update(run_v2.Service(name=world.name, template=revision), "template")
    return "released" if world.is_healthy() else "failed"


def our_release(world: World) -> None:
    """Deploys beside the baseline, pinned by name, then moves the traffic by name."""
    before = world.reading()
    baseline = baseline_of(before)
    beside = before.actual.shared({baseline: 100}).tagged(NEW, "candidate")
    after = world.ours.deploy(new(NEW), beside, before, PATIENCE)
    world.ours.split_traffic(after.actual.shared({NEW: 100}), after, PATIENCE)


def test_a_naive_release_after_a_rollback_is_green_and_serves_old_code(world: World) -> None:
    world.split(to(OLD))  # how somebody rolled back, a month ago
    assert naive_release(world, template(NEW)) == "released"
    assert world.answering() == OLD


def test_ours_serves_what_it_has_released(world: World) -> None:
    world.split(to(OLD))
    our_release(world)
    assert world.answering() == NEW
    assert world.reading().resolved.serving == {NEW: 100}
