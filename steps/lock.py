"""Sentences about the lock, and about what an earlier release has left."""

from pytest_bdd import then, when

from greenrun.plugin.plugin import Wishes
from greenrun.proofs import alone
from greenrun.release import recovery
from greenrun.release.release import Release


@when("the release claims the service")
def _(release: Release, wishes: Wishes) -> None:
    recovery.claim(release, unlock=wishes.unlock)


@then("nobody else can release it")
def _(release: Release) -> None:
    alone.is_locked(release)


@when("what was left unfinished is taken back, or gone on with")
def _(release: Release, wishes: Wishes) -> None:
    recovery.put_right(release, resume=wishes.resume)


@then("nothing is left unfinished")
def _(release: Release) -> None:
    alone.nothing_unfinished(release)
