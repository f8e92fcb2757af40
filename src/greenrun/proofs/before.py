"""Proofs that a release may begin."""

from collections.abc import Sequence

from greenrun.errors import GateClosed
from greenrun.preflight import checks, table
from greenrun.proofs import service
from greenrun.release import Release


def all_holds(release: Release, rows: Sequence[Sequence[str]]) -> None:
    """Every check of a table holds; all findings come at once, one a line."""
    titles = table.titles(rows, release.plan.environment)
    found = checks.findings(titles, release.plan, release.roles, release.source)
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
