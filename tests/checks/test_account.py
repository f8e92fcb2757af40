"""The account of a release is whole where every change of it has an end."""

import pytest

from greenrun.checks import release_state
from greenrun.model.errors import GateClosed
from greenrun.release.release import Release
from tests.stages import begun, moved


def test_a_release_that_never_began_has_nothing_to_tell(release: Release) -> None:
    release.acquire_lock()
    release_state.account_is_whole(release)


def test_a_release_that_changed_nothing_proves_nothing(release: Release) -> None:
    begun(release)
    with pytest.raises(GateClosed, match="no change at all"):
        release_state.account_is_whole(release)


def test_every_change_that_has_an_end_is_whole(release: Release) -> None:
    moved(release)
    release_state.account_is_whole(release)
    with release.guard.change("roll back", "shop"), pytest.raises(GateClosed) as told:
        release_state.account_is_whole(release)
    assert told.value.message == (
        "journal: got roll back shop without an end, needs every change ended"
    )
