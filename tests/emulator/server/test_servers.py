"""Both servers over one implementation that does little: errors, surprises, gaps."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.cloud.run_v2.services.services.transports.rest_base import _BaseServicesRestTransport
from grpc import StatusCode

from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.server.grpc import GrpcServer
from cloudrun_emulator.server.methods import Binding
from cloudrun_emulator.server.rest import RestServer
from tests.contract.caller import connect_to

NAME = "projects/p/locations/r/services/web"


class Little:
    """Gets a service, trips over a listing, and knows no other method."""

    def get_service(self, request: run_v2.GetServiceRequest) -> run_v2.Service:
        if not request.name.endswith("/web"):
            raise CloudError(StatusCode.NOT_FOUND, f"no {request.name}")
        return run_v2.Service(name=request.name, generation=2**40, ingress=1)

    def list_services(self, _: run_v2.ListServicesRequest) -> run_v2.ListServicesResponse:
        raise ZeroDivisionError("surprise")


@dataclass(frozen=True)
class Servers:
    grpc: str
    rest: str


@pytest.fixture
def servers() -> Iterator[Servers]:
    bindings = [Binding(Little(), ServicesGrpcTransport, _BaseServicesRestTransport)]
    with closing(GrpcServer(bindings)) as over_grpc, closing(RestServer(bindings)) as over_rest:
        yield Servers(over_grpc.address, over_rest.address)


@pytest.fixture(params=["grpc", "rest"])
def client(request: pytest.FixtureRequest, servers: Servers) -> Iterator[run_v2.ServicesClient]:
    with connect_to(run_v2.ServicesClient, servers.grpc, servers.rest, request.param) as client:
        yield client


def test_an_answer_arrives_whole(client: run_v2.ServicesClient) -> None:
    wanted = run_v2.Service(name=NAME, generation=2**40, ingress=1)
    assert client.get_service(name=NAME) == wanted


def test_a_refusal_keeps_its_kind_and_its_message(client: run_v2.ServicesClient) -> None:
    with pytest.raises(exceptions.NotFound, match="no projects/p/locations/r/services/api"):
        client.get_service(name=NAME.replace("web", "api"))


def test_a_surprise_is_internal_and_is_told(
    client: run_v2.ServicesClient, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(exceptions.InternalServerError, match="surprise"):
        client.list_services(parent="projects/p/locations/r")
    assert "ZeroDivisionError: surprise" in capsys.readouterr().err


def test_what_is_not_there_is_unimplemented(client: run_v2.ServicesClient) -> None:
    with pytest.raises(exceptions.MethodNotImplemented, match="not part of the local cloud"):
        client.delete_service(name=NAME)


@pytest.mark.parametrize(
    ("query", "ingress"), [("", "INGRESS_TRAFFIC_ALL"), ("?$alt=json;enum-encoding%3Dint", 1)]
)
def test_json_is_that_of_the_official_mapping(
    servers: Servers, query: str, ingress: object
) -> None:
    answer = httpx.get(f"{servers.rest}/v2/{NAME}{query}")
    assert answer.json() == {"name": NAME, "generation": str(2**40), "ingress": ingress}


def test_an_error_has_the_body_that_clients_expect(servers: Servers) -> None:
    answer = httpx.get(f"{servers.rest}/v2/{NAME}x")
    message = f"no {NAME}x"
    assert answer.status_code == 404
    assert answer.json() == {"error": {"code": 404, "message": message, "status": "NOT_FOUND"}}


def test_a_path_of_no_method_is_not_found(servers: Servers) -> None:
    answer = httpx.post(f"{servers.rest}/v3/nothing")
    assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")
