"""Requests in turn, each of which may say what an earlier answer told."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from greenrun.checks.http import documents
from greenrun.checks.http.cells import (
    UNIQUE,
    Values,
    fields,
    parts,
    places,
    unquoted,
    written,
)
from greenrun.checks.http.endpoints import REQUEST, expected, never_arrives, read_time
from greenrun.checks.http.expectation import Expectation, Responses, milliseconds
from greenrun.checks.http.promises import BODY_FORMS, BodyPromise, read_body_promise
from greenrun.checks.logs import log_as_evidence
from greenrun.checks.table import Cells, Column, Fault, TableForm, Unmeant
from greenrun.model.errors import CallFailed, GateClosed, ReleaseError
from greenrun.model.interfaces import HttpRequest, HttpResponse
from greenrun.release.release import Release

_WHAT = "requests in turn"
_KEPT = re.compile(r"(\S+) as (secret )?([a-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is at a path of the answer is known by a name from then on."""

    path: str
    name: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A request with places for values, and what its answer must be and gives."""

    number: int
    expected: Expectation
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    promises: tuple[str, ...] = ()
    keeps: tuple[Kept, ...] = ()
    within: timedelta | None = None

    def filled(self, values: Values) -> Expectation:
        """What is expected by what is known. Raises ReleaseError where that makes no promise."""
        path = values.in_path(self.expected.path)
        try:
            body = tuple(self.promised(values))
        except Unmeant as needs:
            where = f"table of {_WHAT}, row {self.number}: answers"
            raise ReleaseError(f"{where}: got {needs.got}, needs {needs}") from needs
        return replace(self.expected.filled(values), path=path, body=body)

    @property
    def places(self) -> Mapping[str, Iterable[str]]:
        """The names that each column has places for."""
        return {
            "request": places(self.expected.path),
            "with": [name for value in self.headers.values() for name in places(value)],
            "answers": [name for text in self.promises for name in places(text)],
            "sends": self.expected.sends.places,
        }

    def promised(self, values: Values) -> Iterator[BodyPromise]:
        """Each promise about the body, with its places filled. Raises Unmeant."""
        for text in self.promises:
            promise = values.in_promise(text)
            try:
                yield read_body_promise(promise)
            except ValueError as error:
                got = repr(values.hide(promise))
                raise Unmeant(f"promises: {BODY_FORMS}", got=got) from error


def _row(cells: Cells, number: int) -> FlowRow:
    return FlowRow(
        number=number,
        expected=expected(cells),
        headers=cells["with"],
        promises=cells["answers"],
        keeps=cells["keeps"],
        within=cells["within"],
    )


def _unfilled(rows: Sequence[FlowRow]) -> Iterator[Fault]:
    """Every place is filled by an earlier row, and what is then promised can be meant."""
    known = Values({UNIQUE: "0"})
    for row in rows:
        yield from never_arrives(row.expected, row.number)
        missing = list(_missing(row, known))
        yield from missing
        if not missing:
            yield from _unmeant(row, known)
        for kept in row.keeps:
            known.keep(kept.name, 0)


def _missing(row: FlowRow, values: Values) -> Iterator[Fault]:
    for column, names in row.places.items():
        if missing := sorted(set(names) - values.known.keys()):
            needs = f"what an earlier row keeps, or one of: {', '.join(values.known)}"
            text = f"{column}: got a place for {', '.join(missing)}, needs {needs}"
            yield Fault(text, row.number, column)


def _unmeant(row: FlowRow, values: Values) -> Iterator[Fault]:
    try:
        tuple(row.promised(values))
    except Unmeant as needs:
        yield Fault(f"answers: got {needs.got}, needs {needs}", row.number, "answers")


def _keeps(cell: str) -> tuple[Kept, ...]:
    return tuple(map(_kept, parts(cell)))


def _kept(text: str) -> Kept:
    said = _KEPT.fullmatch(text)
    if said is None:
        raise Unmeant("`PATH as name` or `PATH as secret name`", got=text)
    return Kept(said[1], said[3], secret=bool(said[2]))


def _sent_headers(cell: str) -> Mapping[str, str]:
    return {name: unquoted(text) for name, text in fields(cell).items()}


FLOW = TableForm(
    _WHAT,
    (
        *REQUEST,
        Column("with", _sent_headers),
        Column("answers", parts),
        Column("keeps", _keeps),
        Column("within", read_time),
    ),
    _row,
    _unfilled,
)


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
    with log_as_evidence(release, revision):
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
            found = documents.at(documents.read_json(body), kept.path)
        except documents.NoJson as error:
            return f"{kept.path} as {kept.name}: {error}"
        if found is documents.ABSENT:
            return f"{kept.path} as {kept.name}: got nothing there"
        self._values.keep(kept.name, found, secret=kept.secret)
        self._told.append(f"  {kept.name} = {written(found)}")
        return ""


def _late(row: FlowRow, answer: HttpResponse) -> Sequence[str]:
    if row.within is None or answer.latency <= row.within:
        return ()
    return (f"got it in {milliseconds(answer.latency)}, needs {milliseconds(row.within)}",)
