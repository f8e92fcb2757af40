"""Several containers of one instance: their order, their network, and that they end together."""

from datetime import timedelta

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from cloudrun_emulator.core.time import wait_until
from tests.contract.caller import Caller

SOON = timedelta(seconds=30)
SHARED = run_v2.Volume(name="shared", empty_dir={})


def sharing(container: run_v2.Container, name: str) -> run_v2.Container:
    container.name = name
    container.volume_mounts = [run_v2.VolumeMount(name="shared", mount_path="/shared")]
    return container


def beside(
    caller: Caller, probe: run_v2.Probe | None, **environment: str
) -> run_v2.RevisionTemplate:
    """A container that serves, and depends on one beside it where that has a probe."""
    sidecar = sharing(caller.program("resident", LISTEN="9000", **environment), "proxy")
    serving = sharing(caller.program("resident"), "web")
    serving.ports = [run_v2.ContainerPort(container_port=8080)]
    if probe is not None:
        sidecar.startup_probe = probe
        serving.depends_on = ["proxy"]
    return run_v2.RevisionTemplate(containers=[serving, sidecar], volumes=[SHARED])


def on_9000(**numbers: int) -> run_v2.Probe:
    return run_v2.Probe(http_get={"path": "/alive", "port": 9000}, **numbers)


def test_a_container_starts_once_those_that_it_depends_on_have_started(caller: Caller) -> None:
    caller.create(invoker_iam_disabled=True)
    template = beside(caller, on_9000(), NOTE="/shared/proxy", START_SECONDS="0.5")
    uri = caller.update("template", template=template).uri
    assert httpx.get(f"{uri}/instance").json()["seen"] == ["proxy"]


def test_a_container_that_nothing_depends_on_is_not_waited_for(caller: Caller) -> None:
    caller.create(invoker_iam_disabled=True)
    template = beside(caller, None, NOTE="/shared/proxy", START_SECONDS="600")
    uri = caller.update("template", template=template).uri
    assert httpx.get(f"{uri}/instance").json()["seen"] == []


def test_a_sidecar_that_fails_its_startup_probe_fails_the_deploy(caller: Caller) -> None:
    caller.create()
    template = beside(caller, on_9000(period_seconds=1, failure_threshold=1), START_SECONDS="600")
    with pytest.raises(exceptions.GoogleAPICallError, match="failed the configured startup probe"):
        caller.update("template", template=template)


def test_a_sidecar_that_ends_while_the_instance_starts_fails_the_deploy(caller: Caller) -> None:
    caller.create()
    sidecar, serving = caller.program("crash"), caller.program("slow-start", START_SECONDS="1")
    serving.ports = [run_v2.ContainerPort(container_port=8080)]
    template = run_v2.RevisionTemplate(containers=[serving, sidecar])
    with pytest.raises(exceptions.GoogleAPICallError, match="exited before the instance had"):
        caller.update("template", template=template)


def test_containers_find_each_other_on_localhost(caller: Caller, runtime_name: str) -> None:
    if runtime_name == "in-process":
        pytest.skip("programs of this process listen where the system wants it")
    caller.create(invoker_iam_disabled=True)
    uri = caller.update("template", template=beside(caller, on_9000())).uri
    own, other = (httpx.get(f"{uri}{path}").json()["id"] for path in ("/instance", "/fetch/9000"))
    assert own != other


def test_a_sidecar_that_ends_takes_the_instance_with_it(caller: Caller) -> None:
    caller.create(invoker_iam_disabled=True)
    uri = caller.update("template", template=beside(caller, on_9000(), ENDS="on /shared/stop")).uri
    first = httpx.get(f"{uri}/instance").json()["id"]
    httpx.get(f"{uri}/write/shared/stop")

    def replaced() -> bool:
        answer = httpx.get(f"{uri}/instance")
        return answer.status_code == 200 and answer.json()["id"] != first

    wait_until(replaced, SOON, "a new instance")
    assert httpx.get(f"{uri}/file/shared/stop").json() == {}


def test_only_the_container_that_serves_is_told_a_port(caller: Caller) -> None:
    sidecar = caller.program("echo", PORT="9000")
    sidecar.name = "other"
    serving = caller.program("echo")
    serving.ports = [run_v2.ContainerPort(container_port=9090)]
    caller.create(invoker_iam_disabled=True)
    template = run_v2.RevisionTemplate(containers=[serving, sidecar])
    uri = caller.update("template", template=template).uri
    assert httpx.get(uri).json()["env"]["PORT"] == "9090"


def test_containers_without_a_name_are_told_apart_in_the_revision(caller: Caller) -> None:
    serving, other, third = (caller.program("echo", PORT="9000") for _ in range(3))
    serving.env, serving.ports = [], [run_v2.ContainerPort(container_port=9090)]
    other.name = f"{caller.service_id}-1"
    caller.create()
    template = run_v2.RevisionTemplate(containers=[serving, other, third])
    service = caller.update("template", template=template)
    revision = caller.revision(service.latest_created_revision)
    names = [f"{caller.service_id}-{number}" for number in (2, 1, 3)]
    assert [container.name for container in revision.containers] == names
