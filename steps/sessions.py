"""The sentence about sessions, which the reference service tells apart by a header of its own."""

from pytest_bdd import parsers, then

from greenrun.model.errors import GateClosed
from greenrun.plugin.gherkin.milestones import CANDIDATE, needs
from greenrun.release.release import Release

_HEADER = "X-Session-Id"


@then(parsers.parse('"{path}" answers session "{session}" differently from other sessions'))
@needs(CANDIDATE)
def _(release: Release, path: str, session: str) -> None:
    check_session_is_apart(release, path, session)


def check_session_is_apart(release: Release, path: str, session: str) -> None:
    """Requests in a session are answered alike, and differently from those of others or of none.

    Each is sent twice in turn, so that an answer that always changes (it may tell the time) is no
    proof, and what others are answered may change under their use.
    """
    url, own = release.candidate.url + path, {_HEADER: session}
    senders = (own, {_HEADER: f"not {session}"}, dict[str, str]())
    found = [release.prober.ask(url, **headers) for headers in (*senders, *senders)]
    release.dependencies.evidence.attach(
        f"in session {session}, in another one, in none",
        "\n".join(answer.body for answer in found),
    )
    statuses = sorted({answer.status for answer in found})
    if statuses != [200]:
        got = f"status {', '.join(map(str, statuses))}, needs 200"
        raise GateClosed(f"{path} in session {session}, in another one, in none: got {got}")
    in_session = {answer.body for answer in found[:: len(senders)]}
    if len(in_session) > 1:
        raise GateClosed(f"{path} in session {session}: got two answers, needs the same twice")
    if in_session & {answer.body for answer in (*found[1:3], *found[4:])}:
        raise GateClosed(
            f"{path} in session {session}: got the same body, needs another than other sessions"
        )
