"""The images of this process."""

import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from threading import Event

import httpx
import pytest

from cloudrun_emulator.core.interfaces import InstanceSpec
from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.runtime.in_process import InProcessInstance, InProcessRuntime
from cloudrun_emulator.runtime.programs import ProgramRequest, ProgramResponse, serve_http

SOON = timedelta(seconds=20)


@pytest.fixture
def runtime() -> Iterator[InProcessRuntime]:
    with closing(InProcessRuntime()) as made:
        yield made


def start(runtime: InProcessRuntime, program: str, **environment: str) -> InProcessInstance:
    return runtime.start(InstanceSpec("test", f"in-process/{program}", {}, environment))


def accepts(instance: InProcessInstance) -> bool:
    try:
        socket.create_connection(instance.address, 1).close()
    except OSError:
        return False
    return True


def ask(instance: InProcessInstance, path: str = "/") -> httpx.Response:
    host, port = instance.address
    return httpx.get(f"http://{host}:{port}{path}", trust_env=False, timeout=20)


def await_lines(instance: InProcessInstance) -> list[tuple[str, str]]:
    wait_until(instance.lines, SOON, "a line")
    return [(line.stream, line.text) for line in instance.lines()]


def await_exit(instance: InProcessInstance) -> int | None:
    wait_until(lambda: instance.exit_code() is not None, SOON, "an exit code")
    return instance.exit_code()


def test_echo_tells_revision_path_and_environment(runtime: InProcessRuntime) -> None:
    echo = start(runtime, "echo", K_REVISION="app-a", COLOUR="green")
    assert await_lines(echo) == [("stdout", "Application startup complete")]
    told = ask(echo, "/x?y=1").json()
    assert {key: told[key] for key in ("revision", "path", "env")} == {
        "revision": "app-a",
        "path": "/x?y=1",
        "env": {"K_REVISION": "app-a", "COLOUR": "green"},
    }


def test_echo_answers_the_status_that_it_is_asked_for(runtime: InProcessRuntime) -> None:
    echo = start(runtime, "echo")
    await_lines(echo)
    assert ask(echo, "/status/503?again").status_code == 503


def test_echo_takes_the_time_that_it_is_asked_for(runtime: InProcessRuntime) -> None:
    echo = start(runtime, "echo")
    await_lines(echo)
    assert ask(echo, "/slow/120").elapsed > timedelta(milliseconds=110)


def test_crash_says_why_and_exits_with_1(runtime: InProcessRuntime) -> None:
    crash = start(runtime, "crash")
    assert await_exit(crash) == 1
    assert await_lines(crash) == [("stderr", "fatal: this program always crashes")]


def test_deaf_runs_and_refuses_connections(runtime: InProcessRuntime) -> None:
    deaf = start(runtime, "deaf")
    await_lines(deaf)
    with pytest.raises(httpx.ConnectError):
        ask(deaf)
    assert deaf.exit_code() is None


def test_slow_start_refuses_connections_until_its_time(runtime: InProcessRuntime) -> None:
    began = datetime.now().astimezone()
    slow = start(runtime, "slow-start", START_SECONDS="0.2", K_REVISION="app-a")
    with pytest.raises(httpx.ConnectError):
        ask(slow)
    await_lines(slow)
    assert slow.lines()[0].time - began > timedelta(milliseconds=190)
    assert ask(slow).json()["revision"] == "app-a"


def test_task_tells_its_variables_and_exits_with_its_code(runtime: InProcessRuntime) -> None:
    task = start(runtime, "task", CLOUD_RUN_TASK_INDEX="1", OTHER="x", EXIT_CODE="4")
    assert await_exit(task) == 4
    assert await_lines(task) == [("stdout", "CLOUD_RUN_TASK_INDEX=1"), ("stderr", "exit 4")]


def test_a_task_ends_early_when_it_is_stopped(runtime: InProcessRuntime) -> None:
    task = start(runtime, "task", RUN_SECONDS="60")
    task.stop()
    assert task.exit_code() == 143


def test_a_program_that_raises_exits_with_1_and_tells_the_traceback() -> None:
    def faulty(_: object) -> int:
        raise ZeroDivisionError("on purpose")

    with closing(InProcessRuntime({"in-process/faulty": faulty})) as runtime:
        instance = start(runtime, "faulty")
        assert await_exit(instance) == 1
        assert await_lines(instance)[-1] == ("stderr", "ZeroDivisionError: on purpose")


def test_a_client_that_leaves_is_no_fault_and_another_is_told() -> None:
    def respond(call: ProgramRequest) -> ProgramResponse:
        if call.path == "/faulty":
            raise ZeroDivisionError("on purpose")
        left.wait(20)
        return ProgramResponse("late" * 1_000_000)

    left = Event()
    programs = {"in-process/web": lambda process: serve_http(process, respond)}
    with closing(InProcessRuntime(programs)) as runtime:
        web = start(runtime, "web")
        wait_until(lambda: accepts(web), SOON, "the program to listen")
        with socket.create_connection(web.address) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        left.set()
        with pytest.raises(httpx.RemoteProtocolError):
            ask(web, "/faulty")
        wait_until(web.lines, SOON, "the fault to be told")
        web.stop()
        faults = [line.text for line in web.lines() if line.stream == "stderr"]
        assert faults[0].startswith("Traceback")
        assert faults[-1] == "ZeroDivisionError: on purpose"
        assert sum(text.startswith("Traceback") for text in faults) == 1


def test_a_command_names_another_program(runtime: InProcessRuntime) -> None:
    spec = InstanceSpec("test", "in-process/echo", {}, command=("in-process/crash",))
    assert await_exit(runtime.start(spec)) == 1


def test_a_task_says_its_arguments(runtime: InProcessRuntime) -> None:
    spec = InstanceSpec(
        "test", "in-process/echo", {}, command=("in-process/task", "one"), args=('{"two": 2}',)
    )
    task = runtime.start(spec)
    assert await_exit(task) == 0
    assert [line.text for line in task.lines()] == ["one", '{"two": 2}', "exit 0"]
