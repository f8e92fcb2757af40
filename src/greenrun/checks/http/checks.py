"""Proofs of what a service answers."""

from collections.abc import Sequence

from greenrun.checks.http import Expectation
from greenrun.checks.http.verification import verify
from greenrun.checks.witness import witness
from greenrun.model.errors import GateClosed
from greenrun.release.release import Release

_EXPAND_FIRST = (
    "a migration may add now what new code needs, and take away what old code reads only in a "
    "later release; the baseline's log is in the report"
)


def answers(release: Release, url: str, revision: str, promises: Sequence[Expectation]) -> None:
    """A URL keeps its promises; where it does not, the log of its revision is evidence, too."""
    with witness(release, revision):
        verify(release.prober, url, promises)


def baseline_survives(release: Release, promises: Sequence[Expectation]) -> None:
    """The baseline keeps its promises on the schema that the candidate's migrations have made."""
    try:
        answers(release, release.service.url, release.baseline, promises)
    except GateClosed as closed:
        raise GateClosed(closed.message, hint=_EXPAND_FIRST) from closed
