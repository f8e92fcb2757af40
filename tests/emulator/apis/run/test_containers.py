"""From a container of a template to an instance's specification."""

import pytest
from google.cloud import run_v2
from grpc import StatusCode

from cloudrun_emulator.apis.run.containers import cpu, instance_spec, memory_bytes
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import InstanceSpec, Mount


class Vault:
    """Answers with what it was asked for."""

    def value(self, project: str, secret: str, version: str) -> str:
        return f"{project}/{secret}/{version}"


def spec(container: run_v2.Container, *volumes: run_v2.Volume) -> InstanceSpec:
    return instance_spec(
        name="web-1-abc",
        container=container,
        volumes=volumes,
        resource={"type": "cloud_run_revision"},
        extra_environment={"K_REVISION": "web-1"},
        secrets=Vault(),
        project="p",
    )


def secret(name: str, version: str = "") -> run_v2.EnvVarSource:
    selector = run_v2.SecretKeySelector(secret=name, version=version)
    return run_v2.EnvVarSource(secret_key_ref=selector)


def test_a_container_becomes_an_instance() -> None:
    container = run_v2.Container(
        image="web",
        command=["python3"],
        args=["-m", "web"],
        env=[run_v2.EnvVar(name="COLOUR", value="blue")],
        ports=[run_v2.ContainerPort(container_port=9090)],
        resources=run_v2.ResourceRequirements(limits={"cpu": "2", "memory": "4Gi"}),
    )
    assert spec(container) == InstanceSpec(
        name="web-1-abc",
        image="web",
        resource={"type": "cloud_run_revision"},
        environment={"COLOUR": "blue", "K_REVISION": "web-1"},
        command=("python3",),
        args=("-m", "web"),
        port=9090,
        cpu=2.0,
        memory_bytes=4 * 2**30,
    )


def test_a_task_listens_nowhere() -> None:
    assert spec(run_v2.Container(image="task")).port is None


def test_the_variables_of_the_platform_win() -> None:
    container = run_v2.Container(env=[run_v2.EnvVar(name="K_REVISION", value="mine")])
    assert spec(container).environment == {"K_REVISION": "web-1"}


def test_secrets_are_read_in_their_project_and_version() -> None:
    container = run_v2.Container(
        env=[
            run_v2.EnvVar(name="A", value_source=secret("key", "3")),
            run_v2.EnvVar(name="B", value_source=secret("projects/other/secrets/key")),
        ]
    )
    environment = spec(container).environment
    assert (environment["A"], environment["B"]) == ("p/key/3", "other/key/latest")


def test_volumes_are_shared_by_what_they_name() -> None:
    volumes = [
        run_v2.Volume(name="scratch", empty_dir=run_v2.EmptyDirVolumeSource()),
        run_v2.Volume(name="bucket", gcs=run_v2.GCSVolumeSource(bucket="data", read_only=True)),
        run_v2.Volume(name="disk", nfs=run_v2.NFSVolumeSource(server="host", path="/share")),
    ]
    mounts = [run_v2.VolumeMount(name=one.name, mount_path=f"/{one.name}") for one in volumes]
    assert spec(run_v2.Container(volume_mounts=mounts), *volumes).mounts == (
        Mount("web-1-abc-scratch", "/scratch"),
        Mount("gcs-data", "/bucket", read_only=True),
        Mount("nfs-host/share", "/disk"),
    )


@pytest.mark.parametrize(
    ("volumes", "code"),
    [
        ([], StatusCode.INVALID_ARGUMENT),
        (
            [run_v2.Volume(name="data", secret=run_v2.SecretVolumeSource(secret="key"))],
            StatusCode.UNIMPLEMENTED,
        ),
    ],
)
def test_a_volume_that_cannot_be_mounted_is_refused(
    volumes: list[run_v2.Volume], code: StatusCode
) -> None:
    mounts = [run_v2.VolumeMount(name="data", mount_path="/data")]
    with pytest.raises(CloudError, match="data") as error:
        spec(run_v2.Container(volume_mounts=mounts), *volumes)
    assert error.value.code is code


@pytest.mark.parametrize(("quantity", "cpus"), [("1", 1.0), ("0.5", 0.5), ("1500m", 1.5)])
def test_cpus(quantity: str, cpus: float) -> None:
    assert cpu(quantity) == pytest.approx(cpus)


@pytest.mark.parametrize(
    ("quantity", "count"), [("512Mi", 512 * 2**20), ("4Gi", 4 * 2**30), ("1G", 10**9), ("7", 7)]
)
def test_memory(quantity: str, count: int) -> None:
    assert memory_bytes(quantity) == count


@pytest.mark.parametrize("quantity", ["", "much", "-1Gi", "1 Gi", "1Zi"])
def test_a_quantity_of_another_form_is_refused(quantity: str) -> None:
    with pytest.raises(CloudError, match=f"Invalid quantity '{quantity}'"):
        memory_bytes(quantity)
