"""A row of a feature's table is a promise that answers keep or break."""

import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenrun.checks.http.documents import ABSENT, NoJson, at, read_json, read_schema, same
from greenrun.checks.http.endpoints import ENDPOINTS
from greenrun.checks.http.expectation import Responses, percentile
from greenrun.checks.http.promises import read_body_promise, read_header_promise
from greenrun.model.errors import ReleaseError
from greenrun.model.interfaces import HttpResponse

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def answer(
    body: object = None, status: int = 200, milliseconds: float = 5, **headers: str
) -> HttpResponse:
    return HttpResponse(status, headers, json.dumps(body), timedelta(milliseconds=milliseconds))


def answers(*each: HttpResponse) -> Responses:
    return Responses(each)


@pytest.mark.parametrize(
    ("promise", "body"),
    [
        ("status = ok", {"status": "ok"}),
        ("has messages.total", {"messages": {"total": 0}}),
        ("no messages.total", {"messages": {}}),
        ("messages.total = 3", {"messages": {"total": 3}}),
        ("messages.total = 3", {"messages": {"total": 3.0}}),
        ("id = 3", {"id": "3"}),
        ('id = "3"', {"id": "3"}),
        ("ready = true", {"ready": True}),
        ('tags = ["a", "b"]', {"tags": ["a", "b"]}),
        ("id != 4", {"id": 3}),
        ("error rate = 0", {"error rate": 0}),
        ("message ~ part", {"message": "a part of it"}),
        ('message ~ "a part; of it"', {"message": "this is a part; of it"}),
        ('message ~ "quoted"', {"message": 'it says "quoted"'}),
        ("rows.0.name = a", {"rows": [{"name": "a"}]}),
        ("2 entries", [1, 2]),
        ("rows: 1 entry", {"rows": [1]}),
        ("rows: at least 2 entries", {"rows": [1, 2, 3]}),
        ("rows: at most 3 entries", {"rows": [1, 2, 3]}),
        ("total is a number", {"total": 0.5}),
        ("total is a whole number", {"total": 5.0}),
        ("name is a string", {"name": ""}),
        ("is an array", []),
        ("a is an object", {"a": {}}),
        ("a is true or false", {"a": False}),
        ("a is null", {"a": None}),
        ("total >= 0", {"total": 0}),
        ("total < 1e3", {"total": 999}),
        ("total > -1.5", {"total": -1}),
        ("total <= 2", {"total": 2}),
    ],
)
def test_promises_that_are_kept(promise: str, body: object) -> None:
    assert read_body_promise(promise).broken_by(body) == ""


@pytest.mark.parametrize(
    ("promise", "body", "got"),
    [
        ("status = ok", {"status": "ill"}, '"ill"'),
        ("status = ok", {}, "nothing there, in {}"),
        ('id = "3"', {"id": 3}, "3"),
        ("ready = true", {"ready": 1}, "1"),
        ("id != 3", {"id": 3}, "3"),
        ("id != 3", {}, "nothing there, in {}"),
        ("message ~ part", {"message": ["part"]}, '["part"]'),
        ("has messages.total", {"messages": 3}, 'nothing there, in {"messages": 3}'),
        ("no secret", {"secret": None}, "null"),
        ("2 entries", [1], "1"),
        ("2 entries", {}, "{}, needs an array"),
        ("rows: at least 2 entries", {"rows": [1]}, "1"),
        ("rows: at most 2 entries", {"rows": [1, 2, 3]}, "3"),
        ("rows: 2 entries", {}, "nothing there, in {}"),
        ("total is a number", {"total": "3"}, '"3"'),
        ("total is a number", {"total": True}, "true"),
        ("total is a whole number", {"total": 0.5}, "0.5"),
        ("total >= 0", {"total": -1}, "-1"),
        ("total >= 0", {"total": "many"}, '"many"'),
        ("a = b", {"a": "c" * 200}, '"' + "c" * 76 + "..."),
        ("a = b", {"a": "\ud800"}, '"?"'),
    ],
)
def test_promises_that_are_broken(promise: str, body: object, got: str) -> None:
    assert read_body_promise(promise).broken_by(body) == f"{promise}: got {got}"


