"""Volumes: secrets as files, scratch space in memory, what is shared beyond an instance."""

import re

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import run_v2, secretmanager_v1
from google.cloud.secretmanager_v1 import SecretPayload

from cloudrun_emulator.emulator import LocalCloud
from tests.contract.caller import Caller, connect

GEN2 = run_v2.ExecutionEnvironment(2)


def mounted(caller: Caller, *volumes: run_v2.Volume) -> str:
    """The URL of a service whose one container finds each volume at its name."""
    template = caller.template("resident")
    template.volumes = list(volumes)
    template.containers[0].volume_mounts = [
        run_v2.VolumeMount(name=one.name, mount_path=f"/{one.name}") for one in volumes
    ]
    if any("nfs" in one or "gcs" in one for one in volumes):
        template.execution_environment = GEN2
    caller.create(invoker_iam_disabled=True)
    return caller.update("template", template=template).uri


@pytest.fixture
def secret(cloud: LocalCloud, caller: Caller, transport: str) -> str:
    """A secret with two versions, `first` and `second`, in the caller's project."""
    project = caller.parent.partition("/locations")[0]
    with connect(secretmanager_v1.SecretManagerServiceClient, cloud, transport) as client:
        client.create_secret(
            parent=project,
            secret_id="key",
            secret=secretmanager_v1.Secret(replication={"automatic": {}}),
        )
        for value in (b"first", b"second"):
            client.add_secret_version(
                parent=f"{project}/secrets/key", payload=SecretPayload(data=value)
            )
    return "key"


def test_a_secret_is_a_file_of_its_name(caller: Caller, secret: str) -> None:
    uri = mounted(caller, run_v2.Volume(name="keys", secret={"secret": secret}))
    assert httpx.get(f"{uri}/file/keys/key").json() == {"content": "second", "mode": "444"}


def test_versions_of_a_secret_are_files_with_their_own_modes(caller: Caller, secret: str) -> None:
    items = [
        run_v2.VersionToPath(path="old", version="1", mode=0o640),
        run_v2.VersionToPath(path="in/new", version="latest"),
    ]
    source = run_v2.SecretVolumeSource(secret=secret, items=items)
    uri = mounted(caller, run_v2.Volume(name="keys", secret=source))
    assert httpx.get(f"{uri}/file/keys/old").json() == {"content": "first", "mode": "440"}
    assert httpx.get(f"{uri}/file/keys/in/new").json() == {"content": "second", "mode": "444"}


def test_a_secret_that_is_not_there_fails_the_deploy(caller: Caller) -> None:
    volume = run_v2.Volume(name="keys", secret={"secret": "absent"})
    with pytest.raises(exceptions.GoogleAPICallError, match=re.escape("absent] not found")):
        mounted(caller, volume)
    service = caller.get()
    ready = caller.revision(service.latest_created_revision).conditions[0]
    assert ready.reason == run_v2.Condition.CommonReason.SECRETS_ACCESS_CHECK_FAILED


def test_scratch_space_can_be_written(caller: Caller) -> None:
    uri = mounted(caller, run_v2.Volume(name="scratch", empty_dir={"size_limit": "16Mi"}))
    assert httpx.get(f"{uri}/write/scratch/note").status_code == 200
    assert httpx.get(f"{uri}/file/scratch/note").json()["content"] == "written"


def test_scratch_space_is_memory_of_the_size_that_was_asked_for(
    caller: Caller, runtime_name: str
) -> None:
    if runtime_name == "in-process":
        pytest.skip("a program of this process has a folder on disk")
    uri = mounted(caller, run_v2.Volume(name="scratch", empty_dir={"size_limit": "16Mi"}))
    mounts = httpx.get(f"{uri}/file/proc/mounts").json()["content"].splitlines()
    (scratch,) = (line.split() for line in mounts if " /scratch " in line)
    assert (scratch[2], "size=16384k" in scratch[3].split(",")) == ("tmpfs", True)


def test_a_share_outlives_the_revision_that_wrote_it(caller: Caller) -> None:
    share = run_v2.Volume(name="share", nfs={"server": "10.0.0.2", "path": "/exports"})
    assert httpx.get(f"{mounted(caller, share)}/write/share/note").status_code == 200
    template = caller.get().template
    template.labels["again"] = "true"
    uri = caller.update("template", template=template).uri
    assert httpx.get(f"{uri}/file/share/note").json()["content"] == "written"


def test_cloud_sql_has_no_sockets_here(caller: Caller) -> None:
    sql = run_v2.Volume(name="cloudsql", cloud_sql_instance={"instances": ["p:europe-west1:db"]})
    uri = mounted(caller, sql)
    assert httpx.get(f"{uri}/file/cloudsql/p:europe-west1:db").json() == {}


def test_an_instance_starts_in_the_folder_that_it_is_given(
    caller: Caller, runtime_name: str
) -> None:
    if runtime_name == "in-process":
        pytest.skip("a program of this process has no folder of its own")
    template = caller.template()
    template.containers[0].working_dir = "/var/lib"
    template.containers[0].command = ["sh", "-c"]
    serve = "export HERE=$PWD; exec python3 -m http.server $PORT"
    template.containers[0].args = [serve]
    caller.create(invoker_iam_disabled=True)
    uri = caller.update("template", template=template).uri
    assert "dpkg/" in httpx.get(uri).text
