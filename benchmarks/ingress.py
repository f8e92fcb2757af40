"""Requests per second through the ingress of the local cloud against a plain Envoy.

Both are Envoys with two workers before the same two clusters at 50/50. The plain one has a static
config and no access log; ours reads its routes from files, marks requests by their listener, and
logs each request in JSON, which is what the monitoring and logging APIs are made of. A third Envoy
answers for both clusters. wrk makes the load over loopback, in alternation. Load, ingress and
answerer share this machine, so processor time per request tells more than throughput does.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure, middle, say
from benchmarks.project import ROOT
from cloudrun_emulator.core.interfaces import Route
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.ingress.process import EnvoyProcess

ROUNDS, SECONDS, CONNECTIONS = 5, 3, 32
AIM = "0.95 or more"
SERVICE = "projects/benchmark/locations/europe-west1/services/shop"
_WRK = re.compile(
    r"\n +50% +(?P<p50>\S+).*\n +99% +(?P<p99>\S+).*\nRequests/sec: +(?P<rate>\S+)", re.DOTALL
)
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
_TICKS = os.sysconf("SC_CLK_TCK")

Config = dict[str, object]
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw: requests per second, milliseconds; and microseconds of processor a request."""

    rate: float
    p50: float
    p99: float
    processor: float


def measure() -> list[Figure]:
    """Load ours and the plain one, in alternation."""
    with TemporaryDirectory(prefix="greenrun-ingress-") as folder, ExitStack() as stack:
        backends = stack.enter_context(_answerer(Path(folder)))
        plain = stack.enter_context(_plain(Path(folder), backends))
        ours = stack.enter_context(_ours(backends))
        rounds = [(_loaded(*ours), _loaded(*plain)) for _ in range(ROUNDS)]
    for one, other in rounds:
        say(f"  ours {_line(one)}; plain {_line(other)}")
    return [
        _figure("ingress, throughput", rounds, "rate", "requests/s", AIM),
        _figure("ingress, p50", rounds, "p50", "ms"),
        _figure("ingress, p99", rounds, "p99", "ms"),
        _figure("ingress, processor", rounds, "processor", "us/request"),
    ]


def _figure(
    name: str, rounds: list[tuple[Load, Load]], measure: str, unit: str, aim: str = ""
) -> Figure:
    """The ratio is the median over the pairs: what disturbs one disturbs its neighbour."""
    ours, plain = (
        [getattr(load, measure) for load in loads] for loads in zip(*rounds, strict=True)
    )
    ratio = statistics.median(one / other for one, other in zip(ours, plain, strict=True))
    digits = 0 if unit == "requests/s" else 2
    against = f"plain Envoy {middle(plain, unit, digits=digits)}"
    return Figure(name, middle(ours, unit, digits=digits), against, ratio, aim)


def _line(load: Load) -> str:
    return (
        f"{load.rate:.0f}/s, p50 {load.p50:.2f} ms, p99 {load.p99:.2f} ms, "
        f"{load.processor:.0f} us of a processor each"
    )


@contextmanager
def _ours(backends: list[Address]) -> Iterator[tuple[str, int]]:
    """The URL of one route at 50/50, and the process behind it."""
    baseline, candidate = backends
    ingress = EnvoyIngress()
    try:
        route = Route("public", {"baseline": 50, "candidate": 50})
        urls = ingress.apply(SERVICE, [route], {"baseline": baseline, "candidate": candidate})
        yield urls["public"], ingress.pid
    finally:
        ingress.close()


@contextmanager
def _plain(folder: Path, backends: list[Address]) -> Iterator[tuple[str, int]]:
    names = ["baseline", "candidate"]
    weights = [{"name": name, "weight": 50} for name in names]
    listener = _listener("public", {"route": {"weighted_clusters": {"clusters": weights}}})
    clusters = [_cluster(name, address) for name, address in zip(names, backends, strict=True)]
    with _envoy(folder / "plain", {"listeners": [listener], "clusters": clusters}) as started:
        ports, pid = started
        yield f"http://127.0.0.1:{ports['public']}", pid


@contextmanager
def _answerer(folder: Path) -> Iterator[list[Address]]:
    names = ["baseline", "candidate"]
    answer: Config = {"direct_response": {"status": 200, "body": {"inline_string": "ok\n"}}}
    with _envoy(folder / "answerer", {"listeners": [_listener(it, answer) for it in names]}) as one:
        ports, _ = one
        yield [("127.0.0.1", ports[name]) for name in names]


@contextmanager
def _envoy(folder: Path, static: Config) -> Iterator[tuple[dict[str, int], int]]:
    """An Envoy with this static config: the ports of its listeners, and its process id."""
    folder.mkdir()
    bootstrap = {"admin": {"address": _address("127.0.0.1", 0)}, "static_resources": static}
    (folder / "bootstrap.json").write_text(json.dumps(bootstrap))
    process = EnvoyProcess(folder)
    try:
        listeners = json.loads(process.query_admin("/listeners", format="json"))[
            "listener_statuses"
        ]
        ports = {
            one["name"]: one["local_address"]["socket_address"]["port_value"] for one in listeners
        }
        yield ports, process.pid
    finally:
        process.close()


def _listener(name: str, action: Config) -> Config:
    hosts = [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, **action}]}]
    manager = _typed(
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="plain",
        route_config={"virtual_hosts": hosts},
        http_filters=[{"name": "router", "typed_config": _typed("filters.http.router.v3.Router")}],
    )
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return {"name": name, "address": _address("127.0.0.1", 0), "filter_chains": [chain]}


def _cluster(name: str, address: Address) -> Config:
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _address(*address)}}]}]
    return {"name": name, "load_assignment": {"cluster_name": name, "endpoints": endpoints}}


def _typed(kind: str, **fields: object) -> Config:
    return {"@type": f"type.googleapis.com/envoy.extensions.{kind}", **fields}


def _address(host: str, port: int) -> Config:
    return {"socket_address": {"address": host, "port_value": port}}


def _loaded(url: str, pid: int) -> Load:
    """Raises SystemExit where a request was not answered by 200."""
    command = [_wrk(), "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", url]
    before = _used(pid)
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - no shell
    found = _WRK.search(done.stdout)
    if found is None or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise SystemExit(f"{' '.join(command)}: needs answers of 200, got\n{done.stdout}")
    rate = float(found["rate"])
    processor = 1e6 * (_used(pid) - before) / (rate * SECONDS)
    return Load(rate, milliseconds(found["p50"]), milliseconds(found["p99"]), processor)


def milliseconds(text: str) -> float:
    """As wrk writes times: 812.00us, 1.52ms, 1.01s."""
    number = text.rstrip("mus")
    return float(number) * _UNITS[text.removeprefix(number)]


def _used(pid: int) -> float:
    """Seconds of processor time; fields 14 and 15 of /proc/PID/stat (man 5 proc)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _wrk() -> str:
    """Debian's package, installed by the project's own set-up where it is missing."""
    if shutil.which("wrk") is None:
        subprocess.run([ROOT / "setup" / "packages", "wrk"], check=True)  # noqa: S603 - our own script
    return shutil.which("wrk") or "wrk"
