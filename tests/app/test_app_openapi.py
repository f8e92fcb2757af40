"""The document that the service gives of itself, against the service."""

from greenrun.adapters.openapi.tester import Schemathesis
from greenrun.model.interfaces import OpenApiTest
from tests.app.conftest import Serve


def test_the_service_keeps_its_own_document(serve: Serve) -> None:
    client = serve()
    document = client.get("/openapi.json").text
    headers = {"authorization": client.headers["authorization"]}
    found = Schemathesis(str).examine(OpenApiTest(document, str(client.base_url), headers))
    assert found.deviations == ()
    assert set(found.answered) == {
        "GET /api/dashboard/costs/summary",
        "GET /api/dashboard/timeline/{series}",
        "GET /api/documents",
        "GET /api/health",
        "GET /api/metrics",
    }


def test_a_fault_in_the_service_is_a_deviation_from_it(serve: Serve) -> None:
    client = serve(FAULTS="errors:/api/documents:100%")
    document = client.get("/openapi.json").text
    headers = {"authorization": client.headers["authorization"]}
    found = Schemathesis(str).examine(OpenApiTest(document, str(client.base_url), headers))
    assert [(each.operation, each.needs) for each in found.deviations] == [
        ("GET /api/documents", "a status below 500")
    ]
