"""One suite for every runtime: real containers, and programs of this process."""

import itertools
import json
import socket
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from cloudrun_emulator.core.interfaces import (
    ImageMissing,
    Instance,
    InstanceSpec,
    LogLine,
    Mount,
    Runtime,
    StartRefused,
)
from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.runtime.docker import DockerRuntime
from cloudrun_emulator.runtime.in_process import InProcessRuntime
from cloudrun_emulator.runtime.instances import InstanceFleet
from cloudrun_emulator.runtime.programs import Process, ProgramResponse, serve_http

SOON = timedelta(seconds=20)
MOMENT = timedelta(seconds=1)


def talk(process: Process) -> int:
    process.print("one")
    process.print("two", "stderr")
    return 3


def polite(process: Process) -> int:
    process.print("ready")
    process.terminated.wait()
    process.print("bye")
    return 0


def stubborn(process: Process) -> int:
    process.print("ready")
    process.killed.wait()
    return 0


def greet(process: Process) -> int:
    return serve_http(
        process, lambda _: ProgramResponse({"greeting": process.environment["GREETING"]})
    )


def deaf(process: Process) -> int:
    process.print("ready")
    process.terminated.wait()
    return 0


def note(process: Process) -> int:
    """Write the first argument to the folder, then tell what is in it."""
    folder = process.folders["/data"]
    (folder / process.args[0]).touch()
    process.print(" ".join(sorted(path.name for path in folder.iterdir())))
    return 0


HERE = {
    "talk": talk,
    "polite": polite,
    "stubborn": stubborn,
    "greet": greet,
    "deaf": deaf,
    "note": note,
}

IN_A_CONTAINER = {
    "talk": """
import sys
print("one", flush=True); print("two", file=sys.stderr); sys.exit(3)
""",
    "polite": """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("ready", flush=True); signal.sigwait({signal.SIGTERM}); print("bye")
""",
    "stubborn": """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
while True: signal.pause()
""",
    "greet": """
import json, os, signal, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
class Greet(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        self.wfile.write(json.dumps({"greeting": os.environ["GREETING"]}).encode())
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
HTTPServer(("0.0.0.0", 8080), Greet).serve_forever()
""",
    "deaf": """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("ready", flush=True); signal.pause()
""",
    "note": """
import os, sys
open("/data/" + sys.argv[1], "w").close()
print(*sorted(os.listdir("/data")))
""",
}


@dataclass(frozen=True)
class Bench:
    """A runtime, and the same programs for each."""

    runtime: Runtime
    spec_of: Callable[[str], InstanceSpec]

    def start(self, program: str, **changes: object) -> Instance:
        return self.runtime.start(self.spec(program, **changes))

    def spec(self, program: str, **changes: object) -> InstanceSpec:
        return replace(self.spec_of(program), **changes)  # type: ignore[arg-type]  # fields of a spec


def here(program: str) -> InstanceSpec:
    return InstanceSpec(program, program, {"type": "test"}, port=8080)


def in_a_container(program: str) -> InstanceSpec:
    command = ("python", "-c", IN_A_CONTAINER.get(program, ""))
    return InstanceSpec(program, "python:3.11-slim", {"type": "test"}, command=command, port=8080)


@pytest.fixture(params=["in-process", pytest.param("docker", marks=pytest.mark.docker)])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "docker":
        made = Bench(DockerRuntime(), in_a_container)
    else:
        made = Bench(InProcessRuntime(HERE), here)
    with closing(made.runtime):
        yield made


def texts(lines: Iterator[LogLine] | tuple[LogLine, ...], stream: str = "stdout") -> list[str]:
    return [line.text for line in lines if line.stream == stream]


def written(instance: Instance, stream: str = "stdout") -> list[str]:
    return texts(tuple(instance.lines()), stream)


def await_ready(instance: Instance) -> None:
    wait_until(lambda: "ready" in written(instance), SOON, "the program to say that it is ready")


def await_exit(instance: Instance) -> int:
    wait_until(lambda: instance.exit_code() is not None, SOON, "an exit code")
    code = instance.exit_code()
    assert code is not None
    return code


def accepts(instance: Instance) -> bool:
    try:
        socket.create_connection(instance.address, 1).close()
    except OSError:
        return False
    return True


