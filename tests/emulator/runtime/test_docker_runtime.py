"""What real containers alone can show."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from errno import ECONNREFUSED

import docker
import pytest
from docker.models.containers import Container

from cloudrun_emulator.core.interfaces import ImageMissing, InstanceSpec, Mount, StartRefused
from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.runtime.cleanup import OWNER_LABEL, this_process
from cloudrun_emulator.runtime.docker import MOST_PROCESSES, NO_PORT, DockerInstance, DockerRuntime
from cloudrun_emulator.runtime.images import image_id, pull
from tests.between import between
from tests.registry import registry
from tests.tiny import exiting, tiny_layer

pytestmark = pytest.mark.docker

IMAGE = "python:3.11-slim"
SOON = timedelta(seconds=20)
SLEEP = "import signal; signal.pause()"

MINE: dict[str, str | list[str] | bool] = {"label": f"{OWNER_LABEL}={this_process()}"}


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    with closing(docker.from_env()) as client:
        yield client


@pytest.fixture(scope="module")
def runtime() -> Iterator[DockerRuntime]:
    with closing(DockerRuntime()) as made:
        yield made


def python(script: str, *, image: str = IMAGE, name: str = "test") -> InstanceSpec:
    return InstanceSpec(name, image, {}, command=("python", "-c", script))


def run(runtime: DockerRuntime, spec: InstanceSpec) -> DockerInstance:
    """An instance that has ended."""
    instance = runtime.start(spec)
    wait_until(lambda: instance.exit_code() is not None, SOON, "an exit code")
    return instance


def output(instance: DockerInstance) -> list[str]:
    return [line.text for line in instance.lines()]


def container_at(engine: docker.DockerClient, host: str) -> Container:
    (found,) = [
        container
        for container in engine.containers.list(filters=MINE)
        for network in container.attrs["NetworkSettings"]["Networks"].values()
        if network["IPAddress"] == host
    ]
    return found


def things(engine: docker.DockerClient) -> Counter[str]:
    """What this process has on the engine, by kind."""
    return Counter(
        type(thing).__name__
        for thing in (
            *engine.containers.list(all=True, filters=MINE, sparse=True),
            *engine.volumes.list(filters=MINE),
            *engine.networks.list(filters=MINE),
        )
    )


def test_limits_and_owner_are_set_and_no_port_is_published(
    runtime: DockerRuntime, engine: docker.DockerClient
) -> None:
    script = python(SLEEP)
    host, port = runtime.start(
        InstanceSpec(
            "test", IMAGE, {}, command=script.command, port=8080, cpu=0.5, memory_bytes=64 * 2**20
        )
    ).address
    attributes = container_at(engine, host).attrs
    limits = attributes["HostConfig"]
    assert port == 8080
    assert (limits["NanoCpus"], limits["Memory"], limits["MemorySwap"]) == (
        500_000_000,
        64 * 2**20,
        64 * 2**20,
    )
    assert not limits["PortBindings"]
    assert attributes["Config"]["Labels"][OWNER_LABEL] == str(this_process())


def test_a_container_gains_no_privileges_and_starts_no_end_of_processes(
    runtime: DockerRuntime, engine: docker.DockerClient
) -> None:
    script = """
for line in open("/proc/self/status"):
    if line.startswith("NoNewPrivs"): print(line.split()[1], flush=True)
import signal; signal.pause()
"""
    instance = runtime.start(
        InstanceSpec("test", IMAGE, {}, command=("python", "-c", script), port=8080)
    )
    wait_until(lambda: output(instance), SOON, "the first line")
    assert output(instance) == ["1"]
    limits = container_at(engine, instance.address[0]).attrs["HostConfig"]
    assert limits["PidsLimit"] == MOST_PROCESSES


def test_a_container_finds_itself_where_the_machine_has_a_metadata_server(
    runtime: DockerRuntime,
) -> None:
    """With the machine's credentials it could do what the machine may do."""
    script = """
import socket
print(socket.socket().connect_ex(("169.254.169.254", 80)))
listener = socket.create_server(("169.254.169.254", 80))
caller = socket.create_connection(("169.254.169.254", 80), timeout=5)
print(listener.accept()[1] == caller.getsockname())
"""
    assert output(run(runtime, python(script))) == [str(ECONNREFUSED), "True"]


def test_more_cpu_than_the_machine_has_is_cut_to_what_it_has(runtime: DockerRuntime) -> None:
    script = python("print('ran')")
    instance = run(runtime, InstanceSpec("test", IMAGE, {}, command=script.command, cpu=4096))
    assert output(instance) == ["ran"]


def test_a_container_over_its_memory_is_killed(runtime: DockerRuntime) -> None:
    script = python("print('big', flush=True); bytearray(2**30)")
    spec = InstanceSpec("test", IMAGE, {}, command=script.command, memory_bytes=32 * 2**20)
    instance = run(runtime, spec)
    assert (instance.exit_code(), output(instance)) == (137, ["big"])


def test_a_task_listens_on_no_port(runtime: DockerRuntime) -> None:
    assert runtime.start(python(SLEEP)).address[1] == NO_PORT


def test_long_lines_many_lines_and_the_unfinished_last_are_whole(runtime: DockerRuntime) -> None:
    lines = ["x" * 100_000, *map(str, range(2000)), "unfinished"]
    script = "print('x' * 100000); [print(i) for i in range(2000)]; print(end='unfinished')"
    assert output(run(runtime, python(script))) == lines


