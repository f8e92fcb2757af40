"""Envoy's configuration: plain values in, plain JSON-like values out.

All listeners share one table of routes, so that a change of any number of routes is taken at once.
A listener marks its requests with the name of its route, and never changes while it exists.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cloudrun_emulator.core.interfaces import Route
from cloudrun_emulator.ingress import authorization
from cloudrun_emulator.ingress.access_log import FIELDS
from cloudrun_emulator.ingress.authorization import (
    Config,
    answered_by_front_end,
    direct_response,
    typed,
)

ROUTE_HEADER = "x-greenrun-route"
"""Set by the listener over whatever the client sent, removed before the request goes on."""


FRONT_END_PATH = "/healthz"
"""On run.app no container is ever asked for it: Google's front end answers 404. Source: users [R].
"""


CONTROL = "control"
"""The listener that tells which table of routes a worker has."""


CONNECT_TIMEOUT = timedelta(seconds=2)


IDLE_TIMEOUT = timedelta(seconds=1)
"""For connections to instances. Servers close theirs after 2 to 5 s (gunicorn, Node, uvicorn); a
request sent on one that the server is just closing would fail."""


UNLIMITED = 1_000_000
"""For circuit breakers: the ingress is to hold nothing back."""


Address = tuple[str, int]
"""An IP address and a port."""


@dataclass(frozen=True, slots=True)
class Published:
    """The routes of one service, where its revisions are, and which of them want HTTP/2."""

    routes: tuple[Route, ...]
    backends: Mapping[str, Address]
    http2: frozenset[str] = frozenset()


def union_of(old: Mapping[str, Published], new: Mapping[str, Published]) -> dict[str, Published]:
    """Combine what serves before and after a change; where backends differ, `new` is right."""
    nothing = Published((), {})
    return {
        service: Published(
            (*old.get(service, nothing).routes, *new.get(service, nothing).routes),
            {**old.get(service, nothing).backends, **new.get(service, nothing).backends},
            old.get(service, nothing).http2 | new.get(service, nothing).http2,
        )
        for service in {**old, **new}
    }


def route_id(service: str, route: str) -> str:
    return f"{service}/{route}"


def cluster_name(service: str, revision: str) -> str:
    return f"{service}/{revision}"


def bootstrap(folder: Path) -> Config:
    """The part that never changes. Ports are the system's choice; admin listens on loopback."""
    return {
        "node": {"id": "ingress", "cluster": "local-cloud"},
        "admin": {"address": _loopback()},
        "dynamic_resources": {
            "cds_config": file_source(folder / "clusters.json"),
            "lds_config": file_source(folder / "listeners.json"),
        },
        "static_resources": {"listeners": [_control_listener(folder)]},
    }


def resources(kind: str, version: str, items: Iterable[Config]) -> Config:
    """Return a discovery response for a file; `kind` such as `cluster.v3.Cluster`."""
    type_url = f"type.googleapis.com/envoy.config.{kind}"
    return {
        "version_info": version,
        "type_url": type_url,
        "resources": [{"@type": type_url, **item} for item in items],
    }


def clusters(services: Mapping[str, Published]) -> list[Config]:
    """Return one per revision with a route or a backend; without a backend it answers 503."""
    return [
        _cluster(
            cluster_name(service, revision),
            published.backends.get(revision),
            http2=revision in published.http2,
        )
        for service, published in services.items()
        for revision in _revisions(published)
    ]


def listeners(services: Mapping[str, Published], folder: Path, keys: str = "") -> list[Config]:
    """Return one per route. `keys` is the JSON Web Key Set of tokens; without it none is good."""
    return [
        _listener(service, route.name, folder, keys)
        for service, published in services.items()
        for route in published.routes
    ]


def routes(services: Mapping[str, Published], urls: Mapping[str, str]) -> list[Config]:
    """Every route by its listener's mark; `urls` are those of services, where they are known."""
    return [
        each
        for service, published in services.items()
        for route in published.routes
        for each in _routes(service, route, urls.get(service, ""))
    ]


def route_table(version: str, routes: Sequence[Config]) -> Config:
    """Return all routes, and the control route, which answers with `version`."""
    control = {"match": _marked(CONTROL), **direct_response(200, version)}
    kept = {"match": {"path": FRONT_END_PATH}, **answered_by_front_end()}
    return {
        "name": "routes",
        "request_headers_to_remove": [ROUTE_HEADER, "x-envoy-external-address"],
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [kept, *routes, control]}],
    }


