"""A service that answers without end, in every way that its clients read."""

import json
import os
import sys
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MEGABYTE = 1_000_000
ENOUGH = 3_000
"""Megabytes of an answer without end; whoever reads all of it has more memory than he may."""


def endless() -> Iterator[bytes]:
    for _ in range(ENOUGH):
        yield b"x" * MEGABYTE


def bomb() -> Iterator[bytes]:
    packed = zlib.compressobj(wbits=31)
    for part in endless():
        yield packed.compress(part)
    yield packed.flush()


def metrics() -> Iterator[bytes]:
    for number in range(ENOUGH):
        yield b"".join(b'a_total{b="%d-%d"} 1\n' % (number, each) for each in range(40_000))


def deep() -> Iterator[bytes]:
    for _ in range(ENOUGH):
        yield b"[" * MEGABYTE


def page() -> Iterator[bytes]:
    yield b"<!doctype html><title>Page</title><h1>Page</h1>"
    for number in range(20_000):
        yield b'<p>%d</p><img src="/picture?%d">' % (number, number)


KINDS = {
    "/endless": ("text/plain", endless, ""),
    "/bomb": ("application/json", bomb, "gzip"),
    "/metrics": ("text/plain; version=0.0.4", metrics, ""),
    "/deep": ("application/json", deep, ""),
    "/page": ("text/html", page, ""),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/drip":
            self.drip()
        elif path in KINDS:
            self.stream(*KINDS[path])
        else:
            self.answer({"status": "ok", "padding": "y" * 10_000})

    def answer(self, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def stream(self, kind: str, parts: object, encoding: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("connection", "close")
        if encoding:
            self.send_header("content-encoding", encoding)
        self.end_headers()
        for part in parts():  # type: ignore[operator]
            self.wfile.write(part)
        self.close_connection = True

    def drip(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(MEGABYTE))
        self.end_headers()
        for _ in range(MEGABYTE):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.1)

    def log_message(self, *_: object) -> None: ...


def main() -> None:
    for number in range(20_000):
        sys.stdout.write(f"line {number} {'z' * 200}\n")
    sys.stdout.write("w" * 20 * MEGABYTE + "\n")
    sys.stdout.write(json.dumps({"severity": "INFO", "message": "v" * 5 * MEGABYTE}) + "\n")
    sys.stdout.flush()
    ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()


main()
