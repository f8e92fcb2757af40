"""Requests in turn: values go from answers into later requests, and what fails is named."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenrun.checks.http import flow
from greenrun.checks.http.cells import STARS, Values
from greenrun.checks.http.flow import FLOW
from greenrun.model.errors import CallFailed, GateClosed, ReleaseError
from greenrun.model.interfaces import HttpRequest, HttpResponse
from greenrun.release.release import Release
from tests.checks.deployed import answer, candidate_answers, deploy
from tests.conftest import World

HEAD = ["request", "sends", "answers", "keeps"]
ANALYSE = "POST /analyze"
TEXT = 'text = "a rehearsal of {unique}"'
FILES = 'one as a.txt = "of {unique}"; two as b.csv = 1'
TOKEN = "s3cr/t token"


@dataclass
class Memory:
    """Analyses texts, each of them once; signs people in who then may see what they are."""

    texts: dict[str, int] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=lambda: count(7))

    def analyse(self, probe: HttpRequest) -> HttpResponse:
        assert isinstance(probe.json, Mapping)
        text = probe.json["text"]
        status = "skipped" if text in self.texts else "completed"
        number = self.texts.setdefault(text, next(self.numbers))
        return answer({"status": status, "id": number, "of": {"text": text}}, milliseconds=20)

    def sign_in(self, _: HttpRequest) -> HttpResponse:
        return answer({"token": TOKEN, "name": 'Zoë; "the cat"'}, 201)

    def me(self, probe: HttpRequest) -> HttpResponse:
        known = probe.headers.get("x-token") == TOKEN
        return answer({"name": 'Zoë; "the cat"', "sent": probe.json} if known else "who?", 200)


@pytest.fixture
def deployed(release: Release, world: World) -> Release:
    memory = Memory()
    candidate_answers(world, "/analyze", memory.analyse)
    candidate_answers(world, "/sign-in", memory.sign_in)
    candidate_answers(world, "/me", memory.me)
    candidate_answers(world, "/analyses/7", answer({"id": 7}))
    candidate_answers(world, "/found?by=s3cr%2Ft%20token", answer([]))
    return deploy(release)


def take(deployed: Release, *table: Sequence[str]) -> None:
    candidate = deployed.candidate
    flow.is_answered(deployed, candidate.url, candidate.name, FLOW.read(table))


def test_what_an_answer_tells_is_said_by_later_requests(deployed: Release, world: World) -> None:
    take(
        deployed,
        HEAD,
        [ANALYSE, TEXT, "status = completed", "id as analysis; of.text as text"],
        [ANALYSE, '{"text": "{text}"}', "status = skipped; id = {analysis}", ""],
        ["GET /analyses/{analysis}", "", "id = {analysis}", ""],
    )
    told = world.evidence.kept["requests in turn"]
    assert isinstance(told, str)
    unique = json.loads(told.splitlines()[1].removeprefix("> "))["text"].removeprefix(
        "a rehearsal of "
    )
    assert told.splitlines() == [
        "row 1, POST /analyze as a user",
        f'> {{"text": "a rehearsal of {unique}"}}',
        "< 200 in 20 ms",
        f'< {{"status": "completed", "id": 7, "of": {{"text": "a rehearsal of {unique}"}}}}',
        "  analysis = 7",
        f"  text = a rehearsal of {unique}",
        "row 2, POST /analyze as a user",
        f'> {{"text": "a rehearsal of {unique}"}}',
        "< 200 in 20 ms",
        f'< {{"status": "skipped", "id": 7, "of": {{"text": "a rehearsal of {unique}"}}}}',
        "row 3, GET /analyses/7 as a user",
        "< 200 in 1.0 ms",
        '< {"id": 7}',
    ]


def test_no_two_flows_say_the_same(deployed: Release) -> None:
    for _ in range(2):
        take(deployed, HEAD, [ANALYSE, TEXT, "status = completed", ""])


def test_a_value_keeps_its_type_in_what_is_sent(deployed: Release, world: World) -> None:
    take(
        deployed,
        HEAD,
        [ANALYSE, 'text = "x"', "", "id as number"],
        [ANALYSE, 'text = {number}; as text = "no {number}"; list = [1, true]', "", ""],
    )
    assert world.web.asked[-1].json == {"text": 7, "as text": "no 7", "list": [1, True]}


def test_what_is_kept_as_secret_is_sent_and_never_shown(deployed: Release, world: World) -> None:
    table = [
        ["request", "with", "sends", "status", "answers", "keeps"],
        ["POST /sign-in", "", "", "201", "", "token as secret token; name as name"],
        ["GET /me", "x-token = {token}", "", "", "name = {name}", ""],
        ["GET /found?by={token}", "", "", "", "0 entries", ""],
        ["GET /me", "x-token = {token}", "note = {token}", "", "name = nobody", ""],
    ]
    with pytest.raises(GateClosed) as closed:
        take(deployed, *table)
    told = str(world.evidence.kept["requests in turn"])
    shown = told + str(closed.value)
    assert "row 4, GET /me as a user: name = nobody: got" in closed.value.message
    assert TOKEN not in shown
    assert "s3cr" not in shown
    assert '> {"note": "********"}' in told
    assert "  token = ********" in told


def test_a_secret_is_hidden_also_where_its_answer_breaks_a_promise(
    deployed: Release, world: World
) -> None:
    row = ["POST /sign-in", "", "name = nobody", "token as secret token"]
    with pytest.raises(GateClosed, match="got status 201, needs 200") as closed:
        take(deployed, HEAD, row)
    assert "s3cr" not in str(closed.value) + str(world.evidence.kept)


def test_after_the_first_broken_promise_nothing_is_sent(deployed: Release, world: World) -> None:
    with pytest.raises(GateClosed, match="row 2, POST /analyze as a user: status = completed: "):
        take(
            deployed,
            HEAD,
            [ANALYSE, TEXT, "status = completed", ""],
            [ANALYSE, TEXT, "status = completed", ""],
            ["GET /me", "", "", ""],
        )
    assert world.web.asked[-1].method == "POST"
    assert f"log of {deployed.candidate.name}" in world.evidence.kept


def test_an_answer_that_comes_too_late(deployed: Release) -> None:
    rows = ["request", "sends", "within"], [ANALYSE, TEXT, "20 ms"], [ANALYSE, TEXT, "19 ms"]
    with pytest.raises(GateClosed, match=r"row 2, .*: got it in 20 ms, needs 19 ms"):
        take(deployed, *rows)


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        ("of.words as words", "of.words as words: got nothing there"),
        ("id.id as id", "id.id as id: got nothing there"),
    ],
)
def test_what_was_to_be_kept_and_is_not_there(deployed: Release, kept: str, reason: str) -> None:
    with pytest.raises(GateClosed, match=f"row 1, POST /analyze as a user: {reason}"):
        take(deployed, HEAD, [ANALYSE, TEXT, "", kept])


def test_nothing_can_be_kept_of_what_is_no_json(deployed: Release) -> None:
    with pytest.raises(GateClosed, match=r"row 1, .*: id as id: got no JSON but"):
        take(deployed, HEAD, ["GET /me", "", "", "id as id"])


def test_no_answer_is_told_with_its_row(deployed: Release, world: World) -> None:
    def silent(probe: HttpRequest) -> HttpResponse:
        raise CallFailed(f"got no answer to {probe.method} {probe.url}")

    candidate_answers(world, "/me", silent)
    with pytest.raises(CallFailed, match="row 1: got no answer to GET http"):
        take(deployed, HEAD, ["GET /me", "", "", ""])
    assert world.evidence.kept["requests in turn"] == "row 1, GET /me as a user"


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("request", "FETCH /me", "row 2"),
        ("status", "fine", "row 2"),
        ("request", "GET /analyses/{analysis}", "row 2: request: got a place for analysis"),
        ("sends", "id = {analysis}", "row 2: sends: got a place for analysis, needs what"),
        ("with", "x-id = {analysis}", "row 2: with: got a place for analysis"),
        ("answers", "id = {later}", "row 2: answers: got a place for later"),
        ("answers", "is it so", "row 2: answers: got 'is it so', needs promises: PATH = VALUE"),
        ("sends", "text", "row 2: sends: got 'text', needs `NAME = VALUE`"),
        ("sends", '{"text": {first}}', "row 2: sends: .*needs JSON, with places in quotes"),
        ("with", "x-id", "row 2: with: got 'x-id', needs `NAME = VALUE`"),
        ("keeps", "id", "row 2: keeps: got 'id', needs `PATH as name`"),
        ("keeps", "id as My id", "row 2: keeps: got 'id as My id'"),
        ("within", "soon", "row 2: within: got 'soon', needs a time"),
        ("within", "100 %", "row 2: within: got '100 %', needs a time"),
        ("within", "0 ms", "row 2: within: got '0 ms', needs a time"),
        ("answer", "id = 1", "got columns request, keeps, answer, needs request and any of as,"),
    ],
)
def test_cells_that_cannot_be_meant_stop_before_anything_is_asked(
    deployed: Release, world: World, column: str, cell: str, reason: str
) -> None:
    head = ["request", "keeps", *([column] if column not in ("request", "keeps") else [])]
    good = dict(zip(head, ["GET /me", "id as first", ""], strict=False))
    bad = {**good, column: cell}
    world.web.asked.clear()
    with pytest.raises(ReleaseError, match=reason):
        take(deployed, head, list(good.values()), [bad[name] for name in head])
    assert world.web.asked == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(JSON)
def test_a_document_is_sent_as_it_was_kept(value: object) -> None:
    known = Values({"kept": value})
    assert known.in_document({"a": ["{kept}"]}) == {"a": [value]}


@given(st.text())
def test_a_kept_text_is_promised_as_it_is(text: str) -> None:
    row = FLOW.read([["request", "answers", "keeps"], ["GET /", "", "a as kept"]])[0]
    again = flow.FlowRow(2, row.expected, promises=("a = {kept}", "b = 1"))
    a, b = again.filled(Values({"kept": text})).body
    assert (a.broken_by({"a": text}), b.broken_by({"b": 1})) == ("", "")
    assert a.broken_by({"a": f"{text}!"})


@given(st.text(min_size=1).filter(lambda text: text not in STARS), st.text(max_size=3))
def test_a_secret_shows_nowhere(secret: str, beside: str) -> None:
    known = Values()
    known.keep("token", secret, secret=True)
    for written in (known.in_text, known.in_path, known.in_promise):
        text = beside + written("{token}")
        assert known.hide(text) != text
    assert repr(known) == "Values(secret={'token'})"


def test_a_header_in_quotes_is_sent_as_the_text_between_them(
    deployed: Release, world: World
) -> None:
    cell = 'Content-Type = "text/csv; charset=utf-8"; If-Match = "\\"abc\\""; Accept = text/csv'
    take(deployed, ["request", "with"], ["GET /me", cell])
    sent = world.web.asked[-1].headers
    assert {name: sent[name] for name in ("Content-Type", "If-Match", "Accept")} == {
        "Content-Type": "text/csv; charset=utf-8",
        "If-Match": '"abc"',
        "Accept": "text/csv",
    }


def test_files_are_sent_as_a_form(deployed: Release, world: World) -> None:
    table = ["request", "sends"], [ANALYSE, 'text = "x"'], ["GET /me", FILES]
    take(deployed, *table)
    unique = str(world.evidence.kept["requests in turn"]).rpartition("file a.txt: of ")[2][:32]
    assert world.web.asked[-1].files == {"one": ("a.txt", f"of {unique}"), "two": ("b.csv", "1")}
    assert world.web.asked[-1].json is None
