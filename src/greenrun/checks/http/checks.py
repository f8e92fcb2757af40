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


def session_is_apart(release: Release, path: str, session: str) -> None:
    """Requests in a session are answered alike, and otherwise than those outside any.

    Each is asked for twice in turn, so that an answer that is always another one (it may tell the
    time) is no proof, and everybody's may change under their use.
    """
    url, headers = release.candidate.url + path, {"X-Session-Id": session}
    found = [release.prober.ask(url, **sent) for sent in (headers, {}, headers, {})]
    release.dependencies.evidence.attach(
        f"in session {session}, and outside any", "\n".join(answer.body for answer in found)
    )
    statuses = sorted({answer.status for answer in found})
    if statuses != [200]:
        got = f"status {', '.join(map(str, statuses))}, needs 200"
        raise GateClosed(f"{path} in session {session}, and outside any: got {got}")
    alone, everybody = ({answer.body for answer in found[start::2]} for start in (0, 1))
    if len(alone) > 1:
        raise GateClosed(f"{path} in session {session}: got two answers, needs the same twice")
    if alone & everybody:
        raise GateClosed(
            f"{path} in session {session}: got the same body, needs another than outside any"
        )
