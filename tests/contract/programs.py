"""Containers that behave alike on every runtime."""

from google.cloud import run_v2

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
_SOURCES = {
    "echo": _SERVER,
    "slow-start": _SERVER,
    "crash": "import sys; sys.exit('fatal: this program always crashes')",
}
_DEAF = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 60 & wait; done")
"""A first process is not ended by a signal that it has no handler for; a shell's is there soon."""


def program(runtime: str, name: str, **environment: str) -> run_v2.Container:
    """`echo`, `slow-start` (by START_SECONDS), `crash` or `deaf`, with these variables."""
    env = [run_v2.EnvVar(name=key, value=value) for key, value in environment.items()]
    if runtime == "in-process":
        return run_v2.Container(image=f"in-process/{name}", env=env)
    command = _DEAF if name == "deaf" else ("python3", "-c", _SOURCES[name])
    return run_v2.Container(image=BASE_IMAGE, command=command, env=env)
