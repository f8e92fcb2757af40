"""Proofs by requests in turn, each of which may say what an earlier answer told."""

from collections.abc import Sequence

from greenrun.checks.http import Expectation, Responses, json_path
from greenrun.checks.http.flow_table import FlowRow, Kept
from greenrun.checks.http.responses import milliseconds
from greenrun.checks.http.variables import Values, written
from greenrun.checks.witness import witness
from greenrun.model.errors import CallFailed, GateClosed
from greenrun.model.interfaces import HttpRequest, HttpResponse
from greenrun.release.release import Release

_SHOWN = 2000
"""Characters of an answer that the report shows."""

_EXCERPT = 160
"""Characters of a refusal that a message quotes."""


def is_answered(release: Release, url: str, revision: str, rows: Sequence[FlowRow]) -> None:
    """Each request in turn is answered as promised; after the first that is not, none is sent.

    Raises:
        GateClosed: with the row, the request, and every promise that its answer breaks.
    """
    flow = Flow(release, url)
    with witness(release, revision):
        try:
            for row in rows:
                flow.take(row)
        finally:
            release.dependencies.evidence.attach("requests in turn", flow.told)


class Flow:
    """Requests that were sent to a URL in turn, and what is known from their answers."""

    def __init__(self, release: Release, url: str) -> None:
        self._prober, self._web = release.prober, release.dependencies.web
        self._url = url
        self._values = Values.of_a_table()
        self._told: list[str] = []

    @property
    def told(self) -> str:
        """All requests and answers so far, without credentials or what is kept as secret."""
        return self._values.hide("\n".join(self._told))

    def take(self, row: FlowRow) -> None:
        """Send the next request, keep what its answer gives, and judge it.

        Raises:
            GateClosed: the answer breaks a promise, or lacks what was to be kept.
            CallFailed: there was no answer.
        """
        expected = row.filled(self._values)
        request = f"row {row.number}, {expected}"
        answer = self._ask(request, row, expected)
        missing = [text for kept in row.keeps if (text := self._keep(kept, answer.body))]
        broken = [*expected.broken_by(Responses((answer,))), *_late(row, answer)] or missing
        if broken:
            said = [f"  it said: {answer.body[:_EXCERPT]}"] if answer.body else []
            lines = [*(f"{request}: {text}" for text in broken), *said]
            raise GateClosed(self._values.hide("\n".join(lines)))

    def _ask(self, request: str, row: FlowRow, expected: Expectation) -> HttpResponse:
        identity, sends = self._prober.headers(expected.identity), expected.sends
        headers = {name: self._values.in_text(value) for name, value in row.headers.items()}
        url = self._url + expected.path
        probe = HttpRequest(url, expected.method, {**identity, **headers}, sends.json, sends.files)
        self._told += [request, *sends.told()]
        try:
            answer = self._web.send(probe)
        except CallFailed as error:
            message = self._values.hide(f"row {row.number}: {error.message}")
            raise CallFailed(message, hint=error.hint) from error
        self._told.append(f"< {answer.status} in {milliseconds(answer.latency)}")
        self._told += [f"< {answer.body[:_SHOWN]}"] if answer.body else []
        return answer

    def _keep(self, kept: Kept, body: str) -> str:
        """Know what is at a path from now on; what is there instead, where nothing is."""
        try:
            found = json_path.at(json_path.read(body), kept.path)
        except json_path.NoJson as error:
            return f"{kept.path} as {kept.name}: {error}"
        if found is json_path.ABSENT:
            return f"{kept.path} as {kept.name}: got nothing there"
        self._values.keep(kept.name, found, secret=kept.secret)
        self._told.append(f"  {kept.name} = {written(found)}")
        return ""


def _late(row: FlowRow, answer: HttpResponse) -> Sequence[str]:
    if row.within is None or answer.latency <= row.within:
        return ()
    return (f"got it in {milliseconds(answer.latency)}, needs {milliseconds(row.within)}",)
