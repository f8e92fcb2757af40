"""The local cloud as a whole: its modes, its refusals, its end."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from time import monotonic

import grpc
import httpx
import pytest
from google.cloud import run_v2
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.in_process import InProcessRuntime
from tests.contract.caller import result

PARENT = "projects/p/locations/r"


def services(cloud: LocalCloud) -> run_v2.ServicesClient:
    channel = grpc.insecure_channel(cloud.grpc)
    return run_v2.ServicesClient(transport=ServicesGrpcTransport(channel=channel))


def service(program: str) -> run_v2.Service:
    container = run_v2.Container(image=f"in-process/{program}")
    template = run_v2.RevisionTemplate(containers=[container])
    return run_v2.Service(template=template, invoker_iam_disabled=True)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(InProcessRuntime(), EnvoyIngress()) as cloud:
        yield cloud


def test_it_closes_at_once_while_a_deploy_waits_for_its_probe() -> None:
    with LocalCloud(InProcessRuntime(), EnvoyIngress()) as cloud, services(cloud) as client:
        client.create_service(parent=PARENT, service=service("deaf"), service_id="web")
        start = monotonic()
    assert monotonic() - start < 3


def test_whoever_waits_for_an_operation_is_let_go_at_its_end() -> None:
    with ThreadPoolExecutor() as threads:
        with LocalCloud(InProcessRuntime(), EnvoyIngress()) as cloud:
            created = httpx.post(
                f"{cloud.rest}/v2/{PARENT}/services?serviceId=web",
                json={"template": {"containers": [{"image": "in-process/deaf"}]}},
            )
            operation = f"{cloud.rest}/v2/{created.json()['name']}"
            waiting = threads.submit(httpx.post, f"{operation}:wait", json={}, timeout=20)
            assert httpx.get(operation).json()["name"] == created.json()["name"]
            start = monotonic()
        with suppress(httpx.TransportError):  # answered or cut off, but not waiting any more
            waiting.result()
    assert monotonic() - start < 5


def test_its_ports_are_free_once_it_is_closed() -> None:
    with LocalCloud(InProcessRuntime(), EnvoyIngress()) as cloud, services(cloud) as client:
        operation = client.create_service(parent=PARENT, service=service("echo"), service_id="web")
        public = result(operation).uri
        assert httpx.get(public).status_code == 200
    for address in (cloud.grpc, cloud.rest, public):
        host, port = address.removeprefix("http://").split(":")
        with closing(socket.socket()) as caller:
            assert caller.connect_ex((host, int(port))) != 0


def test_a_kept_connection_does_not_outlive_it() -> None:
    with httpx.Client() as client:
        with LocalCloud(InProcessRuntime(), EnvoyIngress()) as cloud:
            client.get(cloud.rest)
        with pytest.raises(httpx.TransportError):
            client.get(cloud.rest)


def test_it_takes_stale_etags_where_it_is_told_to() -> None:
    lax = LocalCloud(InProcessRuntime(), EnvoyIngress(), strict_etags=False)
    with lax as cloud, services(cloud) as client:
        operation = client.create_service(parent=PARENT, service=service("echo"), service_id="web")
        changed = result(operation)
        changed.etag, changed.description = '"bogus"', "taken all the same"
        updated = result(client.update_service(service=changed))
        assert updated.description == "taken all the same"


def test_a_secret_reaches_the_instance_as_a_variable(cloud: LocalCloud) -> None:
    secrets = f"{cloud.rest}/v1/projects/p/secrets"
    httpx.post(secrets, params={"secretId": "key"}, json={}).raise_for_status()
    payload = {"payload": {"data": "aHVzaA=="}}
    httpx.post(f"{secrets}/key:addVersion", json=payload).raise_for_status()
    wanted = service("echo")
    selector = run_v2.SecretKeySelector(secret="key", version="latest")
    source = run_v2.EnvVarSource(secret_key_ref=selector)
    wanted.template.containers[0].env = [run_v2.EnvVar(name="KEY", value_source=source)]
    with services(cloud) as client:
        operation = client.create_service(parent=PARENT, service=wanted, service_id="web")
        public = result(operation).uri
    assert httpx.get(public).json()["env"]["KEY"] == "hush"


def test_services_of_one_id_in_two_places_are_two_services(cloud: LocalCloud) -> None:
    with services(cloud) as client:
        uris = [
            result(
                client.create_service(parent=parent, service=service("echo"), service_id="web")
            ).uri
            for parent in (PARENT, "projects/other/locations/r")
        ]
    assert len(set(uris)) == 2
    assert [httpx.get(uri).status_code for uri in uris] == [200, 200]
