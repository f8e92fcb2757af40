"""Services that Cloud Run refuses before anything happens, and what it says."""

import re
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.protobuf.duration_pb2 import Duration

from tests.contract.caller import Caller, latest


def container(**fields: object) -> run_v2.Container:
    return run_v2.Container(image="in-process/echo", **fields)


def limits(cpu: str, memory: str, gpu: str = "", **fields: object) -> run_v2.ResourceRequirements:
    counted = {"nvidia.com/gpu": gpu} if gpu else {}
    return run_v2.ResourceRequirements(limits={"cpu": cpu, "memory": memory, **counted}, **fields)


def template(*containers: run_v2.Container, **fields: object) -> run_v2.Service:
    made = run_v2.RevisionTemplate(containers=containers or [container()], **fields)
    return run_v2.Service(template=made)


def mounting(volume: run_v2.Volume, *paths: str, **fields: object) -> run_v2.Service:
    mounts = [run_v2.VolumeMount(name=volume.name, mount_path=path) for path in paths or ["/v"]]
    return template(container(volume_mounts=mounts), volumes=[volume], **fields)


PORT = [run_v2.ContainerPort(container_port=8080)]
PROBE = run_v2.Probe(tcp_socket={"port": 9000})
EXPOSED = "Revision template should contain exactly one container with an exposed port."
NO_CPU = "containers.resources.limits.cpu: Invalid value specified for cpu."
GEN1, GEN2 = run_v2.ExecutionEnvironment(1), run_v2.ExecutionEnvironment(2)
SCRATCH = run_v2.Volume(name="v", empty_dir={})
SECRET = run_v2.Volume(name="v", secret={"secret": "key"})
IDLE: dict[str, Any] = {"cpu_idle": True}


def beside(*others: run_v2.Container, **fields: object) -> run_v2.Service:
    return template(container(name="web", ports=PORT, **fields), *others)


