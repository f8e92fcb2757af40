"""A server before a registry, that refuses, breaks off or holds up what it is told to."""

import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length"}
_HELD_SECONDS = 30.0


@dataclass
class Rule:
    """What becomes of requests whose `METHOD PATH` fits, so often; without a status they break off.

    `unless` is an Authorization that lets a request through.
    """

    asked: str
    status: int = 0
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 10**6
    unless: str = ""
    held: bool = False


class Between:
    """Forwards to `registry` what no rule befalls; the first that fits counts."""

    def __init__(self, registry: str) -> None:
        self.registry = registry
        self.rules: list[Rule] = []
        self.asked: list[str] = []
        self.over = threading.Event()
        self.address = ""

    def befall(self, asked: str, status: int = 0, body: str = "", **more: object) -> Rule:
        rule = Rule(asked, status, body, **more)  # type: ignore[arg-type]  # a test's own fields
        self.rules.append(rule)
        return rule

    def rule_for(self, asked: str, authorization: str) -> Rule | None:
        self.asked.append(asked)
        for rule in self.rules:
            let_through = rule.unless and authorization == rule.unless
            if rule.times > 0 and not let_through and re.search(rule.asked, asked):
                rule.times -= 1
                return rule
        return None


@contextmanager
def between(registry: str) -> Iterator[Between]:
    """Listens on a loopback port that the system picks, until the end."""
    state = Between(registry)

    class Handler(_Forwarding):
        between = state

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        state.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield state
        finally:
            state.over.set()
            server.shutdown()
            thread.join()
            server.block_on_close = False


class _Forwarding(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    between: Between

    def _serve(self) -> None:
        body = _body(self.rfile, self.headers)
        authorization = self.headers.get("authorization", "")
        rule = self.between.rule_for(f"{self.command} {self.path}", authorization)
        if rule is None:
            self._forward(body)
        elif rule.held:
            self.between.over.wait(_HELD_SECONDS)
            self.close_connection = True
        elif not rule.status:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._answer(rule.status, rule.headers, rule.body.encode())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the parent's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        del format, args

    def _forward(self, body: bytes) -> None:
        there = HTTPConnection(self.between.registry, timeout=_HELD_SECONDS)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
            there.request(self.command, self.path, body, headers)
            answer = there.getresponse()
            content = answer.read()
            self._answer(answer.status, dict(answer.getheaders()), content)
        finally:
            there.close()

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        length = str(len(body))
        for name, value in headers.items():
            if self.command == "HEAD" and name.lower() == "content-length":
                length = value
            elif name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        if status not in {204, 304}:
            self.send_header("content-length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _body(stream: BufferedIOBase, headers: Message) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return stream.read(int(headers.get("content-length") or 0))
    whole = b""
    while size := int(stream.readline(), 16):
        whole += stream.read(size)
        stream.readline()
    stream.readline()
    return whole
