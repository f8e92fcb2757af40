"""From a container of a template to an instance's specification."""

import pytest
from google.cloud import run_v2

from cloudrun_emulator.apis.run.containers import cpu, instance_spec, memory_bytes
from cloudrun_emulator.apis.run.volumes import Volumes
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import File, InstanceSpec, Mount


class Vault:
    """Answers with what it was asked for."""

    def payload(self, project: str, secret: str, version: str) -> bytes:
        return self.value(project, secret, version).encode()

    def value(self, project: str, secret: str, version: str) -> str:
        return f"{project}/{secret}/{version}"


def spec(container: run_v2.Container) -> InstanceSpec:
    return instance_spec(
        name="web-1-abc",
        container=container,
        mounts=(),
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


def mounts(*volumes: run_v2.Volume) -> tuple[Mount, ...]:
    """What a container finds that mounts each of them at its name."""
    wanted = [run_v2.VolumeMount(name=one.name, mount_path=f"/{one.name}") for one in volumes]
    shared = Volumes("web-1-abc", "p", volumes, Vault(), memory_bytes=2**30)
    return shared.mounts(run_v2.Container(volume_mounts=wanted))


def test_volumes_are_shared_by_what_they_name() -> None:
    assert mounts(
        run_v2.Volume(name="bucket", gcs=run_v2.GCSVolumeSource(bucket="data", read_only=True)),
        run_v2.Volume(name="disk", nfs=run_v2.NFSVolumeSource(server="host", path="/share")),
    ) == (Mount("gcs-data", "/bucket", read_only=True), Mount("nfs-host/share", "/disk"))


@pytest.mark.parametrize(("limit", "most"), [("", 2**30), ("64Mi", 64 * 2**20), ("2Gi", 2**30)])
def test_a_scratch_volume_is_in_the_memory_of_its_instance(limit: str, most: int) -> None:
    scratch = run_v2.EmptyDirVolumeSource(size_limit=limit)
    found = mounts(run_v2.Volume(name="scratch", empty_dir=scratch))
    assert found == (Mount("web-1-abc-scratch", "/scratch", memory_bytes=most),)


def test_a_secret_without_items_is_a_file_of_its_name() -> None:
    source = run_v2.SecretVolumeSource(secret="projects/other/secrets/key")
    (mount,) = mounts(run_v2.Volume(name="keys", secret=source))
    assert mount == Mount(
        "web-1-abc-keys", "/keys", read_only=True, files=(File("key", b"other/key/latest", 0o444),)
    )


def test_each_item_of_a_secret_is_a_file_that_nobody_may_write() -> None:
    items = [
        run_v2.VersionToPath(path="now", version="latest"),
        run_v2.VersionToPath(path="old/key", version="3", mode=0o640),
    ]
    source = run_v2.SecretVolumeSource(secret="key", items=items, default_mode=0o700)
    (mount,) = mounts(run_v2.Volume(name="keys", secret=source))
    assert mount.files == (
        File("now", b"p/key/latest", 0o500),
        File("old/key", b"p/key/3", 0o440),
    )


def test_cloud_sql_is_mounted_nowhere() -> None:
    instance = run_v2.CloudSqlInstance(instances=["p:europe-west1:db"])
    assert mounts(run_v2.Volume(name="sql", cloud_sql_instance=instance)) == ()


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
