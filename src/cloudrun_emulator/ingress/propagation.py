"""Whether Envoy has taken what it was told: its main thread, and each of its workers."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from http.client import HTTPConnection, HTTPException

from cloudrun_emulator.ingress.configuration import CONTROL
from cloudrun_emulator.ingress.process import WORKERS, EnvoyFailed, EnvoyProcess

UPTAKE_TIMEOUT = timedelta(seconds=10)
"""Milliseconds are usual."""

_COUNTS = r"\.(version_text|update_rejected|update_failure)$"


class Propagation:
    """Clusters and listeners are asked of the main thread, routes of every worker.

    A worker takes changes in the order in which the main thread took them; so a worker that has
    a table of routes also has all that the main thread had taken before that table was written.
    """

    def __init__(self, envoy: EnvoyProcess) -> None:
        self._envoy = envoy
        self._refusals = 0
        port = self.ports()[CONTROL]
        self._workers = [HTTPConnection("127.0.0.1", port, timeout=5) for _ in range(WORKERS)]

    def await_clusters(self, version: str) -> None:
        """Raise EnvoyFailed when they are refused."""
        self._await(self._has("cluster_manager.cds", version), f"clusters {version}")

    def await_listeners(self, version: str) -> None:
        """Raise EnvoyFailed when they are refused."""
        self._await(self._has("listener_manager.lds", version), f"listeners {version}")

    def await_routes(self, version: str) -> None:
        """Raise EnvoyFailed when they are refused."""
        for worker in self._workers:
            self._await(_tells(worker, version), f"routes {version}")

    def ports(self) -> Mapping[str, int]:
        """The port of each listener by its name."""
        listeners = json.loads(self._envoy.ask("/listeners", format="json"))
        return {
            status["name"]: status["local_address"]["socket_address"]["port_value"]
            for status in listeners["listener_statuses"]
        }

    def close(self) -> None:
        for worker in self._workers:
            worker.close()

    def _await(self, taken: Callable[[], bool], what: str) -> None:
        self._envoy.await_that(
            lambda: taken() or self._refused(what), UPTAKE_TIMEOUT, f"Envoy to take {what}"
        )

    def _has(self, source: str, version: str) -> Callable[[], bool]:
        return lambda: self._stats()[f"{source}.version_text"] == f'"{version}"'

    def _refused(self, what: str) -> bool:
        """Never true: raise EnvoyFailed when Envoy counts one more refusal than before."""
        stats = self._stats().items()
        refusals = sum(int(value) for name, value in stats if not name.endswith("version_text"))
        if refusals > self._refusals:
            self._refusals = refusals
            raise EnvoyFailed(f"Envoy refused {what}: {self._envoy.said()}")
        return False

    def _stats(self) -> dict[str, str]:
        """Each value as Envoy writes it: texts in quotes."""
        lines = self._envoy.ask("/stats", filter=_COUNTS).splitlines()
        return dict(line.split(": ", 1) for line in lines)


def _tells(worker: HTTPConnection, version: str) -> Callable[[], bool]:
    return lambda: _told_by(worker) == version


def _told_by(worker: HTTPConnection) -> str:
    """The version of the table that a worker answers from; empty when the connection was lost."""
    try:
        worker.request("GET", "/")
        return worker.getresponse().read().decode()
    except (HTTPException, OSError):
        worker.close()
        return ""
