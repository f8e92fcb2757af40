"""1,000 JSON endpoint checks: greenrun's table, k6 with 8 users, and httpx one after the other.

All three send the same requests to one Envoy, a process of its own that answers by itself, and
check status, content type and four facts of the JSON. k6 is measured from outside, as a process,
and by what it says of its own run, without its start. Ours and plain httpx run in this process, as
a release does, from the table as text to the verdict. One round measures all three.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.figures import Figure, middle, of_medians, say
from cloudrun_emulator.ingress.process import EnvoyProcess
from greenrun.adapters.http.web import HttpWeb
from greenrun.adapters.machine import SystemClock
from greenrun.checks.http.endpoints import ENDPOINTS
from greenrun.checks.http.verification import verify
from greenrun.release.prober import Prober
from tests.dependencies import fake_roles

ROUNDS, CHECKS, USERS = 9, 1000, 8
AIM = "2.00 or less"
BODY = {
    "status": "ok",
    "messages": {"total": 3, "sessions": 2},
    "days": [{"date": f"2026-11-{day:02}", "usd": 0.5} for day in range(14, 22)],
}
PROMISES = "status = ok; messages.total is a number; messages.sessions >= 1; days: 8 entries"
SCRIPT = Path(__file__).with_suffix(".js")
_TYPES = "type.googleapis.com/envoy.extensions.filters"


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds; `k6_alone` is without its start."""

    ours: float
    plain: float
    k6: float
    k6_alone: float


def measure() -> Iterator[Figure]:
    """Rounds of all three; the first one, in which everything is loaded, is left out."""
    with TemporaryDirectory(prefix="greenrun-endpoints-") as folder, _server(Path(folder)) as url:
        rounds = [_round(url) for _ in range(1 + ROUNDS)][1:]
    ours = [one.ours for one in rounds]
    for name, aim, others in (
        ("k6", AIM, [one.k6 for one in rounds]),
        ("k6 without its start", "", [one.k6_alone for one in rounds]),
        ("plain httpx", "", [one.plain for one in rounds]),
    ):
        against = f"{name} {middle(others, 's', digits=3)}"
        ratio = of_medians(ours, others)
        yield Figure("endpoints", middle(ours, "s", digits=3), against, ratio, aim)


def _round(url: str) -> Round:
    found = Round(_seconds(_ours, url), _seconds(_plain, url), *_k6(url))
    say(
        f"  ours {found.ours:.3f} s, k6 {found.k6:.3f} s "
        f"({found.k6_alone:.3f} s without its start), plain httpx {found.plain:.3f} s"
    )
    return found


def _seconds(run: Callable[[str], None], url: str) -> float:
    begun = time.perf_counter()
    run(url)
    return time.perf_counter() - begun


def _ours(url: str) -> None:
    """With connections of its own, as the others have; GateClosed where a check does not hold."""
    head, facts = ("request", "headers", "body"), ("content-type ~ application/json", PROMISES)
    table = [head, *((f"GET /items/{number}", *facts) for number in range(CHECKS))]
    with closing(HttpWeb(str)) as web:
        dependencies = fake_roles("shop", web=web, clock=SystemClock())
        verify(Prober(dependencies, {"a user": {}}), url, ENDPOINTS.read(table))


def _plain(url: str) -> None:
    with httpx.Client() as client:
        for number in range(CHECKS):
            answer = client.get(f"{url}/items/{number}")
            found = answer.json()
            held = (
                answer.status_code == 200
                and "application/json" in answer.headers["content-type"]
                and found["status"] == "ok"
                and isinstance(found["messages"]["total"], int | float)
                and found["messages"]["sessions"] >= 1
                and len(found["days"]) == 8
            )
            if not held:
                raise SystemExit(f"plain httpx got {answer}: {answer.text}")


def _k6(url: str) -> tuple[float, float]:
    """Seconds from outside and from inside; raises SystemExit where a check does not hold."""
    sizes = {"URL": url, "CHECKS": str(CHECKS), "USERS": str(USERS)}
    command = [str(Path(sys.prefix, "bin", "k6")), "run", "--quiet", "--no-usage-report"]
    begun = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - no shell
        [*command, SCRIPT], env={**os.environ, **sizes}, capture_output=True, text=True, check=False
    )
    outside = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(f"k6 ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    inside: dict[str, float] = json.loads(done.stdout)
    if inside["passed"] != 3 * CHECKS:
        raise SystemExit(f"k6 passed {inside['passed']} checks, needs {3 * CHECKS}")
    return outside, inside["milliseconds"] / 1000


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """The URL of an Envoy that answers everything with the same JSON."""
    (folder / "bootstrap.json").write_text(json.dumps(_bootstrap()))
    with closing(EnvoyProcess(folder)) as process:
        (listener,) = json.loads(process.query_admin("/listeners", format="json"))[
            "listener_statuses"
        ]
        yield f"http://127.0.0.1:{listener['local_address']['socket_address']['port_value']}"


def _bootstrap() -> dict[str, object]:
    answer = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": json.dumps(BODY)}},
        "response_headers_to_add": {
            "header": {"key": "content-type", "value": "application/json"},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        },
    }
    hosts = [{"name": "all", "domains": ["*"], "routes": [answer]}]
    router = {"name": "router", "typed_config": {"@type": f"{_TYPES}.http.router.v3.Router"}}
    manager = {
        "@type": f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "answerer",
        "route_config": {"virtual_hosts": hosts},
        "http_filters": [router],
    }
    anywhere = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    listener = {"name": "answerer", "address": anywhere, "filter_chains": [chain]}
    return {"admin": {"address": anywhere}, "static_resources": {"listeners": [listener]}}
