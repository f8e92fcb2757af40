"""A service that keeps its OpenAPI document, and ones that do not."""

import json
import re
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from greenrun.adapters.openapi.tester import Schemathesis
from greenrun.model.errors import CallFailed, GateClosed, ReleaseError
from greenrun.model.interfaces import Deviation, OpenApiTest, OpenApiTestResult
from tests.site import Page, Site, served

SECRET = "hunter2hunter2"
IDENTITY = {"Authorization": f"Bearer {SECRET}"}
ITEM = {
    "type": "object",
    "required": ["id", "price"],
    "properties": {"id": {"type": "integer"}, "price": {"type": "number"}},
}
JSON = "application/json"
ITEM_NAME = "GET /items/{shelf}"


def answers(schema: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": "", "content": {JSON: {"schema": schema}}}}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "shop", "version": "1"},
    "paths": {
        "/items/{shelf}": {
            "get": {
                "parameters": [
                    {
                        "name": "shelf",
                        "in": "path",
                        "required": True,
                        "schema": {"enum": ["books", "games"]},
                    },
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 0}},
                ],
                "responses": answers({"$ref": "#/components/schemas/Item"}),
            },
            "delete": {"responses": {"204": {"description": ""}}},
        },
        "/health": {"get": {"responses": answers({"type": "object"})}},
    },
    "components": {"schemas": {"Item": ITEM}},
}


def redact(text: str) -> str:
    return text.replace(SECRET, "********")


@pytest.fixture
def site() -> Iterator[Site]:
    """Keeps the document."""
    with served() as site:
        item = Page('{"id": 1, "price": 2.5}', kind=JSON)
        site.pages = {"/items/books": item, "/items/games": item, "/health": Page("{}", kind=JSON)}
        yield site


def examine(site: Site, document: object = DOCUMENT, **asked: Any) -> OpenApiTestResult:  # noqa: ANN401 - as Examination has them
    text = document if isinstance(document, str) else json.dumps(document)
    return Schemathesis(redact).examine(OpenApiTest(text, site.url, IDENTITY, **asked))


def only_deviation(site: Site, document: object = DOCUMENT) -> Deviation:
    (deviation,) = examine(site, document).deviations
    return deviation


def test_a_service_that_keeps_its_document_has_no_deviation(site: Site) -> None:
    assert examine(site) == OpenApiTestResult({ITEM_NAME: 10, "GET /health": 1})
    assert {"/items/books", "/items/games", "/health"} == {
        path.partition("?")[0] for path, _ in site.asked
    }


def test_the_same_requests_are_made_each_time(site: Site) -> None:
    examine(site)
    first, site.asked = site.asked, []
    examine(site)
    assert site.asked == first


def test_requests_speak_as_the_identity(site: Site) -> None:
    document = deepcopy(DOCUMENT)
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    examine(site, document)
    assert {headers["authorization"] for _, headers in site.asked} == {f"Bearer {SECRET}"}
    assert {headers["user-agent"] for _, headers in site.asked} == {"greenrun"}


def test_an_identity_that_http_does_not_carry_is_refused_before_anything_is_asked(
    site: Site,
) -> None:
    secret = "gr\u00fcn"
    wanted = OpenApiTest(json.dumps(DOCUMENT), site.url, {"X-Token": secret})
    with pytest.raises(CallFailed, match="could not send the header X-Token: ") as refused:
        Schemathesis(redact).examine(wanted)
    assert secret not in str(refused.value)
    assert site.asked == []


def test_a_wrong_type_deviates(site: Site) -> None:
    site.pages["/items/games"] = Page('{"id": "one", "price": 2}', kind=JSON)
    deviation = only_deviation(site)
    assert deviation.operation == ITEM_NAME
    assert deviation.got == 'id: "one" is not of type "integer"'
    assert deviation.needs == "the schema of this answer"


def test_an_undocumented_status_deviates(site: Site) -> None:
    site.pages["/items/books"] = Page("a teapot", 418, kind="text/plain")
    deviation = only_deviation(site)
    assert (deviation.got, deviation.needs) == ("status 418: a teapot", "status 200")


def test_a_server_error_deviates_also_where_it_is_documented(site: Site) -> None:
    document = deepcopy(DOCUMENT)
    document["paths"]["/health"]["get"]["responses"]["500"] = {"description": ""}
    site.pages["/health"] = Page("out of order", 500, kind="text/plain")
    deviation = only_deviation(site, document)
    assert (deviation.got, deviation.needs) == ("status 500: out of order", "a status below 500")


