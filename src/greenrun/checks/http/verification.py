"""Asks a service for every row of a table, or on a WebSocket, and judges what comes back."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

from greenrun.checks.http.cells import Values
from greenrun.checks.http.documents import Schema, read_schema
from greenrun.checks.http.expectation import Expectation, Responses, milliseconds
from greenrun.checks.http.runner import AskedRow, ask_rows
from greenrun.checks.logs import log_as_evidence
from greenrun.model.errors import CallFailed, DeadlineExceeded, GateClosed
from greenrun.model.interfaces import HttpRequest, HttpResponse
from greenrun.model.polling import Deadline
from greenrun.release.prober import Prober
from greenrun.release.release import Release

_EXPAND_FIRST = (
    "a migration may add now what new code needs, and take away what old code reads only in a "
    "later release; the baseline's log is in the report"
)

_SWITCHING = 101
_REFUSED = (401, 403)


def answers(release: Release, url: str, revision: str, promises: Sequence[Expectation]) -> None:
    """A URL keeps its promises; where it does not, the log of its revision is evidence, too."""
    with log_as_evidence(release, revision):
        verify(release.prober, url, promises)


def baseline_survives(release: Release, promises: Sequence[Expectation]) -> None:
    """The baseline keeps its promises on the schema that the candidate's migrations have made."""
    if release.is_first:
        release.tell_first("no baseline to ask: first release")
        return
    try:
        answers(release, release.service.url, release.baseline, promises)
    except GateClosed as closed:
        raise GateClosed(closed.message, hint=_EXPAND_FIRST) from closed


_WITHIN = timedelta(minutes=5)
"""For all answers to a table."""


def verify(
    prober: Prober, url: str, expectations: Sequence[Expectation], *, within: timedelta = _WITHIN
) -> None:
    """Ask for everything that is expected, and judge it all at once.

    Raises:
        GateClosed: with every broken promise, one a line, in the order of the table.
        CallFailed: nothing was answered.
        DeadlineExceeded: not everything was within that time; nothing else is wrong.
        ReleaseError: nothing was asked: an identity or a schema cannot be used.
    """
    schemas = {
        row.schema: read_schema(prober.features, row.schema) for row in expectations if row.schema
    }
    for identity in dict.fromkeys(row.identity for row in expectations):
        prober.headers(identity)

    def ask(row: Expectation, left: timedelta) -> HttpResponse:
        to, headers, sends = url + row.path, prober.headers(row.identity), row.sends
        probe = HttpRequest(to, row.method, headers, sends.json, sends.files, within=left)
        return prober.dependencies.web.send(probe)

    values = Values.of_a_table()
    rows = [row.filled(values) for row in expectations]
    deadline = Deadline(prober.dependencies.clock, within)
    verdict = EndpointVerdict(ask_rows(rows, ask, deadline), schemas)
    prober.dependencies.evidence.attach("requests and answers", str(verdict))
    verdict.raise_if_broken()


_EXCERPT = 160
"""Characters of a refusal that a message quotes."""

_KEPT = 2000, 200_000
"""Characters of bodies in the evidence: of each, and of all."""

_TOLD = 50
"""Lines that a message has; the evidence has them all."""

_WHERE_TO_LOOK = "the report holds the answers and the revision's log, below this sentence"