@given(JSON)
def test_what_is_equal_to_itself_keeps_its_promise(value: object) -> None:
    written = json.dumps(value)
    assert read_body_promise(f"a = {written}").broken_by({"a": value}) == ""
    assert read_body_promise(f"a != {written}").broken_by({"a": value}) != ""


@given(JSON, JSON)
def test_sameness_is_that_of_json(one: object, other: object) -> None:
    assert same(one, one)
    assert same(one, other) == same(other, one)
    assert not same(one, other) or one == other


@given(JSON, st.integers())
def test_a_comparison_and_its_opposite_are_never_both_kept(value: object, bound: int) -> None:
    document = {"a": value}
    kept = [
        read_body_promise(f"a {sign} {bound}").broken_by(document) == "" for sign in (">=", "<")
    ]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    assert sum(kept) == (1 if number else 0)


@given(st.lists(JSON), st.integers(0, 5))
def test_entries_are_counted(rows: list[object], count: int) -> None:
    kept = read_body_promise(f"rows: {count} entries").broken_by({"rows": rows}) == ""
    assert kept == (len(rows) == count)


@given(JSON, st.text())
def test_any_path_of_any_document_can_be_looked_at(document: object, path: str) -> None:
    found = at(document, path)
    assert found is ABSENT or path == "" or isinstance(document, dict | list)


@given(st.text())
def test_any_body_is_a_document_or_none(body: str) -> None:
    with suppress(NoJson):
        assert read_json(body) is not ABSENT


@pytest.mark.parametrize("body", ["", "NaN", "<html>", "[" * 100_000])
def test_bodies_that_are_no_json(body: str) -> None:
    (row,) = ENDPOINTS.read([["request", "body"], ["GET /", "has a"]])
    (told,) = row.broken_by(answers(HttpResponse(200, {}, body, timedelta())))
    assert told.startswith("got no JSON but ")
    assert told.endswith(", needs JSON")
    assert len(told) < 120


@pytest.mark.parametrize(
    ("promise", "headers", "broken"),
    [
        ("content-type ~ application/json", {"content-type": "application/json; a=b"}, ""),
        ("Cache-Control = no-store", {"cache-control": "no-store"}, ""),
        ("has etag", {"etag": ""}, ""),
        ("no server", {}, ""),
        ("a = b", {"a": "c"}, "a = b: got c"),
        ("a ~ b", {"a": "c"}, "a ~ b: got c"),
        ("a = b", {}, "a = b: got no such header"),
        ("has etag", {}, "has etag: got no such header"),
        ("no server", {"server": "x"}, "no server: got x"),
    ],
)
def test_promises_about_headers(promise: str, headers: dict[str, str], broken: str) -> None:
    assert read_header_promise(promise).broken_by(headers) == broken


def test_a_table_is_read_with_its_defaults() -> None:
    (row,) = ENDPOINTS.read([["request"], ["GET /"]])
    assert (row.method, row.path, row.identity, row.statuses) == ("GET", "/", "a user", (200,))
    assert (row.headers, row.body, row.schema, row.latency, row.requests) == ((), (), "", (), 1)


def test_promises_stand_between_semicolons_unless_in_quotes() -> None:
    (row,) = ENDPOINTS.read([["request", "body"], ["GET /", ' a = "x; y" ; has b;']])
    assert [promise.text for promise in row.body] == ['a = "x; y"', "has b"]


@pytest.mark.parametrize(
    ("column", "cell", "requests"),
    [("p50 at most", "1 s", 20), ("p95 at most", "1.5 ms", 20), ("p99 at most", "1 s", 100)],
)
def test_as_many_requests_as_a_percentile_needs(column: str, cell: str, requests: int) -> None:
    (row,) = ENDPOINTS.read([["request", column], ["GET /", cell]])
    assert row.requests == requests