@pytest.mark.parametrize(
    ("page", "got", "needs"),
    [
        (Page("<p>", kind="text/html"), "content type text/html", f"content type {JSON}"),
        (Page("{}", kind=None), "no content type", f"content type {JSON}"),
        (Page("{]", kind=JSON), "JSON deserialization error: ", "an answer as documented"),
        (Page("", 302, headers={"Location": "/items/books"}), "status 302: ", "status 200"),
    ],
)
def test_other_ways_to_deviate(site: Site, page: Page, got: str, needs: str) -> None:
    site.pages["/health"] = page
    deviation = only_deviation(site)
    assert deviation.got.startswith(got.strip())
    assert deviation.needs == needs


def test_a_redirect_is_not_followed(site: Site) -> None:
    with served() as elsewhere:
        site.pages["/health"] = Page("", 302, headers={"Location": f"{elsewhere.url}/health"})
        examine(site)
    assert elsewhere.asked == []


def test_a_deviation_can_be_repeated_by_its_curl_line(site: Site) -> None:
    site.pages["/items/books"] = Page(f"no {SECRET}", 418, kind="text/plain")
    site.pages["/items/games"] = site.pages["/items/books"]
    deviation = only_deviation(site)
    assert SECRET not in str(deviation)
    assert deviation.got == "status 418: no ********"
    command = shlex.split(deviation.request)
    assert command[:3] == ["curl", "-H", "authorization: ********"]
    site.asked = []
    subprocess.run([*command, "--silent"], check=True, capture_output=True, timeout=10)
    assert re.fullmatch(r"/items/(books|games)(\?limit=\d+)?", site.asked[0][0])


def test_only_the_candidate_is_asked_whatever_servers_are_named(site: Site) -> None:
    with served() as production:
        document = {**DOCUMENT, "servers": [{"url": f"{production.url}/v1"}]}
        site.pages = {f"/v1{path}": page for path, page in site.pages.items()}
        assert examine(site, document).deviations == ()
    assert production.asked == []


def test_only_get_is_tried(site: Site) -> None:
    assert set(examine(site).answered) == {ITEM_NAME, "GET /health"}


def test_examples_of_the_document_come_first(site: Site) -> None:
    document = deepcopy(DOCUMENT)
    document["paths"]["/items/{shelf}"]["get"]["parameters"][1]["example"] = 4711
    examine(site, document, examples=1)
    assert "limit=4711" in site.asked[0][0]


def test_an_operation_aside_is_left_alone(site: Site) -> None:
    found = examine(site, aside=frozenset({ITEM_NAME}))
    assert found.answered == {"GET /health": 1}


def test_an_operation_aside_must_be_one_of_the_document(site: Site) -> None:
    with pytest.raises(ReleaseError, match=r"got GET /helth to leave aside.*GET /health"):
        examine(site, aside=frozenset({"GET /helth"}))


def test_what_cannot_be_asked_deviates(site: Site) -> None:
    document = deepcopy(DOCUMENT)
    document["paths"]["/health"]["get"]["parameters"] = [{"$ref": "#/components/parameters/no"}]
    deviation = only_deviation(site, document)
    assert deviation.operation == "GET /health"
    assert "#/components/parameters/no" in deviation.got
    assert deviation.needs == "a definition that requests can be made of"


def test_values_that_cannot_be_deviate(site: Site) -> None:
    document = deepcopy(DOCUMENT)
    impossible = {"type": "integer", "minimum": 5, "maximum": 2}
    document["paths"]["/items/{shelf}"]["get"]["parameters"][0]["schema"] = impossible
    assert "Nothing satisfies" in only_deviation(site, document).got


def test_an_answer_without_end_deviates_in_time(site: Site) -> None:
    site.pages["/health"] = Page("data: 1", kind="text/event-stream", without_end=True)
    begun = time.monotonic()
    (deviation,) = examine(site, each_within=timedelta(seconds=0.3)).deviations
    assert deviation.got == "no whole answer within 0.3 s"
    assert time.monotonic() - begun < 5


def test_nobody_there_deviates(site: Site) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        site.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    deviations = examine(site).deviations
    assert {each.operation for each in deviations} == {ITEM_NAME, "GET /health"}
    assert all(each.got.startswith("no answer: ConnectError") for each in deviations)


def test_what_there_was_no_time_for_is_told(site: Site) -> None:
    site.pages["/items/books"] = site.pages["/items/games"] = Page(kind=JSON, without_end=True)
    found = examine(site, within=timedelta(seconds=0.5))
    assert found.answered == {ITEM_NAME: 1, "GET /health": 0}


