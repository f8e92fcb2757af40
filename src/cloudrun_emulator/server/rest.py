"""The REST side of the wire: the same methods by their http rules, in the JSON of protobuf."""

import json
import re
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from google.api_core import exceptions
from google.protobuf import json_format
from grpc import StatusCode

from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.protobuf import raw
from cloudrun_emulator.core.resource_names import invalid
from cloudrun_emulator.server import transcoding
from cloudrun_emulator.server.calls import Dispatch, as_caller, dispatch
from cloudrun_emulator.server.methods import Binding, HttpRule, Method, OperationsBinding


class LoopbackServer:
    """Answers on a loopback port that the system has picked, until it is closed."""

    def __init__(self, server: HTTPServer) -> None:
        self._server = server
        self._thread = Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


_LENGTH = re.compile(r"[0-9]{1,9}")

SYSTEM_PARAMETERS = frozenset({"$alt", "alt", "$fields", "fields", "key", "prettyPrint"})
"""Source: https://cloud.google.com/apis/docs/system-parameters."""


@dataclass(frozen=True, slots=True)
class RestRequest:
    """An HTTP request that was read to its end."""

    verb: str
    path: str
    query: dict[str, list[str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class RestEndpoint:
    """One http rule of one method of one implementation."""

    rule: HttpRule
    template: transcoding.Template
    method: Method
    implementation: object


class RestServer:
    """Serves the bindings on a loopback port that the system picks."""

    def __init__(
        self, bindings: Iterable[Binding | OperationsBinding], dispatch_call: Dispatch = dispatch
    ) -> None:
        self._serving = LoopbackServer(_RestHttpServer(list(_endpoints(bindings)), dispatch_call))
        self.address = f"http://{self._serving.address}"

    def close(self) -> None:
        self._serving.close()


def _endpoints(bindings: Iterable[Binding | OperationsBinding]) -> Iterator[RestEndpoint]:
    for binding in bindings:
        for method in binding.methods():
            for rule in method.rules:
                template = transcoding.Template(rule.template)
                yield RestEndpoint(rule, template, method, binding.implementation)


def respond(
    dispatch_call: Dispatch, endpoints: Iterable[RestEndpoint], received: RestRequest
) -> tuple[int, str]:
    """HTTP status and JSON text for one request."""
    try:
        return HTTPStatus.OK, _json_answer(dispatch_call, endpoints, received)
    except CloudError as error:
        return refusal(error)


def refusal(error: CloudError) -> tuple[int, str]:
    """HTTP status and JSON text for a refusal."""
    status = http_status(error.code)
    told = {"code": status, "message": error.message, "status": error.code.name}
    return status, json.dumps({"error": told})


def _json_answer(
    dispatch_call: Dispatch, endpoints: Iterable[RestEndpoint], received: RestRequest
) -> str:
    endpoint, path = _find_endpoint(endpoints, received)
    query = {key: values for key, values in received.query.items() if key not in SYSTEM_PARAMETERS}
    kind = endpoint.method.request
    request = transcoding.message(kind, endpoint.rule, path, query, received.body)
    response = dispatch_call(endpoint.implementation, endpoint.method, request)
    numeric = "enum-encoding=int" in "".join(received.query.get("$alt", []))
    return json_format.MessageToJson(raw(response), use_integers_for_enums=numeric, indent=None)


def _find_endpoint(
    endpoints: Iterable[RestEndpoint], received: RestRequest
) -> tuple[RestEndpoint, dict[str, str]]:
    for endpoint in endpoints:
        if endpoint.rule.verb == received.verb:
            path = endpoint.template.match(received.path)
            if path is not None:
                return endpoint, path
    raise CloudError(StatusCode.NOT_FOUND, f"No method answers {received.verb} {received.path}.")


def http_status(code: StatusCode) -> int:
    """The status that the official clients turn back into `code`'s exception."""
    known = exceptions.exception_class_for_grpc_status(code)  # type: ignore[no-untyped-call] # as the package has it
    return int(getattr(known, "code", None) or HTTPStatus.INTERNAL_SERVER_ERROR)


class _RestHttpServer(ThreadingHTTPServer):
    """Remembers its open connections: a client's kept-alive ones must not outlive it."""

    request_queue_size = 128  # of http.server's 5, fifty clients that come at once overflow
    daemon_threads = True
    block_on_close = False

    def __init__(self, endpoints: list[RestEndpoint], dispatch_call: Dispatch) -> None:
        super().__init__(("127.0.0.1", 0), _RestConnection)
        self.endpoints = endpoints
        self.dispatch_call = dispatch_call
        self._open: set[socket.socket] = set()
        self._lock = Lock()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as the class above has it
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):  # its client was quicker
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the class above has it
        if not isinstance(sys.exception(), ConnectionError):  # a client that left is no error
            super().handle_error(request, client_address)


class _RestConnection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _RestHttpServer

    def _serve(self) -> None:
        received = self._received()
        if received is None:
            self.close_connection = True
            self._send(*refusal(invalid("Malformed request: its target or its length.")))
            return
        with as_caller({name.lower(): value for name, value in self.headers.items()}):
            status, text = respond(self.server.dispatch_call, self.server.endpoints, received)
        self._send(status, text)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - http.server finds them by name

    def _received(self) -> RestRequest | None:
        """Read the request; None when nobody can tell what or how long it is."""
        length = self.headers.get("Content-Length", "0")
        if not _LENGTH.fullmatch(length) or "Transfer-Encoding" in self.headers:
            return None
        try:
            url = urlsplit(self.path)
            query = parse_qs(url.query, keep_blank_values=True)
        except ValueError:
            return None
        return RestRequest(self.command, url.path, query, self.rfile.read(int(length)))

    def _send(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """The local cloud has no access log."""
