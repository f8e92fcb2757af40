"""A small HTTP server for programs of this process."""

import json
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from cloudrun_emulator.runtime.process import Process


@dataclass(frozen=True, slots=True)
class Call:
    """A request as a program receives it; `path` carries the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program answers: `body` goes out as JSON."""

    body: object
    status: int = 200


Respond = Callable[[Call], Answer]


def serve(process: Process, respond: Respond) -> int:
    """Answer until terminated, then let what is under way finish; returns exit code 0."""
    with _Server(process, respond) as server:
        accepting = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        accepting.start()
        process.terminated.wait()
        server.shutdown()
        accepting.join()
    return 0


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = False  # closing waits for those under way

    def __init__(self, process: Process, respond: Respond) -> None:
        super().__init__(process.socket.getsockname(), _Conversation, bind_and_activate=False)
        self.socket.close()
        self.socket = process.socket
        self.process = process
        self.respond = respond
        self.server_activate()

    def handle_error(self, *_: object) -> None:
        """A client that leaves is no fault of the program; anything else is, and is told."""
        if not isinstance(sys.exception(), ConnectionError):
            self.process.print(traceback.format_exc(), "stderr")


class _Conversation(BaseHTTPRequestHandler):
    """One request a connection: nothing lingers on a kept-alive one when the program ends."""

    server: _Server
    timeout = 5

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self.server.respond(
            Call(self.command, self.path, dict(self.headers.items()), body)
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