def test_requests_are_chosen_in_the_table() -> None:
    (row,) = ENDPOINTS.read([["request", "p95 at most", "requests"], ["GET /", "1 s", "7"]])
    assert row.requests == 7


def test_everything_broken_is_told_at_once() -> None:
    head = ["request", "as", "status", "headers", "body", "p95 at most"]
    cells = ["GET /costs", "nobody", "200", "has etag", "has a; b = 1", "100 ms"]
    (row,) = ENDPOINTS.read([head, cells])
    assert row.broken_by(answers(answer({}, milliseconds=900))) == (
        "has etag: got no such header",
        "has a: got nothing there, in {}",
        "b = 1: got nothing there, in {}",
        "got p95 900 ms (the slowest of 1 requests after 0 warm-up), needs at most 100 ms",
    )


def test_a_percentile_says_of_what_it_is() -> None:
    (row,) = ENDPOINTS.read(
        [["request", "p95 at most", "p50 at most"], ["GET /", "10 ms", "10 ms"]]
    )
    slow = [answer(milliseconds=5)] * 18 + [answer(milliseconds=87), answer(milliseconds=900)]
    assert row.broken_by(Responses(tuple(slow), (answer(milliseconds=5000),))) == (
        "got p95 87 ms of 20 requests after 1 warm-up, needs at most 10 ms",
    )


def test_a_wrong_status_leaves_the_body_unread() -> None:
    (row,) = ENDPOINTS.read([["request", "body"], ["GET /", "has a"]])
    found = row.broken_by(answers(answer(), answer(status=500)))
    assert found == ("got status 200, 500, needs 200",)


def test_a_warm_up_counts_for_all_but_the_latency() -> None:
    (row,) = ENDPOINTS.read([["request", "p95 at most"], ["GET /", "10 ms"]])
    cold = answer(status=503, milliseconds=900)
    assert row.broken_by(Responses((answer(),), (cold,))) == ("got status 200, 503, needs 200",)


def test_one_of_several_statuses_is_enough() -> None:
    (row,) = ENDPOINTS.read([["request", "status"], ["GET /", "401 or 403"]])
    assert row.broken_by(answers(answer(status=401), answer(status=403))) == ()
    assert row.broken_by(answers(answer())) == ("got status 200, needs 401 or 403",)


def test_every_answer_is_judged() -> None:
    (row,) = ENDPOINTS.read([["request", "body", "requests"], ["GET /", "a = 1", "3"]])
    found = row.broken_by(answers(answer({"a": 1}), answer({"a": 2}), answer({"a": 1})))
    assert found == ("a = 1: got 2 (1 of 3 answers)",)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ([], "got columns none, needs request and any of as, "),
        ([["request"]], "got no row, needs at least one"),
        ([["path"], ["/"]], "got columns path, needs request and any of "),
        ([["request", "colour"], ["GET /", "red"]], "got columns request, colour, needs "),
        ([["request", "request"], ["GET /", "GET /"]], "got request twice, needs "),
        ([["request"], ["GET /", "x"]], "row 1: got 2 cells, needs 1"),
        ([["request"], ["/"]], "row 1: request: got '/', needs a method and a path"),
        ([["request", "status"], ["GET /", "fine"]], "row 1: status: got 'fine', needs a status"),
        ([["request", "p95 at most"], ["GET /", "soon"]], "p95 at most: got 'soon', needs a time"),
        ([["request", "body"], ["GET /", "has a; b=1"]], "body: got 'b=1', needs PATH = VALUE"),
        ([["request", "body"], ["GET /", "a >= b"]], "body: got 'a >= b', needs PATH = VALUE"),
        ([["request", "headers"], ["GET /", "etag"]], "headers: got 'etag', needs NAME = VALUE"),
        ([["request", "schema"], ["GET /", "costs"]], "schema: got 'costs', needs a file beside"),
        ([["request", "requests"], ["GET /", "0"]], "requests: got '0', needs a number from 1 to "),
        ([["request", "body"], ["HEAD /", "has a"]], "request: got HEAD, whose answers have no "),
    ],
)
def test_tables_that_cannot_be_meant(table: list[list[str]], told: str) -> None:
    with pytest.raises(ReleaseError) as failure:
        ENDPOINTS.read(table)
    assert failure.value.message.startswith("table of endpoints")
    assert told in failure.value.message


