"""Programs of this process that stand in for images: some that behave, and some that do not."""

import json
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Event, Thread
from types import MappingProxyType

from cloudrun_emulator.core.interfaces import TERMINATED, LogLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Variables, arguments, folders by mount path, one socket, and the two signals of an end.

    `socket` is bound and does not listen yet: connections are refused until the program calls
    `listen`. After `terminated` a program has its grace to return; `killed` grants none.
    """

    environment: Mapping[str, str]
    args: tuple[str, ...]
    socket: socket.socket
    folders: Mapping[str, Path]
    terminated: Event = field(default_factory=Event)
    killed: Event = field(default_factory=Event)
    written: list[LogLine] = field(default_factory=list)

    def print(self, text: str, stream: str = "stdout") -> None:
        now = datetime.now(UTC)
        self.written.extend(LogLine(now, stream, line) for line in text.splitlines())


Program = Callable[[Process], int]
"""Runs until its work is done or it is terminated; returns the exit code."""


@dataclass(frozen=True, slots=True)
class ProgramRequest:
    """A request as a program receives it; `path` carries the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ProgramResponse:
    """The answer of a program: `body` goes out as JSON."""

    body: object
    status: int = 200


RequestHandler = Callable[[ProgramRequest], ProgramResponse]


def serve_http(process: Process, respond: RequestHandler) -> int:
    """Answer until terminated, then let what is under way finish; returns exit code 0."""
    with _ProgramServer(process, respond) as server:
        accepting = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        accepting.start()
        process.terminated.wait()
        server.shutdown()
        accepting.join()
    return 0


class _ProgramServer(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = False  # closing waits for those under way

    def __init__(self, process: Process, respond: RequestHandler) -> None:
        super().__init__(process.socket.getsockname(), _ProgramConnection, bind_and_activate=False)
        self.socket.close()
        self.socket = process.socket
        self.process = process
        self.respond = respond
        self.server_activate()

    def handle_error(self, *_: object) -> None:
        """A client that leaves is no fault of the program; anything else is, and is told."""
        if not isinstance(sys.exception(), ConnectionError):
            self.process.print(traceback.format_exc(), "stderr")


class _ProgramConnection(BaseHTTPRequestHandler):
    """One request a connection: nothing lingers on a kept-alive one when the program ends."""

    server: _ProgramServer
    timeout = 5

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self.server.respond(
            ProgramRequest(self.command, self.path, dict(self.headers.items()), body)
        )
        if self.server.process.killed.is_set():
            return
        content = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server looks them up by these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own parameter
        self.server.process.print(format % args)


def echo(process: Process) -> int:
    """Answer 200 and tell the revision; /status/NNN answers NNN, /slow/MS after MS milliseconds."""

    def respond(call: ProgramRequest) -> ProgramResponse:
        match call.path.partition("?")[0].split("/"):
            case ["", "status", status]:
                return ProgramResponse(_facts(process, call), int(status))
            case ["", "slow", milliseconds]:
                process.killed.wait(int(milliseconds) / 1000)
        return ProgramResponse(_facts(process, call))

    process.print("Application startup complete")
    return serve_http(process, respond)


def _facts(process: Process, call: ProgramRequest) -> dict[str, object]:
    return {
        "status": "ok",
        "revision": process.environment.get("K_REVISION", ""),
        "path": call.path,
        "method": call.method,
        "headers": {name.lower(): value for name, value in call.headers.items()},
        "env": dict(process.environment),
    }


def flaky(process: Process) -> int:
    """Echo, but answer 500 to FAIL_PERCENT of all requests, evenly spread (50)."""
    percent = int(process.environment.get("FAIL_PERCENT", "50"))
    numbers = count(1)

    def respond(call: ProgramRequest) -> ProgramResponse:
        number = next(numbers)
        fails = number * percent // 100 > (number - 1) * percent // 100
        return ProgramResponse(_facts(process, call), 500 if fails else 200)

    process.print("Application startup complete")
    return serve_http(process, respond)


def slow(process: Process) -> int:
    """Echo, ANSWER_MILLISECONDS after it was asked (1000)."""
    delay = int(process.environment.get("ANSWER_MILLISECONDS", "1000")) / 1000

    def respond(call: ProgramRequest) -> ProgramResponse:
        process.killed.wait(delay)
        return ProgramResponse(_facts(process, call))

    process.print("Application startup complete")
    return serve_http(process, respond)


def crash(process: Process) -> int:
    """Exit at once with 1."""
    process.print("fatal: this program always crashes", "stderr")
    return 1


def deaf(process: Process) -> int:
    """Run, and never listen."""
    process.print("running without listening")
    process.terminated.wait()
    return TERMINATED


def slow_start(process: Process) -> int:
    """Echo, once START_SECONDS have passed."""
    if process.terminated.wait(float(process.environment.get("START_SECONDS", "1"))):
        return TERMINATED
    return echo(process)


def task(process: Process) -> int:
    """Tell the CLOUD_RUN_* variables and each argument, take RUN_SECONDS, exit with EXIT_CODE."""
    for name, value in sorted(process.environment.items()):
        if name.startswith("CLOUD_RUN_"):
            process.print(f"{name}={value}")
    for argument in process.args:
        process.print(argument)
    if process.terminated.wait(float(process.environment.get("RUN_SECONDS", "0"))):
        return TERMINATED
    code = int(process.environment.get("EXIT_CODE", "0"))
    process.print(f"exit {code}", "stderr" if code else "stdout")
    return code


PROGRAMS: Mapping[str, Program] = MappingProxyType(
    {
        "in-process/echo": echo,
        "in-process/flaky": flaky,
        "in-process/slow": slow,
        "in-process/crash": crash,
        "in-process/deaf": deaf,
        "in-process/slow-start": slow_start,
        "in-process/task": task,
    }
)