class EndpointVerdict:
    """Every row with what it got, judged when the last one has its answers."""

    def __init__(self, asked: Sequence[AskedRow], schemas: dict[str, Schema]) -> None:
        self._asked = asked
        self._broken = [_broken(one, schemas.get(one.row.schema)) for one in asked]

    def __str__(self) -> str:
        """The evidence: requests and answers."""
        excerpt = min(_KEPT[0], _KEPT[1] // max(1, len(self._asked)))
        each = zip(self._asked, self._broken, strict=True)
        return "\n".join(_evidence(one, broken, excerpt) for one, broken in each)

    def raise_if_broken(self) -> None:
        """Raise what it comes to, with everything that is wrong in one message.

        Raises:
            GateClosed: a promise was broken, or only some of the requests were answered.
            CallFailed: no request was answered.
            DeadlineExceeded: time was up, and nothing else is wrong.
        """
        troubles = [one.trouble for one in self._asked if one.trouble]
        wrong = _cut([line for lines in self._broken for line in lines])
        if not wrong:
            return
        silent = any(not isinstance(trouble, DeadlineExceeded) for trouble in troubles)
        answered = [bool(one.answers) for one in self._asked]
        broken = any(it and lines for it, lines in zip(answered, self._broken, strict=True))
        if broken or (silent and any(answered)):
            raise GateClosed(wrong, hint=_WHERE_TO_LOOK)
        if silent:
            raise CallFailed(wrong)
        raise troubles[0]


def _cut(lines: Sequence[str]) -> str:
    more = len(lines) - _TOLD
    return "\n".join([*lines[:_TOLD], *([f"and {more} more, in the report"] if more > 0 else [])])


def _broken(asked: AskedRow, schema: Schema | None) -> list[str]:
    """Each broken promise, and what a refusal said for itself."""
    if asked.answers is None:
        return [asked.trouble.message] if asked.trouble else []
    row = asked.row
    found = [f"{row}: {text}" for text in row.broken_by(asked.answers, schema)]
    expected = {*row.statuses, 503}
    refused = (answer.body for answer in asked.answers.each if answer.status not in expected)
    if found and (said := next(refused, "")):
        found.append(f"  it said: {said[:_EXCERPT]}")
    return found


def _evidence(asked: AskedRow, broken: Sequence[str], excerpt: int) -> str:
    # Never cut here: what is redacted later must still be whole then.
    sent = (f"  {line}" for line in asked.row.sends.told())
    lines = [str(asked.row), *sent, *(f"  broken: {line}" for line in broken)]
    if asked.answers is not None:
        last = asked.answers.each[-1]
        lines += [f"  {last.status}, {_latency(asked.row, asked.answers)}"]
        lines += [f"  {last.body[:excerpt]}"]
    return "\n".join(lines)


def _latency(row: Expectation, answers: Responses) -> str:
    if not row.latency:
        return f"in {milliseconds(answers.measured[-1].latency)}"
    *lower, highest = sorted({50, 95, *(limit.percent for limit in row.latency)})
    short = [f"p{percent} {milliseconds(answers.latency(percent))}" for percent in lower]
    return ", ".join((*short, answers.told(highest)))


def converses(release: Release, path: str, message: str, *, identity: str = "a user") -> None:
    """A message on a WebSocket is answered by one that contains it."""
    headers = release.prober.headers(identity)
    received = release.dependencies.web.converse(_address(release, path), message, headers)
    release.dependencies.evidence.attach("conversation", "\n".join((f"> {message}", *received)))
    if not any(message in text for text in received):
        raise GateClosed(f"WebSocket {path}: got {list(received)}, needs an answer to {message!r}")


def opens_only_to(release: Release, path: str, welcome: str, stranger: str) -> None:
    """A WebSocket opens to one identity, and is refused to another.

    Both are told by the status of the handshake, which is an HTTP request (RFC 6455, 4.2.2). That
    it opens to somebody tells a refusal from a path where there is no WebSocket.
    """
    found = {who: _handshake(release, path, who) for who in (welcome, stranger)}
    release.dependencies.evidence.attach(
        "handshakes", "\n".join(f"{w}: {s}" for w, s in found.items())
    )
    if found[welcome] != _SWITCHING:
        raise GateClosed(
            f"WebSocket {path} as {welcome}: got status {found[welcome]}, needs {_SWITCHING}"
        )
    if found[stranger] not in _REFUSED:
        raise GateClosed(
            f"WebSocket {path} as {stranger}: got status {found[stranger]}, needs "
            f"{' or '.join(map(str, _REFUSED))}"
        )


def _address(release: Release, path: str) -> str:
    return "ws" + release.candidate.url.removeprefix("http") + path


def _handshake(release: Release, path: str, identity: str) -> int:
    """The status that opening a WebSocket is answered with."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": b64encode(uuid4().bytes).decode(),
    }
    url = release.candidate.url + path
    return release.prober.ask(url, identity=identity, **upgrade).status