def test_every_wrong_cell_is_told_with_its_row() -> None:
    head = ["request", "status", "requests"]
    with pytest.raises(ReleaseError) as failure:
        ENDPOINTS.read([head, ["x", "y", ""], ["GET /", "", ""], ["GET /", "", "-1"]])
    lines = failure.value.message.splitlines()
    assert [line.split(": got")[0] for line in lines] == [
        "table of endpoints, row 1: request",
        "table of endpoints, row 1: status",
        "table of endpoints, row 3: requests",
    ]


@given(st.lists(st.tuples(st.sampled_from(ENDPOINTS.names), st.text(max_size=20)), max_size=6))
def test_any_table_is_read_or_refused(cells: list[tuple[str, str]]) -> None:
    head, row = [column for column, _ in cells], [cell for _, cell in cells]
    try:
        (found,) = ENDPOINTS.read([head, row])
    except ReleaseError:
        return
    assert f"{found.method} {found.path}" in row[head.index("request")]


@given(st.lists(st.integers(0, 10**6), min_size=1), st.sampled_from([50, 95, 99]))
def test_a_percentile_is_the_least_latency_that_covers_its_share(
    latencies: list[int], percent: int
) -> None:
    found = percentile([answer(milliseconds=latency) for latency in latencies], percent)
    milliseconds = found / timedelta(milliseconds=1)
    assert milliseconds in latencies
    assert 100 * sum(one <= milliseconds for one in latencies) >= percent * len(latencies)
    assert 100 * sum(one < milliseconds for one in latencies) < percent * len(latencies)


SCHEMA = {
    "type": "object",
    "required": ["messages"],
    "properties": {"messages": {"$ref": "parts.json#/count"}},
}


@pytest.fixture
def features(tmp_path: Path) -> Path:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas/costs.json").write_text(json.dumps(SCHEMA))
    count = {"type": "object", "properties": {"total": {"type": "integer", "minimum": 0}}}
    (tmp_path / "schemas/parts.json").write_text(json.dumps({"count": count}))
    return tmp_path


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"messages": {"total": 3}}, []),
        ({"messages": {"total": "x"}}, ['$.messages.total: got "x", needs type "integer"']),
        ({"messages": {"total": -1}}, ["$.messages.total: got -1, needs minimum 0"]),
        ({"a": 1}, ['$: got {"a": 1}, needs the keys messages']),
        ([], ['$: got [], needs type "object"']),
    ],
)
def test_a_schema_tells_where_what_was_found(
    features: Path, document: object, told: list[str]
) -> None:
    found = read_schema(features, "schemas/costs.json").broken_by(document)
    assert list(found) == [f"schema schemas/costs.json: {text}" for text in told]


def test_a_row_is_judged_by_its_schema(features: Path) -> None:
    (row,) = ENDPOINTS.read([["request", "schema"], ["GET /", "schemas/costs.json"]])
    schema = read_schema(features, row.schema)
    assert row.broken_by(answers(answer({"messages": {}})), schema) == ()
    assert row.broken_by(answers(answer({})), schema) == (
        "schema schemas/costs.json: $: got {}, needs the keys messages",
    )


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (None, "could not read schema .*costs.json: No such file"),
        ("{", "could not read schema .*costs.json: got no JSON: "),
        ("[]", r"could not use schema .*costs.json: got \[\], needs an object"),
        ('{"type": "nubmer"}', r'could not use schema .*: at \$\.type: got "nubmer", needs '),
        (
            '{"pattern": "^' + 3_000 * "(" + '"}',
            "could not use schema .*costs.json: nested too deep",
        ),
    ],
)
def test_schemas_that_cannot_be_used(features: Path, written: str | None, told: str) -> None:
    path = features / "schemas/costs.json"
    path.unlink() if written is None else path.write_text(written)
    with pytest.raises(ReleaseError, match=told):
        read_schema(features, "schemas/costs.json")


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(?!b)(a+)$"], ids=["linear", "look-ahead"])
def test_a_pattern_judges_what_is_text(features: Path, pattern: str) -> None:
    (features / "schemas/costs.json").write_text(json.dumps({"pattern": pattern}))
    schema = read_schema(features, "schemas/costs.json")
    assert [schema.broken_by(found) for found in ("aaa", 7)] == [(), ()]
    (told,) = schema.broken_by("aab")
    assert told == f'schema schemas/costs.json: $: got "aab", needs pattern {json.dumps(pattern)}'


