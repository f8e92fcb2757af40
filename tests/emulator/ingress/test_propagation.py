"""That the ingress hears from every worker of Envoy."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cloudrun_emulator.ingress import configuration
from cloudrun_emulator.ingress.authorization import Config
from cloudrun_emulator.ingress.envoy import Propagation
from cloudrun_emulator.ingress.process import WORKERS, EnvoyFailed, EnvoyProcess


def place(folder: Path, name: str, config: Config) -> None:
    (folder / "draft").write_text(json.dumps(config))
    (folder / "draft").replace(folder / f"{name}.json")


def place_routes(folder: Path, version: str) -> None:
    table = configuration.route_table(version, [])
    kind = "route.v3.RouteConfiguration"
    place(folder, "routes", configuration.resources(kind, version, [table]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place(tmp_path, "bootstrap", configuration.bootstrap(tmp_path))
    place(tmp_path, "clusters", configuration.resources("cluster.v3.Cluster", "0", []))
    place(tmp_path, "listeners", configuration.resources("listener.v3.Listener", "0", []))
    place_routes(tmp_path, "0")
    return tmp_path


@pytest.fixture
def envoy(folder: Path) -> Iterator[EnvoyProcess]:
    with closing(EnvoyProcess(folder)) as made:
        yield made


@pytest.fixture
def propagation(envoy: EnvoyProcess) -> Iterator[Propagation]:
    with closing(Propagation(envoy)) as made:
        yield made


def test_each_worker_holds_one_control_connection(
    envoy: EnvoyProcess, propagation: Propagation
) -> None:
    propagation.await_routes("0")
    told = envoy.query_admin("/stats", filter=r"^listener\..*\.worker_\d+\.downstream_cx_active$")
    assert [line.partition("worker_")[2] for line in told.splitlines()] == [
        f"{number}.downstream_cx_active: 1" for number in range(WORKERS)
    ]


def test_a_lost_control_connection_is_made_anew(folder: Path, propagation: Propagation) -> None:
    propagation.await_routes("0")
    propagation.close()
    place_routes(folder, "1")
    propagation.await_routes("1")


def test_routes_that_envoy_cannot_read_are_told_at_once(
    folder: Path, propagation: Propagation
) -> None:
    propagation.await_routes("0")
    place(folder, "routes", {"version_info": 1})
    with pytest.raises(EnvoyFailed, match="Envoy refused routes 1"):
        propagation.await_routes("1")


def test_listeners_that_envoy_refuses_are_told_at_once(
    folder: Path, propagation: Propagation
) -> None:
    faulty = [{"name": "no address"}]
    place(folder, "listeners", configuration.resources("listener.v3.Listener", "1", faulty))
    with pytest.raises(EnvoyFailed, match="Envoy refused listeners 1"):
        propagation.await_listeners("1")


def test_an_envoy_that_cannot_start_says_why(folder: Path) -> None:
    place(folder, "bootstrap", {"admin": {"address": {"nonsense": 1}}})
    with pytest.raises(EnvoyFailed, match="nonsense"):
        EnvoyProcess(folder)
