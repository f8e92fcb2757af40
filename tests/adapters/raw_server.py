"""A server that answers byte by byte what a test says."""

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from threading import Thread

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Serve = Callable[[socket.socket, bytes], bool]
"""Answers a request on a connection; False ends it."""


class Server:
    """Keeps every request, by the connection that it came on."""

    def __init__(self, serve: Serve, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[list[bytes]] = []
        self._serve = serve
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = Thread(target=self._accept)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        threads = []
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            threads.append(Thread(target=self._converse, args=(connection,)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _converse(self, plain: socket.socket) -> None:
        plain.settimeout(5)
        with plain, suppress(ssl.SSLError):  # who does not trust us hangs up
            context = self._context
            self._talk(context.wrap_socket(plain, server_side=True) if context else plain)

    def _talk(self, connection: socket.socket) -> None:
        asked: list[bytes] = []
        self.requests.append(asked)
        with connection:
            while request := _request(connection):
                asked.append(request)
                if not self._serve(connection, request):
                    return


def _request(connection: socket.socket) -> bytes:
    received = b""
    while not _is_whole(received):
        try:
            part = connection.recv(65536)
        except OSError:
            return b""
        if not part:
            return b""
        received += part
    return received


def _is_whole(received: bytes) -> bool:
    head, ended, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(ended) and len(body) == (int(length[1]) if length else 0)


def saying(answer: bytes) -> Serve:
    """The same answer always; one that ends with its connection is not followed by another."""

    def serve(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(answer)
        return b"connection: close" not in answer

    return serve


@contextmanager
def serving(serve: Serve, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    with closing(Server(serve, context)) as server:
        yield server
