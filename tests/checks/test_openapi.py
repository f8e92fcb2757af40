"""What is said of a service by its OpenAPI document is judged on the candidate's own URL."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from greenrun.checks.http import openapi
from greenrun.model.errors import DeadlineExceeded, GateClosed
from greenrun.model.interfaces import Deviation, HttpResponse, OpenApiTest, OpenApiTestResult
from greenrun.release.release import Release
from tests.checks.deployed import deploy
from tests.conftest import World

URL = "http://service.test/candidate"


@pytest.fixture
def deployed(release: Release, world: World) -> Release:
    document = HttpResponse(200, {}, '{"openapi": "3.1.0"}', timedelta(milliseconds=1))
    world.web.answers["/candidate/openapi.json"] = document
    return deploy(release)


def examined(world: World, answered: Mapping[str, int], *deviations: Deviation) -> None:
    world.examiner.finds = OpenApiTestResult(answered, deviations)


def test_a_document_that_is_kept_passes(deployed: Release, world: World) -> None:
    examined(world, {"GET /a": 10, "GET /b": 1})
    openapi.keeps_its_document(deployed, "/openapi.json", aside=["GET /c"])
    assert world.examiner.asked == [
        OpenApiTest(
            '{"openapi": "3.1.0"}', URL, {"authorization": "Bearer x"}, frozenset({"GET /c"})
        )
    ]
    assert world.evidence.kept["GET operations of /openapi.json"] == (
        "  10 answers  GET /a\n   1 answers  GET /b"
    )


def test_deviations_close_the_gate_all_at_once(deployed: Release, world: World) -> None:
    examined(
        world,
        {"GET /a": 1, "GET /b": 0},
        Deviation("GET /a", "curl http://a", "status 500: x", "a status below 500"),
        Deviation("GET /b", "", "no example", "a definition that requests can be made of"),
    )
    with pytest.raises(GateClosed) as closed:
        openapi.keeps_its_document(deployed, "/openapi.json")
    assert closed.value.message == (
        "GET /a: got status 500: x, needs a status below 500\n  curl http://a\n"
        "GET /b: got no example, needs a definition that requests can be made of"
    )


def test_a_service_without_a_document_closes_the_gate(deployed: Release) -> None:
    with pytest.raises(GateClosed, match=r"GET /swagger: got status 404") as closed:
        openapi.keeps_its_document(deployed, "/swagger")
    assert "without this sentence" in closed.value.hint


def test_every_is_not_kept_by_none(deployed: Release, world: World) -> None:
    examined(world, {})
    with pytest.raises(GateClosed, match="got no GET operation to ask, needs at least one"):
        openapi.keeps_its_document(deployed, "/openapi.json")


def test_what_nobody_answered_in_time_is_no_pass(deployed: Release, world: World) -> None:
    examined(world, {"GET /a": 1, "GET /b": 0})
    with pytest.raises(DeadlineExceeded, match=r"waited 60 s .*last saw: none of GET /b"):
        openapi.keeps_its_document(deployed, "/openapi.json")
