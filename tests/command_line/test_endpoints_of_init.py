"""What was seen and what procedures expect, as rows of tables."""

from datetime import timedelta

import pytest

from greenrun_cli.init.endpoints import Endpoints
from greenrun_cli.init.facts import Call, Facts
from greenrun_cli.init.observation import Answer, Observation, budget_milliseconds

HEALTH = Answer("GET", "/health", 200, "application/json", ("status = ok",))
REQUEST = "request"


def rows(answers: list[Answer], *calls: Call, metrics_path: str = "") -> Endpoints:
    seen = Observation(answers, metrics_path=metrics_path, families=[("http_requests", "counter")])
    return Endpoints(Facts(calls=list(calls)), seen)


def requests(found: list[list[str]]) -> list[tuple[str, str]]:
    return [(row[0], row[2]) for row in found[1:]]


def test_an_error_of_the_server_is_never_promised() -> None:
    broken = Answer("GET", "/", 503)

    assert requests(rows([broken, HEALTH]).rows) == [("GET /health", "")]


def test_where_nothing_is_there_what_is_answered_then_is_promised() -> None:
    assert requests(rows([Answer("GET", "/", 404)]).rows) == [("GET /", "404")]


def test_what_a_procedure_expects_otherwise_stands_aside() -> None:
    found = rows(
        [HEALTH],
        Call("GET", "/health", "a.sh:1", promises=("status = ok", "database = up")),
        Call("GET", "/old", "a.sh:2"),
        Call("GET", "/metrics", "a.sh:3", families=("http_",)),
        metrics_path="/metrics",
    )

    assert found.aside == [
        "a.sh:1: GET /health: did not hold: database = up",
        "a.sh:2: GET /old: was not answered, or each time differently",
    ]
    assert found.families == [["family", "type"], ["http_requests", "counter"], ["http_", ""]]


def test_what_changes_something_is_asked_in_a_rehearsal_alone() -> None:
    call = Call("POST", "/orders", "a.sh:1", status=201, sends='{"item": "a"}')
    taken = Answer("POST", "/orders", 201, sends='{"item": "a"}')

    assert rows([HEALTH, taken], call).pushed == [
        ["request", "sends", "status", "body"],
        ["POST /orders", '{"item": "a"}', "201", ""],
    ]
    assert requests(rows([HEALTH, taken], call).rows) == [("GET /health", "")]


def test_without_an_observation_procedures_are_believed() -> None:
    calls = [
        Call("GET", "/health", "a.sh:1", promises=("status = ok",)),
        Call("GET", "/health", "a.sh:9", status=200, promises=("has since",)),
    ]

    found = Endpoints(Facts(calls=calls), None)

    assert found.rows[1:] == [["GET /health", "", "", "", "status = ok; has since", "", ""]]
    assert found.aside == []


@pytest.mark.parametrize(
    ("measured", "limit"), [(3, 500), (101, 600), (150, 800), (210, 1500), (900, 4500)]
)
def test_a_limit_is_generous_and_round(measured: int, limit: int) -> None:
    assert budget_milliseconds(timedelta(milliseconds=measured), least=500) == limit