def test_no_answer_makes_a_pattern_endless(features: Path) -> None:
    (features / "schemas/costs.json").write_text('{"pattern": "^(a+)+$"}')
    began = process_time()
    assert read_schema(features, "schemas/costs.json").broken_by(100_000 * "a" + "b")
    assert process_time() - began < 5


@pytest.mark.parametrize("reference", ["missing.json", "https://example.org/schema.json"])
def test_a_reference_that_leads_nowhere(features: Path, reference: str) -> None:
    (features / "schemas/costs.json").write_text(json.dumps({"$ref": reference}))
    with pytest.raises(ReleaseError, match=f"got a .ref to '{reference}', needs a schema beside"):
        read_schema(features, "schemas/costs.json").broken_by({})


FIELDS = st.from_regex(r"[!-~]([ -~]{0,40}[!-~])?", fullmatch=True)
"""Values that a header may have."""


def kept(promise: str, **headers: str) -> bool:
    (row,) = ENDPOINTS.read([["request", "headers"], ["GET /", promise]])
    return not row.broken_by(answers(HttpResponse(200, headers, "", timedelta())))


@pytest.mark.parametrize(
    "value",
    [
        "max-age=31536000; includeSubDomains",
        "default-src 'self'; img-src 'self' data:",
        "text/html; charset=utf-8",
        'attachment; filename="a; b.txt"',
    ],
)
def test_a_header_whose_value_has_a_semicolon_is_promised_in_quotes(value: str) -> None:
    other = {"x-other": "5", "x-named": value}
    assert kept(f"x-named = {json.dumps(value)}; x-other = 5", **other)
    assert kept(f"x-other = 5; x-named ~ {json.dumps(value[:-2])}", **other)
    assert not kept(f"x-named = {json.dumps(value)}", **{"x-named": value[:-1]})


def test_quotes_of_the_header_itself_are_its_own() -> None:
    assert kept('etag = "abc"', etag='"abc"')
    assert kept('etag = W/"abc"; size = 5"; x = 6"', etag='W/"abc"', size='5"', x='6"')
    assert not kept('etag = "abc"', etag='"abd"')


def test_a_part_of_nothing_is_no_promise_that_holds() -> None:
    assert not kept('etag ~ ""', etag="abc")


def test_a_value_with_a_semicolon_and_no_quotes_is_told_how_to_be_written() -> None:
    with pytest.raises(ReleaseError, match="got 'includeSubDomains'") as refused:
        kept("strict-transport-security = max-age=1; includeSubDomains")
    assert "in quotes what has a semicolon" in str(refused.value)


@given(FIELDS, FIELDS)
def test_whatever_stands_in_quotes_is_promised_of_that_header_alone(one: str, other: str) -> None:
    cell = f"x-one = {json.dumps(one)}; x-other = {json.dumps(other)}"
    headers = {"x-one": one, "x-other": other}
    assert kept(cell, **headers)
    assert not kept(cell, **{**headers, "x-other": f"{other}."})


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_whatever_stands_in_quotes_is_a_part_of_a_body(text: str) -> None:
    promise = read_body_promise(f"message ~ {json.dumps(text)}")
    assert not promise.broken_by({"message": f"so {text} it is"})