def test_arguments_alone_replace_the_command_of_the_image(runtime: DockerRuntime) -> None:
    spec = InstanceSpec("test", IMAGE, {}, args=("python", "-c", "print('argued')"))
    assert output(run(runtime, spec)) == ["argued"]


def test_a_read_only_mount_cannot_be_written(runtime: DockerRuntime) -> None:
    mounts = (Mount("data", "/data", read_only=True),)
    script = python("open('/data/x', 'w')")
    instance = run(runtime, InstanceSpec("test", IMAGE, {}, command=script.command, mounts=mounts))
    assert instance.exit_code() == 1
    assert output(instance)[-1] == "OSError: [Errno 30] Read-only file system: '/data/x'"


def test_a_container_removed_by_somebody_else_counts_as_killed(
    runtime: DockerRuntime, engine: docker.DockerClient
) -> None:
    spec = InstanceSpec("test", IMAGE, {}, command=("python", "-c", SLEEP), port=8080)
    instance = runtime.start(spec)
    container_at(engine, instance.address[0]).remove(force=True)
    assert instance.exit_code() == 137
    instance.stop()


def test_an_image_that_was_never_pushed_is_found_by_its_id(
    runtime: DockerRuntime, engine: docker.DockerClient
) -> None:
    reference = f"registry.example/app@{engine.images.get(IMAGE).id}"
    assert output(run(runtime, python("print('found')", image=reference))) == ["found"]


@pytest.mark.parametrize(
    "reference",
    [
        "no-such-image",
        "registry.example/app:1",
        f"registry.example/app@sha256:{'0' * 64}",
        "127.0.0.1:1/app:1",
        "not a reference",
    ],
)
def test_what_names_no_image_is_missing(engine: docker.DockerClient, reference: str) -> None:
    with pytest.raises(ImageMissing, match="^" + reference):
        image_id(engine, reference)


def registry_image(engine: docker.DockerClient, repository: str) -> tuple[str, str]:
    """A program that ends with 42, in a registry alone: its image id and its manifest's digest."""
    layer = tiny_layer(exiting(42))
    engine.api.import_image_from_data(layer, repository=repository, tag="one")
    pushed = list(engine.api.push(repository, "one", stream=True, decode=True, auth_config={}))
    made = str(engine.images.get(f"{repository}:one").id)
    engine.images.remove(made, force=True)
    return made, next(event["aux"]["Digest"] for event in pushed if "aux" in event)


def test_what_the_engine_has_not_is_pulled_by_image_tag_and_by_digest(
    runtime: DockerRuntime, engine: docker.DockerClient
) -> None:
    with registry() as host:
        made, manifest = registry_image(engine, f"{host}/app")
        for reference in (f"{host}/app:one", f"{host}/app@{manifest}"):
            try:
                ended = run(runtime, InstanceSpec("test", reference, {}, command=("/file",)))
                assert ended.exit_code() == 42
                assert image_id(engine, f"{host}/app@{manifest}") == made
                ended.stop()
            finally:
                engine.images.remove(made, force=True)


def test_what_a_registry_has_not_is_missing_with_its_reason(engine: docker.DockerClient) -> None:
    with registry() as host, pytest.raises(ImageMissing, match="manifest unknown"):
        image_id(engine, f"{host}/app:none")


def test_a_pull_that_takes_too_long_is_broken_off() -> None:
    with registry() as host, between(host) as silent:
        silent.befall("GET /v2/app", held=True)
        with pytest.raises(ImageMissing, match=r"app:one: could not be pulled within 0\.3 s"):
            pull(f"{silent.address}/app:one", within=timedelta(seconds=0.3))


def test_what_was_refused_leaves_no_container(
    runtime: DockerRuntime, engine: docker.DockerClient
) -> None:
    before = things(engine)
    with pytest.raises(StartRefused):
        runtime.start(InstanceSpec("refused", IMAGE, {}, command=("/no/such/program",)))
    assert things(engine) == before


def test_no_instance_is_given_the_address_of_an_earlier_one(runtime: DockerRuntime) -> None:
    spec = InstanceSpec("test", IMAGE, {}, command=("true",), port=8080)
    addresses = set()
    for _ in range(3):
        instance = run(runtime, spec)
        instance.stop()
        addresses.add(instance.address)
    assert len(addresses) == 3


def test_runtimes_side_by_side_share_no_address() -> None:
    with ThreadPoolExecutor(2) as starters:
        runtimes = [made.result() for made in [starters.submit(DockerRuntime) for _ in range(2)]]
    spec = InstanceSpec("test", IMAGE, {}, command=("true",), port=8080)
    try:
        assert len({runtime.start(spec).address for runtime in runtimes}) == 2
    finally:
        for runtime in runtimes:
            runtime.close()


def test_closing_removes_containers_volumes_and_the_network(engine: docker.DockerClient) -> None:
    before = things(engine)
    command, mounts = ("python", "-c", SLEEP), (Mount("data", "/data"),)
    with closing(DockerRuntime()) as closed:
        closed.start(InstanceSpec("test", IMAGE, {}, command=command, mounts=mounts))
        assert things(engine) - before == {"Container": 1, "Volume": 1, "Network": 1}
    closed.close()
    assert things(engine) == before
