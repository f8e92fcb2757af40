"""The sentence about what lies ahead."""

from pytest_bdd import then

from greenrun.planning import Rehearsed
from greenrun.plugin import Wishes
from greenrun.proofs import foretold
from greenrun.release import Release


@then("the plan tells what serves now, what would change and how it would be taken back")
def _(release: Release, rehearsed: Rehearsed | None, wishes: Wishes) -> None:
    foretold.told(release, rehearsed, aloud=wishes.plan)
