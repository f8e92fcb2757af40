"""HTTP servers of the local cloud, each in a thread of its own."""

from http.server import HTTPServer
from threading import Thread


class Serving:
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
