"""Containers that behave alike on every runtime."""

import inspect
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from secrets import token_hex
from threading import Event, Thread

import grpc
from google.cloud import run_v2
from google.protobuf.wrappers_pb2 import Int32Value

from cloudrun_emulator.runtime.programs import (
    Process,
    Program,
    ProgramRequest,
    ProgramResponse,
    serve_http,
)

BASE_IMAGE = "python:3.11-slim"

_SERVER = """
import json, os, signal, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Echo(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"revision": os.environ["K_REVISION"], "env": dict(os.environ)}).encode()
        self.send_response(int(self.path.split("/")[2]) if "/status/" in self.path else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/die": os._exit(1)
    def log_message(self, *_): pass
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
time.sleep(float(os.environ.get("START_SECONDS", "0")))
ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Echo).serve_forever()
"""


class Resident:
    """Tells what it finds in its volumes and when it started; can be made ill.

    /instance tells an id of this start, and the files that were in /shared then; /file/PATH what
    a file holds, /write/PATH writes one; /alive is 500 once /sicken was asked.
    """

    def __init__(self, root: "Mapping[str, Path]") -> None:
        self.root = root
        shared = self.path("/shared")
        seen = sorted(it.name for it in shared.iterdir()) if shared.exists() else []
        self.instance = {"id": token_hex(4), "seen": seen}
        self.alive = True

    def path(self, path: str) -> "Path":
        for above in (PurePosixPath(path), *PurePosixPath(path).parents):
            if str(above) in self.root:
                return self.root[str(above)] / PurePosixPath(path).relative_to(above)
        return Path("/nowhere")

    def answer(self, path: str) -> "tuple[int, object]":
        _, verb, rest = [*path.split("/", 2), ""][:3]
        if verb == "sicken":
            self.alive = False
        if verb == "alive":
            return (200 if self.alive else 500), {}
        if verb == "file":
            return 200, self.found(self.path(f"/{rest}"))
        if verb == "write":
            return self.written(self.path(f"/{rest}"))
        return 200, self.instance

    def found(self, path: "Path") -> "dict[str, object]":
        if not path.exists():
            return {}
        return {"content": path.read_text(), "mode": f"{path.stat().st_mode & 0o777:o}"}

    def written(self, path: "Path") -> "tuple[int, object]":
        try:
            path.write_text("written")
        except OSError as error:
            return 500, {"error": type(error).__name__}
        return 200, {}


_RESIDENT = f"""
import json, os, signal, sys, threading, time, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from secrets import token_hex
{inspect.getsource(Resident)}
time.sleep(float(os.environ.get("START_SECONDS", "0")))
if "NOTE" in os.environ: Path(os.environ["NOTE"]).write_text("started")
resident = Resident({{"/": Path("/")}})
class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/fetch/"):
            url = "http://127.0.0.1:" + self.path.split("/")[2] + "/instance"
            status, told = 200, json.load(urllib.request.urlopen(url))
        else:
            status, told = resident.answer(self.path)
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
def watch():
    while not Path("/shared/stop").exists(): time.sleep(0.05)
    os._exit(1)
if "ENDS" in os.environ: threading.Thread(target=watch, daemon=True).start()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
port = int(os.environ.get("PORT") or os.environ["LISTEN"])
ThreadingHTTPServer(("0.0.0.0", port), Server).serve_forever()
"""


def resident(process: Process) -> int:
    """As the container of that name; it listens on the socket that it is given."""
    variables = process.environment
    process.terminated.wait(float(variables.get("START_SECONDS", "0")))
    lodger = Resident(process.folders)
    if "NOTE" in variables:
        lodger.path(variables["NOTE"]).write_text("started")

    def respond(call: ProgramRequest) -> ProgramResponse:
        status, body = lodger.answer(call.path)
        return ProgramResponse(body, status)

    ended = Event()

    def watch() -> None:
        while not ended.is_set() and not lodger.path("/shared/stop").exists():
            ended.wait(0.05)
        process.terminated.set()

    if "ENDS" in variables:
        Thread(target=watch, daemon=True).start()
    try:
        serve_http(process, respond)
    finally:
        ended.set()
    return 1


def speaks_grpc(process: Process) -> int:
    """Answer gRPC alone: its health, and an echo of whatever comes to /test.Echoes/Echo."""

    def health(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        return Int32Value(value=1).SerializeToString()

    def echo(request: bytes, _context: grpc.ServicerContext) -> bytes:
        return request

    address = "{}:{}".format(*process.socket.getsockname())
    process.socket.close()
    with ThreadPoolExecutor(4) as threads:
        server = grpc.server(threads)
        for service, name, answer in (
            ("grpc.health.v1.Health", "Check", health),
            ("test.Echoes", "Echo", echo),
        ):
            method = {name: grpc.unary_unary_rpc_method_handler(answer)}
            server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service, method),)
            )
        server.add_insecure_port(address)
        server.start()
        process.terminated.wait()
        server.stop(None).wait()
    return 0


IN_PROCESS: Mapping[str, Program] = {
    "in-process/resident": resident,
    "in-process/grpc": speaks_grpc,
}

_SOURCES = {
    "echo": _SERVER,
    "slow-start": _SERVER,
    "resident": _RESIDENT,
    "crash": "import sys; sys.exit('fatal: this program always crashes')",
}
_DEAF = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 60 & wait; done")
"""A first process is not ended by a signal that it has no handler for; a shell's is there soon."""


def program(runtime: str, name: str, **environment: str) -> run_v2.Container:
    """`echo`, `slow-start` (by START_SECONDS), `crash`, `deaf` or `resident`, with variables."""
    env = [run_v2.EnvVar(name=key, value=value) for key, value in environment.items()]
    if runtime == "in-process":
        return run_v2.Container(image=f"in-process/{name}", env=env)
    command = _DEAF if name == "deaf" else ("python3", "-c", _SOURCES[name])
    return run_v2.Container(image=BASE_IMAGE, command=command, env=env)
