"""The ingress: what Envoy is told, and that its main thread and each worker have taken it."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from itertools import count
from threading import Lock

from cloudrun_emulator.core.interfaces import Route, ServedRequest
from cloudrun_emulator.ingress import configuration
from cloudrun_emulator.ingress.access_log import AccessLog
from cloudrun_emulator.ingress.authorization import Config
from cloudrun_emulator.ingress.configuration import CONTROL, Published, union_of
from cloudrun_emulator.ingress.process import WORKERS, EnvoyFailed, EnvoyProcess
from cloudrun_emulator.runtime import cleanup


class EnvoyIngress:
    """One Envoy; one loopback port per route, chosen by the system."""

    def __init__(self) -> None:
        """Start Envoy; raise EnvoyFailed when it would not start."""
        self._folder = cleanup.scratch_folder("ingress")
        self._services: Mapping[str, Published] = {}
        self._clusters: list[Config] = []
        self._listeners: list[Config] = []
        self._routes: list[Config] = []
        self._keys = ""
        self._ports: Mapping[str, int] = {}
        self._versions = map(str, count())
        self._lock = Lock()
        self._log = AccessLog(self._folder / "access.log")
        self._write("bootstrap", configuration.bootstrap(self._folder))
        self._write_clusters([])
        self._write_listeners([])
        version = self._write_routes({})
        self._envoy = EnvoyProcess(self._folder)
        self._propagation = Propagation(self._envoy)
        self._propagation.await_routes(version)

    def __repr__(self) -> str:
        return f"EnvoyIngress({self._envoy!r}, services={sorted(self._services)})"

    @property
    def pid(self) -> int:
        return self._envoy.pid

    def trust(self, keys: str) -> None:
        """As interfaces.Ingress."""
        self._keys = keys

    def apply(
        self,
        service: str,
        routes: Iterable[Route],
        backends: Mapping[str, tuple[str, int]],
        http2: Iterable[str] = (),
    ) -> Mapping[str, str]:
        """As interfaces.Ingress; raise EnvoyFailed when Envoy does not take the change."""
        published = Published(tuple(routes), dict(backends), frozenset(http2))
        with self._lock:
            self._change({**self._services, service: published})
            return {route.name: self._url(service, route) for route in published.routes}

    def remove(self, service: str) -> None:
        with self._lock:
            self._change({name: it for name, it in self._services.items() if name != service})

    def requests(self) -> Sequence[ServedRequest]:
        """Every request finished so far, in the order of finishing; about 10 ms behind."""
        return self._log.requests()

    def close(self) -> None:
        with self._lock:
            self._propagation.close()
            self._envoy.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _url(self, service: str, route: Route) -> str:
        return f"http://127.0.0.1:{self._ports[configuration.route_id(service, route.name)]}"

    def _change(self, services: Mapping[str, Published]) -> None:
        """Add clusters before the routes to them, and remove them after.

        A new service has a URL, which its callers' tokens are for, once it has a listener.
        """
        self._update_clusters(configuration.clusters(union_of(self._services, services)))
        self._propagation.await_routes(self._write_routes(services))
        self._update_listeners(configuration.listeners(services, self._folder, self._keys))
        changed = self._update_clusters(configuration.clusters(services))
        if changed or self._routes != configuration.routes(services, self._urls(services)):
            self._propagation.await_routes(self._write_routes(services))
        self._services = services

    def _urls(self, services: Mapping[str, Published]) -> dict[str, str]:
        """Return the URLs of services by name, as far as these have listeners."""
        own = {
            name: published.routes[0] for name, published in services.items() if published.routes
        }
        return {
            name: self._url(name, route)
            for name, route in own.items()
            if configuration.route_id(name, route.name) in self._ports
        }

    def _update_clusters(self, clusters: list[Config]) -> bool:
        if changed := clusters != self._clusters:
            self._propagation.await_clusters(self._write_clusters(clusters))
            self._clusters = clusters
        return changed

    def _update_listeners(self, listeners: list[Config]) -> None:
        if listeners != self._listeners:
            self._propagation.await_listeners(self._write_listeners(listeners))
            self._listeners = listeners
            self._ports = self._propagation.ports()

    def _write_clusters(self, clusters: list[Config]) -> str:
        return self._write_resources("clusters", "cluster.v3.Cluster", clusters)

    def _write_listeners(self, listeners: list[Config]) -> str:
        return self._write_resources("listeners", "listener.v3.Listener", listeners)

    def _write_routes(self, services: Mapping[str, Published]) -> str:
        version = next(self._versions)
        self._routes = configuration.routes(services, self._urls(services))
        table = configuration.route_table(version, self._routes)
        kind = "route.v3.RouteConfiguration"
        self._write("routes", configuration.resources(kind, version, [table]))
        return version

    def _write_resources(self, name: str, kind: str, items: list[Config]) -> str:
        version = next(self._versions)
        self._write(name, configuration.resources(kind, version, items))
        return version

    def _write(self, name: str, config: Config) -> None:
        """Envoy watches for files that are moved into place."""
        draft = self._folder / f"{name}.draft"
        draft.write_text(json.dumps(config))
        draft.replace(self._folder / f"{name}.json")


PROPAGATION_TIMEOUT = timedelta(seconds=10)
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
            self._await(_has_routes(worker, version), f"routes {version}")

    def ports(self) -> Mapping[str, int]:
        """The port of each listener by its name."""
        listeners = json.loads(self._envoy.query_admin("/listeners", format="json"))
        return {
            status["name"]: status["local_address"]["socket_address"]["port_value"]
            for status in listeners["listener_statuses"]
        }

    def close(self) -> None:
        for worker in self._workers:
            worker.close()

    def _await(self, taken: Callable[[], bool], what: str) -> None:
        self._envoy.await_condition(
            lambda: taken() or self._refused(what), PROPAGATION_TIMEOUT, f"Envoy to take {what}"
        )

    def _has(self, source: str, version: str) -> Callable[[], bool]:
        return lambda: self._stats()[f"{source}.version_text"] == f'"{version}"'

    def _refused(self, what: str) -> bool:
        """Raise EnvoyFailed when Envoy counts one more refusal than before; never return True."""
        stats = self._stats().items()
        refusals = sum(int(value) for name, value in stats if not name.endswith("version_text"))
        if refusals > self._refusals:
            self._refusals = refusals
            raise EnvoyFailed(f"Envoy refused {what}: {self._envoy.log_end()}")
        return False

    def _stats(self) -> dict[str, str]:
        """Each value as Envoy writes it: texts in quotes."""
        lines = self._envoy.query_admin("/stats", filter=_COUNTS).splitlines()
        return dict(line.split(": ", 1) for line in lines)


def _has_routes(worker: HTTPConnection, version: str) -> Callable[[], bool]:
    return lambda: _version_of(worker) == version


def _version_of(worker: HTTPConnection) -> str:
    """The version of the table that a worker answers from; empty when the connection was lost."""
    try:
        worker.request("GET", "/")
        return worker.getresponse().read().decode()
    except (HTTPException, OSError):
        worker.close()
        return ""
