"""Sentences about the lock, and about what an earlier release has left."""

from pytest_bdd import then, when

from greenrun.checks import release_state
from greenrun.plugin.plugin import RunOptions
from greenrun.release import recovery
from greenrun.release.release import Release


@when("the release claims the service")
def _(release: Release, wishes: RunOptions) -> None:
    recovery.claim(release, unlock=wishes.unlock)


@then("nobody else can release it")
def _(release: Release) -> None:
    release_state.is_locked(release)


@when("what was left unfinished is taken back, or gone on with")
def _(release: Release, wishes: RunOptions) -> None:
    recovery.put_right(release, resume=wishes.resume)


@then("nothing is left unfinished")
def _(release: Release) -> None:
    release_state.nothing_unfinished(release)