def test_yaml_is_read_as_well(site: Site) -> None:
    document = """
openapi: 3.0.3
info: {title: shop, version: "1"}
paths:
  /health:
    get:
      responses:
        200: {description: "", content: {application/json: {schema: {type: array}}}}
"""
    assert only_deviation(site, document).got == 'the body: {} is not of type "array"'


@pytest.mark.parametrize(
    "text", ["", "<html>nothing here", "[1]", "{}", "x: [", '{"openapi": "3.0.0", "paths": {}}']
)
def test_what_is_no_document_closes_the_gate(site: Site, text: str) -> None:
    with pytest.raises(GateClosed, match="OpenAPI document: got"):
        examine(site, text)


def test_a_document_of_an_unknown_age_closes_the_gate(site: Site) -> None:
    with pytest.raises(GateClosed, match=r"Open API 9.*needs a valid one"):
        examine(site, {**DOCUMENT, "openapi": "9"})


@pytest.mark.parametrize("place", ["/etc/hostname", "http://127.0.0.1:1/shop.json#/Item"])
def test_nothing_beyond_the_document_is_read(site: Site, place: str) -> None:
    document = deepcopy(DOCUMENT)
    document["components"]["schemas"]["Item"] = {"$ref": place}
    with pytest.raises(GateClosed, match="needs all within itself"):
        examine(site, document)


def test_a_pattern_that_never_ends_deviates_in_time(site: Site) -> None:
    document = deepcopy(DOCUMENT)
    document["components"]["schemas"]["Item"] = {"type": "string", "pattern": "^(a+)+$"}
    text = json.dumps("a" * 40 + "!")
    site.pages["/items/games"] = site.pages["/items/books"] = Page(text, kind=JSON)
    began = time.monotonic()
    found = examine(site, document, examples=1, each_within=timedelta(seconds=1))
    assert time.monotonic() - began < 10
    assert [deviation.operation for deviation in found.deviations] == [ITEM_NAME]


def test_a_pattern_in_what_is_asked_ends_in_time(site: Site) -> None:
    document = deepcopy(DOCUMENT)
    shelf = document["paths"]["/items/{shelf}"]["get"]["parameters"][0]
    shelf["schema"] = {"type": "string", "pattern": "^(([a-z])+.)+[A-Z]([a-z])+$", "minLength": 60}
    began = time.monotonic()
    examine(site, document, within=timedelta(seconds=3))
    assert time.monotonic() - began < 20


def laughing() -> str:
    """Aliases that stand for 10 parts each, nine times over."""
    lines = [f"a{n}: &a{n} [{', '.join(10 * [f'*a{n - 1}'])}]" for n in range(1, 10)]
    return "\n".join(["openapi: 3.1.0", "info: {}", "paths: {}", "a0: &a0 lol", *lines])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (laughing(), "more than 200,000 parts with its aliases"),
        ("info: &a {b: *a}\npaths: {}", "nested too deep"),
        ('{"info": ' + "[" * 100_000, "nested too deep"),
        ('{"info": {}, "paths": {}, "x": "' + "x" * 2_000_000 + '"}', "2,000,0.. characters"),
        ("info: 2026-99-99\npaths: {}", "needs JSON or YAML"),
        ("{{a: b}: c}", "needs JSON or YAML"),
    ],
    ids=[
        "aliases",
        "an alias of itself",
        "deep",
        "long",
        "a date that is none",
        "a key that is none",
    ],
)
def test_a_document_without_end_closes_the_gate_in_time(site: Site, text: str, told: str) -> None:
    began = time.monotonic()
    with pytest.raises(GateClosed, match=f"OpenAPI document: got .*{told}"):
        examine(site, text)
    assert time.monotonic() - began < 20


def test_a_schema_of_itself_is_worked_through(site: Site) -> None:
    document = deepcopy(DOCUMENT)
    document["components"]["schemas"]["Item"] = {"allOf": [{"$ref": "#/components/schemas/Item"}]}
    began = time.monotonic()
    examine(site, document, within=timedelta(seconds=5))
    assert time.monotonic() - began < 20


def test_a_body_without_end_deviates(site: Site) -> None:
    site.pages["/health"] = Page('"' + "x" * 11_000_000 + '"', kind=JSON)
    (deviation,) = examine(site).deviations
    assert deviation.got.endswith("got more than 10 MB, needs an answer that ends before")