def test_an_instance_answers_at_its_own_address_with_its_environment(bench: Bench) -> None:
    instance = bench.start("greet", environment={"GREETING": "hello"})
    wait_until(lambda: accepts(instance), SOON, "the program to listen")
    host, port = instance.address
    with urllib.request.urlopen(f"http://{host}:{port}/", timeout=10) as answer:
        assert json.load(answer) == {"greeting": "hello"}
    assert instance.exit_code() is None


def test_a_program_that_does_not_listen_refuses_connections(bench: Bench) -> None:
    instance = bench.start("deaf")
    await_ready(instance)
    assert not accepts(instance)


def test_exit_code_and_every_line_are_there_once_it_ended(bench: Bench) -> None:
    began = datetime.now(UTC)
    instance = bench.start("talk")
    assert await_exit(instance) == 3
    assert written(instance, "stdout") == ["one"]
    assert written(instance, "stderr") == ["two"]
    times = [line.time for line in instance.lines()]
    assert all(began <= time <= datetime.now(UTC) for time in times)
    assert times == sorted(times)


def test_a_program_may_finish_its_work_after_sigterm(bench: Bench) -> None:
    instance = bench.start("polite")
    await_ready(instance)
    instance.stop()
    assert instance.exit_code() == 0
    assert written(instance) == ["ready", "bye"]


def test_a_program_that_does_not_end_in_its_grace_is_killed(bench: Bench) -> None:
    instance = bench.start("stubborn")
    await_ready(instance)
    instance.stop(MOMENT)
    assert instance.exit_code() == 137
    assert written(instance) == ["ready"]


def test_stopping_again_changes_nothing(bench: Bench) -> None:
    instance = bench.start("talk")
    await_exit(instance)
    instance.stop()
    before = instance.lines()
    instance.stop()
    assert (instance.exit_code(), instance.lines()) == (3, before)


def test_nothing_listens_at_the_address_of_a_stopped_instance(bench: Bench) -> None:
    instance = bench.start("greet", environment={"GREETING": "hello"})
    wait_until(lambda: accepts(instance), SOON, "the program to listen")
    instance.stop()
    assert not accepts(instance)


def test_an_unknown_image_is_missing_at_once(bench: Bench) -> None:
    began = datetime.now(UTC)
    with pytest.raises(ImageMissing, match=r"registry\.example/no/such:image"):
        bench.start("talk", image="registry.example/no/such:image")
    assert datetime.now(UTC) - began < SOON


def test_a_command_that_does_not_exist_is_refused(bench: Bench) -> None:
    with pytest.raises(StartRefused, match='"/no/such/program"'):
        bench.start("talk", command=("/no/such/program",))


def test_mounts_of_one_source_share_what_is_in_them(bench: Bench) -> None:
    seen = []
    for name, source in (("a", "shared"), ("b", "shared"), ("c", "other")):
        command = bench.spec("note").command
        instance = bench.start(
            "note", command=command, args=(name,), mounts=(Mount(source, "/data"),)
        )
        await_exit(instance)
        seen += written(instance)
    assert seen == ["a", "a b", "c"]


def test_instances_of_one_name_can_run_side_by_side(bench: Bench) -> None:
    first, second = bench.start("deaf"), bench.start("deaf")
    for instance in (first, second):
        await_ready(instance)
    assert first.address != second.address


def test_closing_the_runtime_ends_what_runs(bench: Bench) -> None:
    instance = bench.start("stubborn")
    await_ready(instance)
    bench.runtime.close()
    assert instance.exit_code() == 137


def test_a_fleet_keeps_the_output_of_all_its_instances(bench: Bench) -> None:
    fleet = InstanceFleet(bench.runtime)
    ended, running = fleet.start(bench.spec("talk")), fleet.start(bench.spec("polite"))
    await_exit(ended)
    await_ready(running)
    fleet.close()
    output = list(fleet.output())
    by_program = {
        name: texts(tuple(line for _, line in group))
        for name, group in itertools.groupby(output, key=lambda pair: pair[0].name)
    }
    assert by_program == {"talk": ["one"], "polite": ["ready", "bye"]}


def test_a_closed_fleet_starts_nothing_more(bench: Bench) -> None:
    fleet = InstanceFleet(bench.runtime)
    fleet.close()
    with pytest.raises(StartRefused, match="closing"):
        fleet.start(bench.spec("polite"))
