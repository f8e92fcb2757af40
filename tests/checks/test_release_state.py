"""A release is alone only where a stranger is refused, and what was open has an end."""

from dataclasses import replace

import pytest

from greenrun.checks import release_state
from greenrun.model.errors import GateClosed
from greenrun.model.release_state import Stage
from greenrun.release import recovery
from greenrun.release.release import Release
from tests.conftest import World
from tests.stages import moved, next_run


def test_a_stranger_is_refused(release: Release, world: World) -> None:
    release.acquire_lock()
    release_state.is_locked(release)
    assert world.evidence.kept == {"lock": str(release.guard.lock.latest)}
    assert [lease.number for lease in world.leases.all()] == [1]
    release.guard.lock.check()


def test_without_a_lease_nothing_is_locked(release: Release) -> None:
    with pytest.raises(GateClosed, match="shop: got no lease, needs the lock of this release"):
        release_state.is_locked(release)


def test_a_lock_that_was_let_go_keeps_nobody_out(release: Release, world: World) -> None:
    release.acquire_lock()
    release.guard.lock.release()
    with pytest.raises(GateClosed, match="shop: got a second lock, needs lease 1 of somebody@"):
        release_state.is_locked(release)
    assert [lease.held for lease in world.leases.all()] == [False]


def test_where_nothing_was_left_nothing_is_unfinished(release: Release) -> None:
    release.acquire_lock()
    release_state.nothing_unfinished(release)


@pytest.mark.parametrize("resume", [True, False])
def test_what_was_put_right_is_not_unfinished(release: Release, *, resume: bool) -> None:
    later = next_run(moved(release))
    later.build_image()
    later.acquire_lock()
    recovery.recover(later, resume=resume)
    release_state.nothing_unfinished(later)


@pytest.mark.parametrize("taken_up", [True, False])
def test_what_was_left_alone_is_unfinished(release: Release, *, taken_up: bool) -> None:
    later = next_run(moved(release))
    last = later.acquire_lock()
    assert last is not None
    if taken_up:
        later.guard.write_release_state(last)
    with pytest.raises(GateClosed) as told:
        release_state.nothing_unfinished(later)
    assert str(told.value) == (
        f"shop: got an unfinished release ({release.candidate.name}, users moved), "
        "needs it rolled back or resumed"
    )


def test_another_release_of_the_same_baseline_is_no_end(release: Release) -> None:
    later = next_run(moved(release))
    last = later.acquire_lock()
    assert last is not None
    later.guard.write_release_state(replace(last, run="somebody else", stage=Stage.DEPLOYED))
    with pytest.raises(GateClosed):
        release_state.nothing_unfinished(later)
