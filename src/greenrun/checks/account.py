"""Proof of the account that a release gives of itself."""

from greenrun.release.release import Release


def is_whole(release: Release) -> None:
    """Every change that was begun has ended; a release that never began has nothing to tell."""
    if release.release_state is not None:
        release.guard.journal.is_whole()
