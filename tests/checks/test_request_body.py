"""A cell says what a request sends: JSON, fields of it, or files; or what it needs to say so."""

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenrun.checks.http.cells import RequestBody, Values, parts, read_request_body
from greenrun.checks.http.endpoints import ENDPOINTS
from greenrun.checks.table import Unmeant
from greenrun.model.errors import ReleaseError

NAMES = st.text("abc", min_size=1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=5,
)
PIECES = st.lists(
    st.sampled_from([*'ab;={}[]"\\ 1', " = ", " as ", "x.y", "NaN", "1e999", "\ud800"])
)


@pytest.mark.parametrize(
    ("cell", "sent"),
    [
        ("", RequestBody()),
        ('text = "a; b"; limit = 3', RequestBody({"text": "a; b", "limit": 3})),
        ("note = bare text", RequestBody({"note": "bare text"})),
        ("a = NaN; b = null; c = [1]", RequestBody({"a": "NaN", "b": None, "c": [1]})),
        ('{"a": [1]}', RequestBody({"a": [1]})),
        ("[]", RequestBody([])),
        ('file as maps.txt = "I; love"', RequestBody(files={"file": ("maps.txt", "I; love")})),
        (
            "a as b.csv = 1.0; c as d = [1,2]",
            RequestBody(files={"a": ("b.csv", "1.0"), "c": ("d", "[1,2]")}),
        ),
    ],
)
def test_what_a_cell_sends(cell: str, sent: RequestBody) -> None:
    assert read_request_body(cell) == sent


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("text", "sends: got 'text', needs `NAME = VALUE`, several between semicolons, or files"),
        (" ; ", "sends: got ';', needs `NAME = VALUE`"),
        ("a = 1; a = 2", "sends: got 'a = 2', needs each name once"),
        ('{"a": b}', "sends: got '{\"a\": b}', needs JSON, with places in quotes, or `NAME"),
        ("[" * 5000, ", needs JSON, with places in quotes"),
        ('{"a": NaN}', "needs JSON, with places"),
        ("a = 1e999", "sends: got 'a = 1e999', needs numbers that are finite"),
        ('a = "\\ud800"', ", needs numbers that are finite, and text that UTF-8 can write"),
        ("a as b.txt = x; c = 1", "sends: got 'c', needs files alone, each as `FIELD as FILE"),
        ("a as b.txt = x; a as c.txt = y", "sends: got 'a as c.txt', needs each field once"),
        ("id = {later}", "sends: got a place for later, needs {unique} alone"),
        ('a as b.txt = "{b} {a}"', "sends: got a place for a, needs {unique} alone"),
        ('{"a": [{"b": "{\\u0061}"}]}', "sends: got a place for a, needs {unique} alone"),
    ],
)
def test_what_cannot_be_sent(cell: str, told: str) -> None:
    with pytest.raises(ReleaseError) as failure:
        ENDPOINTS.read([["request", "sends"], ["POST /", "a = 1"], ["POST /", cell]])
    line = failure.value.message.splitlines()[0]
    assert line.startswith("table of endpoints, row 2: sends: got ")
    assert told in line


def test_it_is_told_with_what_else_is_wrong() -> None:
    with pytest.raises(ReleaseError) as failure:
        ENDPOINTS.read([["request", "sends", "status"], ["POST /", "text", "fine"]])
    assert [line.split(": got")[0] for line in failure.value.message.splitlines()] == [
        "table of endpoints, row 1: sends",
        "table of endpoints, row 1: status",
    ]


@given(JSON.filter(lambda value: isinstance(value, dict | list)))
def test_json_is_sent_as_it_is(value: object) -> None:
    assert read_request_body(json.dumps(value)) == RequestBody(value)


@given(st.dictionaries(NAMES, TEXTS))
def test_fields_are_sent_as_an_object(fields: dict[str, str]) -> None:
    cell = "; ".join(f"{name} = {json.dumps(text)}" for name, text in fields.items())
    assert read_request_body(cell) == RequestBody(fields or None)


@given(PIECES.map("".join))
def test_any_cell_is_sent_or_refused(cell: str) -> None:
    try:
        sending = read_request_body(cell)
    except Unmeant:
        return
    filled = sending.filled(Values(dict.fromkeys(sending.places, "x")))
    files = dict(filled.files) or None
    sent = httpx.Request("POST", "http://web.test", json=filled.json, files=files)
    assert bool(sent.read()) == bool(cell)


@given(st.lists(st.sampled_from([*'ab;" \\'])).map("".join))
def test_a_cell_loses_nothing_but_semicolons_and_space(cell: str) -> None:
    kept = "".join("".join(parts(cell)).split())
    assert kept.replace(";", "") == "".join(cell.split()).replace(";", "")


def test_what_is_sent_does_not_show_in_a_repr() -> None:
    (row,) = ENDPOINTS.read([["request", "sends"], ["POST /", 'password = "pa55"']])
    assert "pa55" not in repr(row)
