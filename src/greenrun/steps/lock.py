"""Sentences about the lock, and about what an earlier release has left."""

from pytest_bdd import then, when

from greenrun.checks import release_state
from greenrun.plugin.options import RunOptions
from greenrun.release import recovery
from greenrun.release.release import Release


@when("the release claims the service")
def _(release: Release, run_options: RunOptions) -> None:
    recovery.acquire_lock(release, unlock=run_options.unlock)


@then("nobody else can release it")
def _(release: Release) -> None:
    release_state.is_locked(release)


@when("what was left unfinished is taken back, or gone on with")
def _(release: Release, run_options: RunOptions) -> None:
    recovery.recover(release, resume=run_options.resume)


@then("nothing is left unfinished")
def _(release: Release) -> None:
    release_state.nothing_unfinished(release)
