"""A connection that is lost without a word, as by a sleep or in another network, is replaced."""

import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from threading import Event, Thread

import pytest

from cloudrun_emulator.emulator import LocalCloud
from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.adapters.machine import SystemClock
from greenrun.model.plan import Location


class Relay:
    """Passes connections on, until those that it has by then fall silent for good."""

    def __init__(self, target: str) -> None:
        host, _, port = target.partition(":")
        self._target = host, int(port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._silent = Event()
        self._ends: list[socket.socket] = []
        Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def fall_silent(self) -> None:
        """What is sent on a connection arrives at no end any more, and neither is told."""
        self._silent.set()
        self._silent = Event()

    def close(self) -> None:
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._ends += near, far
                for ends in ((near, far), (far, near)):
                    Thread(target=self._pass_on, args=(*ends, self._silent), daemon=True).start()

    @staticmethod
    def _pass_on(one: socket.socket, other: socket.socket, silent: Event) -> None:
        with suppress(OSError):
            while received := one.recv(65536):
                if not silent.is_set():
                    other.sendall(received)
            other.shutdown(socket.SHUT_WR)


@pytest.fixture
def relay(cloud: LocalCloud) -> Iterator[Relay]:
    with closing(Relay(cloud.grpc)) as relay:
        yield relay


def test_a_call_outlives_its_connection(relay: Relay, place: Location) -> None:
    with closing(GoogleClients(Endpoints.all_at(relay.address))) as clients:
        platform = CloudRun(clients, place, "web", SystemClock())
        assert platform.service() is None
        relay.fall_silent()
        assert platform.service() is None