def file_source(path: Path) -> Config:
    return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}


def _revisions(published: Published) -> list[str]:
    routed = {revision for route in published.routes for revision in route.weights}
    return sorted(routed | set(published.backends))


def _cluster(name: str, backend: Address | None, *, http2: bool) -> Config:
    endpoints = (
        [{"lb_endpoints": [{"endpoint": {"address": _address(backend)}}]}] if backend else []
    )
    most = {
        "max_connections": UNLIMITED,
        "max_pending_requests": UNLIMITED,
        "max_requests": UNLIMITED,
    }
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": _seconds(CONNECT_TIMEOUT),
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
        "circuit_breakers": {"thresholds": [most]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
                "upstreams.http.v3.HttpProtocolOptions",
                common_http_protocol_options={"idle_timeout": _seconds(IDLE_TIMEOUT)},
                explicit_http_config={f"http{'2' * http2}_protocol_options": {}},
            )
        },
    }


def _listener(service: str, route: str, folder: Path, keys: str) -> Config:
    name = route_id(service, route)
    log = typed(
        "access_loggers.file.v3.FileAccessLog",
        path=str(folder / "access.log"),
        log_format={"json_format": {"service": service, **FIELDS}},
    )
    connections = _connection_manager(
        name,
        folder,
        authorization.authentication_filters(keys) if keys else (),
        access_log=[{"name": "access_log", "typed_config": log}],
        upgrade_configs=[{"upgrade_type": "websocket"}],
    )
    return {"name": name, "address": _loopback(), "filter_chains": [_chain(connections)]}


def _control_listener(folder: Path) -> Config:
    """Spreads its connections evenly, so that as many as there are workers reach every worker."""
    connections = _connection_manager(
        CONTROL, folder, (), common_http_protocol_options={"idle_timeout": "0s"}
    )
    return {
        "name": CONTROL,
        "address": _loopback(),
        "enable_reuse_port": False,
        "connection_balance_config": {"exact_balance": {}},
        "filter_chains": [_chain(connections)],
    }


def _connection_manager(
    mark: str, folder: Path, filters: Sequence[Config], **more: object
) -> Config:
    """Time limits are the routes' alone; Host and Server headers pass as they are."""
    overwrite = {
        "append": {
            "header": {"key": ROUTE_HEADER, "value": mark},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
    }
    marking = typed(
        "http.early_header_mutation.header_mutation.v3.HeaderMutation", mutations=[overwrite]
    )
    router = typed("filters.http.router.v3.Router", suppress_envoy_headers=True)
    return typed(
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="ingress",
        use_remote_address=True,
        generate_request_id=False,
        server_header_transformation="PASS_THROUGH",
        stream_idle_timeout="0s",
        early_header_mutation_extensions=[{"name": "mark", "typed_config": marking}],
        rds={
            "route_config_name": "routes",
            "config_source": file_source(folder / "routes.json"),
        },
        http_filters=[*filters, {"name": "router", "typed_config": router}],
        **more,
    )


def _chain(connection_manager: Config) -> Config:
    return {"filters": [{"name": "http", "typed_config": connection_manager}]}


def _routes(service: str, route: Route, url: str) -> Iterator[Config]:
    match, action = _marked(route_id(service, route.name)), _action(service, route)
    if route.internal:
        yield {"match": match, **answered_by_front_end()}
    elif route.guard is None:
        yield {"match": match, **action}
    else:
        yield from authorization.private_routes(match, route.guard, url, action)


def _action(service: str, route: Route) -> Config:
    weighted = [
        {"name": cluster_name(service, revision), "weight": weight}
        for revision, weight in route.weights.items()
        if weight
    ]
    if not weighted:
        return direct_response(404, "Not Found: no revision serves here\n")
    return {
        "route": {
            "weighted_clusters": {"clusters": weighted},
            "timeout": _seconds(route.timeout),
        }
    }


def _marked(mark: str) -> Config:
    return {
        "prefix": "/",
        "headers": [{"name": ROUTE_HEADER, "string_match": {"exact": mark}}],
    }


def _loopback() -> Config:
    return _address(("127.0.0.1", 0))


def _address(address: Address) -> Config:
    host, port = address
    return {"socket_address": {"address": host, "port_value": port}}


def _seconds(time: timedelta) -> str:
    return f"{time.total_seconds():.3f}s"
