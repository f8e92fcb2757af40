"""A row of a feature's table is a promise that answers keep or break."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenrun.errors import ReleaseError
from greenrun.expectations import BodyPromise, percentile, read_table
from greenrun.ports import Answer


def answer(body: object = None, status: int = 200, milliseconds: float = 5) -> Answer:
    return Answer(status, {}, json.dumps(body), timedelta(milliseconds=milliseconds))


@pytest.mark.parametrize(
    ("promise", "body"),
    [
        ("status = ok", {"status": "ok"}),
        ("has messages.total", {"messages": {"total": 0}}),
        ("messages.total = 3", {"messages": {"total": 3}}),
        ("rows.0.name = a", {"rows": [{"name": "a"}]}),
        ("2 entries", [1, 2]),
    ],
)
def test_promises_that_are_kept(promise: str, body: object) -> None:
    assert BodyPromise(promise).broken_by(json.dumps(body)) == ""


@pytest.mark.parametrize(
    ("promise", "body", "got"),
    [
        ("status = ok", {"status": "ill"}, "status = ok: got ill"),
        ("status = ok", {}, "status = ok: got nothing there"),
        ("has messages.total", {"messages": 3}, 'has messages.total: got {"messages": 3}'),
        ("2 entries", [1], "2 entries: got 1"),
        ("2 entries", {}, "2 entries: got {}, needs an array"),
    ],
)
def test_promises_that_are_broken(promise: str, body: object, got: str) -> None:
    assert BodyPromise(promise).broken_by(json.dumps(body)) == got


@given(st.text())
def test_any_body_is_judged(body: str) -> None:
    assert isinstance(BodyPromise("has a.b").broken_by(body), str)


def test_a_table_is_read_with_its_defaults() -> None:
    (row,) = read_table([["request"], ["GET /"]])
    assert (row.method, row.path, row.identity, row.status, row.body, row.p95) == (
        "GET",
        "/",
        "a user",
        200,
        (),
        None,
    )


def test_everything_broken_is_told_at_once() -> None:
    head = ["request", "as", "status", "body", "p95 at most"]
    (row,) = read_table([head, ["GET /costs", "nobody", "200", "has a; b = 1", "100 ms"]])
    found = row.broken_by([answer({}, milliseconds=900)])
    assert found == (
        "has a: got {}",
        "b = 1: got nothing there",
        "got p95 900 ms, needs at most 100 ms",
    )


def test_a_wrong_status_leaves_the_body_unread() -> None:
    (row,) = read_table([["request", "body"], ["GET /", "has a"]])
    assert row.broken_by([answer(), answer(status=500)]) == ("got status 200, 500, needs 200",)


@pytest.mark.parametrize(
    "table",
    [
        [["request"]],
        [["path"], ["/"]],
        [["request", "colour"], ["GET /", "red"]],
        [["request"], ["/"]],
        [["request", "status"], ["GET /", "fine"]],
        [["request", "p95 at most"], ["GET /", "soon"]],
    ],
)
def test_tables_that_cannot_be_meant(table: list[list[str]]) -> None:
    with pytest.raises(ReleaseError, match=r"table of endpoints: got .*, needs"):
        read_table(table)


@given(st.lists(st.integers(0, 10**6), min_size=1), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_one_of_the_latencies_and_covers_its_share(
    latencies: list[int], quantile: float
) -> None:
    found = percentile([answer(milliseconds=latency) for latency in latencies], quantile)
    milliseconds = found / timedelta(milliseconds=1)
    assert milliseconds in latencies
    assert sum(latency <= milliseconds for latency in latencies) >= quantile * len(latencies)