REFUSED = {
    "no container": (run_v2.Service(), "from 1 to 10 containers, got 0"),
    "eleven containers": (
        template(container(ports=PORT), *(container() for _ in range(10))),
        "from 1 to 10 containers, got 11",
    ),
    "two ports": (template(container(ports=PORT * 2)), "ports should contain 0 or 1 port."),
    "two containers with a port": (beside(container(ports=PORT)), EXPOSED),
    "several containers and no port": (template(container(), container()), EXPOSED),
    "a protocol that is none": (
        template(container(ports=[run_v2.ContainerPort(name="http2")])),
        "http1 or h2c, got 'http2'",
    ),
    "two containers of a name": (beside(container(name="web")), "the name 'web' is there twice"),
    "a name that is none": (template(container(name="Web_1")), "'Web_1' is no name"),
    "a name of 64 letters": (template(container(name="w" * 64)), "is no name"),
    "an unknown dependency": (
        beside(depends_on=["proxy"]),
        "containers[0].depends_on: Dependent container 'proxy' does not exist.",
    ),
    "a dependency without a startup probe": (
        beside(container(name="proxy"), depends_on=["proxy"]),
        "Dependent container 'proxy' must have startup probe specified",
    ),
    "a cycle of dependencies": (
        beside(
            container(name="proxy", depends_on=["web"], startup_probe=PROBE), depends_on=["proxy"]
        ),
        "depends_on has a cycle: ",
    ),
    "a dependency on itself": (beside(depends_on=["web"]), "depends_on has a cycle: web -> web."),
    "a value of more than 32,768 bytes": (
        template(container(env=[{"name": "KEY", "value": "ä" * 16_385}])),
        "the value of 'KEY' has 32770 bytes, the maximum is 32768.",
    ),
    "a variable of the platform": (
        template(container(env=[{"name": "PORT", "value": "80"}])),
        "The following reserved env names were provided: PORT.",
    ),
    "a variable twice": (
        template(container(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}])),
        "variable 'A' is there twice",
    ),
    "a variable without a name": (
        template(container(env=[{"value": "1"}])),
        "'' is not the name of a variable",
    ),
    "half a CPU and many requests": (
        template(
            container(resources=limits("500m", "512Mi", **IDLE)),
            max_instance_request_concurrency=5,
        ),
        f"{NO_CPU} Total cpu < 1 is not supported with concurrency > 1.",
    ),
    "half a CPU all the time": (
        template(container(resources=limits("0.5", "512Mi"))),
        f"{NO_CPU} Total cpu < 1 is not supported with cpu always allocated.",
    ),
    "half a CPU of the second generation": (
        template(container(resources=limits("0.5", "512Mi", **IDLE)), execution_environment=GEN2),
        f"{NO_CPU} Total cpu < 1 is not supported with gen2 execution environment.",
    ),
    "three CPUs": (
        template(container(resources=limits("3", "1Gi"))),
        f"{NO_CPU} Expected less than 1, or one of 1, 2, 4, 6, 8; got 3.",
    ),
    "nine CPUs together": (
        beside(container(resources=limits("1", "1Gi")), resources=limits("8", "4Gi")),
        f"{NO_CPU} Total cpu is from 0.08 to 8, got 9.",
    ),
    "too much memory for a CPU": (
        template(container(resources=limits("1", "5Gi"))),
        (
            "Invalid value specified for memory. "
            "For 1.0 CPU, memory must be between 128Mi and 4Gi inclusive."
        ),
    ),
    "too little memory for four CPUs": (
        template(container(resources=limits("4", "1Gi"))),
        "For 4.0 CPU, memory must be between 2Gi and 16Gi inclusive.",
    ),
    "too little memory for the second generation": (
        template(container(resources=limits("1", "256Mi")), execution_environment=GEN2),
        (
            "Invalid value specified for memory with gen2 execution environment. "
            "For 1.0 CPU, memory must be between 512Mi and 4Gi inclusive."
        ),
    ),
    "a limit of something else": (
        template(container(resources=run_v2.ResourceRequirements(limits={"disk": "1Gi"}))),
        "'disk' is not one of cpu, memory, nvidia.com/gpu.",
    ),
    "1,001 requests at once": (
        template(max_instance_request_concurrency=1001),
        "max_instance_request_concurrency: from 0 to 1000, got 1001.",
    ),
    "a GPU without its kind": (
        template(container(resources=limits("4", "16Gi", "1"))),
        "nvidia.com/gpu needs a node selector with an accelerator.",
    ),
    "a kind of GPU without one": (
        template(node_selector={"accelerator": "nvidia-l4"}),
        "one container needs nvidia.com/gpu '1'",
    ),
    "a GPU with little beside it": (
        template(
            container(resources=limits("2", "8Gi", "1")), node_selector={"accelerator": "nvidia-l4"}
        ),
        "a GPU needs at least 4 CPU and 16Gi of memory.",
    ),
    "a GPU during requests alone": (
        template(
            container(resources=limits("4", "16Gi", "1", **IDLE)),
            node_selector={"accelerator": "nvidia-l4"},
        ),
        "a GPU needs CPU that is always allocated.",
    ),
    "fewer instances at most than at least": (
        template(scaling={"min_instance_count": 5, "max_instance_count": 2}),
        "template.scaling.max_instance_count: must be greater or equal than min_instance_count.",
    ),
    "a least number of instances alone": (
        template(scaling={"min_instance_count": 1}),
        "template.scaling.max_instance_count: must be greater or equal than min_instance_count.",
    ),
    "fewer at most for the whole service": (
        run_v2.Service(
            template={"containers": [container()]},
            scaling={"min_instance_count": 5, "max_instance_count": 2},
        ),
        "scaling.max_instance_count: must be greater or equal than min_instance_count.",
    ),
    "two volumes of a name": (
        template(volumes=[SCRATCH, SECRET]),
        "template.volumes: the name 'v' is there twice",
    ),
    "a volume without a source": (
        template(volumes=[run_v2.Volume(name="v")]),
        "a source should be specified",
    ),
    "a volume that is not there": (
        template(container(volume_mounts=[{"name": "data", "mount_path": "/data"}])),
        "Volume mount 'data' refers to a volume that does not exist.",
    ),
    "a path that is relative": (
        mounting(SCRATCH, "data"),
        "'data' must be an absolute path without ':'",
    ),
    "a path twice": (mounting(SCRATCH, "/data", "/data/"), "'/data/' is there twice"),
    "Cloud SQL elsewhere": (
        mounting(run_v2.Volume(name="v", cloud_sql_instance={"instances": ["p:r:i"]}), "/sql"),
        "Cloud SQL is mounted at /cloudsql, got '/sql'.",
    ),
    "Cloud SQL without a region": (
        template(volumes=[run_v2.Volume(name="v", cloud_sql_instance={"instances": ["orders"]})]),
        "PROJECT:LOCATION:INSTANCE, got 'orders'.",
    ),
    "a secret's file outside": (
        template(
            volumes=[
                run_v2.Volume(
                    name="v", secret={"secret": "key", "items": [{"path": "../x", "version": "1"}]}
                )
            ]
        ),
        "'../x' must be a relative path without '..'.",
    ),
    "a mode that is none": (
        template(volumes=[run_v2.Volume(name="v", secret={"secret": "key", "default_mode": 640})]),
        "a mode is from 0 to 0777 (octal), got 0o1200.",
    ),
    "a share of the first generation": (
        mounting(
            run_v2.Volume(name="v", nfs={"server": "s", "path": "/p"}), execution_environment=GEN1
        ),
        "volume 'v' needs the second generation execution environment.",
    ),
    "a bucket of the first generation": (
        mounting(run_v2.Volume(name="v", gcs={"bucket": "b"}), execution_environment=GEN1),
        "volume 'v' needs the second generation execution environment.",
    ),
    "a connector and a network": (
        template(vpc_access={"connector": "c", "network_interfaces": [{"network": "n"}]}),
        "a connector or network interfaces, not both.",
    ),
    "a probe that waits longer than its period": (
        template(container(liveness_probe={"http_get": {}, "timeout_seconds": 11})),
        "containers[0].liveness_probe.timeout_seconds: must be less than period_seconds",
    ),
    "a startup period of five minutes": (
        template(container(startup_probe={"http_get": {}, "period_seconds": 300})),
        "containers[0].startup_probe.period_seconds: from 0 to 240, got 300.",
    ),
    "a key that shuts down after minutes": (
        template(
            encryption_key_revocation_action=run_v2.EncryptionKeyRevocationAction.SHUTDOWN,
            encryption_key_shutdown_duration=Duration(seconds=90),
        ),
        "encryption_key_shutdown_duration: whole hours, got 90 seconds.",
    ),
    "a long description": (
        run_v2.Service(template={"containers": [container()]}, description="x" * 513),
        "description: at most 512 characters.",
    ),
}


