"""What Envoy is told, by values."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from cloudrun_emulator.core.interfaces import Guard, Route
from cloudrun_emulator.ingress import configuration
from cloudrun_emulator.ingress.configuration import Published, union_of

A, B = ("192.0.2.1", 8080), ("192.0.2.2", 8080)
FOLDER = Path("/scratch")
NOBODY = Guard(frozenset())


def actions(route: Route, url: str = "http://app") -> list[dict[str, object]]:
    """What the table of routes does with requests to `route`, in its order."""
    routes = configuration.routes({"app": Published((route,), {})}, {"app": url} if url else {})
    return [{key: value for key, value in each.items() if key != "match"} for each in routes]


def statuses(route: Route, url: str = "http://app") -> list[object]:
    """The answers that the ingress gives by itself; None where a revision answers."""
    return [
        told["status"] if isinstance(told := each.get("direct_response"), dict) else None
        for each in actions(route, url)
    ]


def endpoints(published: Published) -> dict[str, list[object]]:
    return {
        cluster["name"]: [
            endpoint["endpoint"]["address"]["socket_address"]
            for group in cluster["load_assignment"]["endpoints"]
            for endpoint in group["lb_endpoints"]
        ]
        for cluster in configuration.clusters({"app": published})
    }


def test_weights_become_weighted_clusters_without_those_of_zero() -> None:
    route = Route("", {"a": 90, "b": 10, "c": 0}, timeout=timedelta(milliseconds=1500))
    assert actions(route) == [
        {
            "route": {
                "weighted_clusters": {
                    "clusters": [{"name": "app/a", "weight": 90}, {"name": "app/b", "weight": 10}]
                },
                "timeout": "1.500s",
            }
        }
    ]


@pytest.mark.parametrize("weights", [{}, {"a": 0}])
def test_what_cannot_be_served_is_answered_by_the_ingress(weights: dict[str, int]) -> None:
    assert statuses(Route("", weights)) == [404]


def test_a_private_address_serves_callers_and_refuses_whoever_else_asks() -> None:
    private = Route("", {"a": 100}, NOBODY)
    assert statuses(private) == [None, 403, 401, 401, 403]


def test_nobody_may_call_before_it_is_known_what_tokens_are_for() -> None:
    assert statuses(Route("", {"a": 100}, NOBODY), url="") == [401, 401, 403]


def test_the_table_tells_its_version_to_the_control_listener() -> None:
    *_, control = configuration.route_table("7", [])["virtual_hosts"][0]["routes"]
    assert control["direct_response"] == {"status": 200, "body": {"inline_string": "7"}}


def test_a_cluster_for_each_revision_empty_without_a_backend() -> None:
    published = Published((Route("", {"a": 100, "b": 0}),), {"a": A, "old": B})
    assert endpoints(published) == {
        "app/a": [{"address": "192.0.2.1", "port_value": 8080}],
        "app/b": [],
        "app/old": [{"address": "192.0.2.2", "port_value": 8080}],
    }


def test_a_change_serves_both_sides_and_the_newer_address() -> None:
    old = Published((Route("", {"a": 100}),), {"a": A, "b": A})
    new = Published((Route("", {"b": 100}),), {"b": B})
    both = union_of({"app": old, "gone": old}, {"app": new})
    assert both["app"].backends == {"a": A, "b": B}
    assert both["gone"] == old


def test_a_listener_does_not_depend_on_weights_visibility_or_timeout() -> None:
    before, after = (
        configuration.listeners({"app": Published((route,), {})}, FOLDER)
        for route in (Route("", {"a": 100}), Route("", {}, NOBODY, timedelta(1)))
    )
    assert before == after


def test_every_listener_asks_the_system_for_its_port() -> None:
    routes = (Route("", {}), Route("candidate", {}))
    listeners = configuration.listeners({"app": Published(routes, {})}, FOLDER)
    assert [(it["name"], it["address"]) for it in listeners] == [
        (name, {"socket_address": {"address": "127.0.0.1", "port_value": 0}})
        for name in ("app/", "app/candidate")
    ]


def test_resources_name_their_version_and_type() -> None:
    told = configuration.resources("cluster.v3.Cluster", "3", [{"name": "app/a"}])
    kind = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
    assert told == {
        "version_info": "3",
        "type_url": kind,
        "resources": [{"@type": kind, "name": "app/a"}],
    }


def test_the_bootstrap_is_plain_json() -> None:
    told = configuration.bootstrap(FOLDER)
    assert json.loads(json.dumps(told)) == told
