"""Proofs that a release may begin."""

from collections.abc import Sequence

from greenrun.canary.setup import sequential_test
from greenrun.checks import service
from greenrun.model.errors import GateClosed
from greenrun.model.objective import Gate
from greenrun.release.preflight import checks
from greenrun.release.release import Release


def all_holds(release: Release, rows: Sequence[Sequence[str]], objectives: Gate) -> None:
    """Every check of a table holds; all findings come at once, one a line.

    `objectives` are those of the canary, which has to be able to judge by them.
    """
    plan = release.plan
    titles = checks.titles_in(rows, plan.environment)
    test = sequential_test(objectives, plan.canary)
    found = checks.find_problems(titles, plan, release.dependencies, release.source, test)
    if found:
        raise GateClosed("\n".join(map(str, found)))


def one_serves(release: Release) -> None:
    """One revision has all the traffic."""
    serving = release.service.resolved.serving
    if serving != {release.baseline: 100}:
        raise GateClosed(f"traffic: got {serving}, needs one revision at 100 %")


def is_answering(release: Release) -> None:
    """The baseline is who answers the users, by the request log."""
    service.served_by(release, release.baseline)