@pytest.mark.parametrize(("wanted", "why"), REFUSED.values(), ids=REFUSED)
def test_what_could_never_be_deployed_is_refused(
    caller: Caller, wanted: run_v2.Service, why: str
) -> None:
    with pytest.raises(exceptions.BadRequest, match=re.escape(why)):
        caller.services.create_service(
            parent=caller.parent, service=wanted, service_id=caller.service_id
        )
    assert list(caller.services.list_services(parent=caller.parent)) == []


@pytest.mark.parametrize(("letters", "fits"), [(46, True), (47, False)])
def test_a_revision_tag_and_the_name_of_the_service_have_46_letters_together(
    caller: Caller,
    letters: int,
    fits: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    tag = "t" * (letters - len(caller.service_id))
    caller.create()
    if fits:
        assert caller.route(latest(100), latest(0, tag)).traffic[1].tag == tag
        return
    told = (
        f"traffic tag '{tag}' and service name '{caller.service_id}' together are too long. "
        "Combined traffic tag and service name cannot exceed 46 characters."
    )
    with pytest.raises(exceptions.BadRequest, match=re.escape(told)):
        caller.route(latest(100), latest(0, tag))


def test_a_name_of_49_letters_is_a_service_and_one_of_50_is_none(caller: Caller) -> None:
    for letters, known in ((49, True), (50, False)):
        name = f"{caller.service_id}-".ljust(letters, "x")
        request = run_v2.CreateServiceRequest(
            parent=caller.parent, service=template(), service_id=name, validate_only=True
        )
        if known:
            caller.services.create_service(request)
        else:
            with pytest.raises(exceptions.BadRequest, match="shorter than 50 characters"):
                caller.services.create_service(request)
