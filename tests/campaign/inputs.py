"""Malformed input for every reader: what is sent or kept is read, or refused with its one error."""

import json
import random
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from traceback import extract_tb
from typing import Any

import pytest

from cloudrun_emulator.apis.resourcemanager import UnknownPermission
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.faults.language import UnknownFault
from cloudrun_emulator.ingress.access_log import AccessLog
from greenrun.adapters.gcp.clients import application_default
from greenrun.adapters.http.web import HttpWeb
from greenrun.adapters.openapi.document import read_document
from greenrun.adapters.registry.address import Address
from greenrun.adapters.registry.login import MachineLogins
from greenrun.adapters.registry.registry import DockerRegistry
from greenrun.adapters.secrets.scan import DetectSecrets
from greenrun.checks import drill, logs, pages, release_state
from greenrun.checks.http.cells import read_request_body
from greenrun.checks.http.documents import NoJson, at, read_json, read_schema
from greenrun.checks.http.endpoints import ENDPOINTS
from greenrun.checks.http.flow import FLOW
from greenrun.checks.http.promises import read_body_promise, read_header_promise
from greenrun.checks.metrics import measures, objectives
from greenrun.checks.metrics.exposition import Exposition, Selector
from greenrun.checks.table import TableForm, Unmeant
from greenrun.config.loading import load_plan
from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.interfaces import Execution, HttpRequest, LogEntry
from greenrun.model.lease import LeaseHolder
from greenrun.model.plan import BuildPlan, Location, MigrationPlan, Plan
from greenrun.model.release_state import ReleaseState
from greenrun.model.revision import RevisionSettings
from greenrun.model.traffic import TrafficSplit
from greenrun.plugin.gherkin.feature_parser import FeatureRefused, readings
from greenrun.plugin.gherkin.feature_parser import read as read_feature
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.coordination.journal import Journal
from greenrun.release.coordination.lock import Lock
from greenrun.release.migrate import Migrations
from greenrun.release.rehearsal.attestation import Attestation
from greenrun.reporting.record.index import TABLE, with_row
from greenrun.reporting.record.record import Record
from tests.adapters.raw_server import serving
from tests.dependencies import fake_roles
from tests.emulator.test_malformed_input import READERS, entries_of
from tests.fakes import FakeClock, FakeLogs, FakePlatform
from tests.record.samples import RELEASE

SLOW = timedelta(seconds=2)
"""More processor time than one input may take."""

_ROOT = Path(__file__).parents[2]
_HOSTILE = tuple(
    text.encode("utf-8", "surrogatepass")
    for text in (
        *("\ud800", "\0", "\r", "\x1b[2J", "\u2028", "\ufeff", "🙂", "²", "٣"),
        *("{", "}", "[" * 3_000, '{"a":' * 3_000, "]", '"', "'", "\\", "\\ud800", "|", "#", "<<"),
        *("null", "true", "NaN", "Infinity", "-1", "1e999", "9" * 5_000, "0x1F", "1_000", "2026"),
        *("&a", "*a", "!!python/object:os.system", "<<: *a", "- ", ": ", "~", "%", "{{", "${x}"),
        *("(a+)+$", "(" * 500, "%s%n", "../" * 20, "x" * 40_000, "\n" * 500, "a: &a [*a, *a]"),
    )
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Something that reads what others wrote, what it should read, and how it says that it cannot.

    `read` gets bytes and a folder of its own.
    """

    name: str
    read: Callable[[bytes, Path], object]
    good: Sequence[bytes]
    refuses: tuple[type[BaseException], ...] = (ReleaseError, GateClosed)


@dataclass(frozen=True, slots=True)
class Broken:
    """An input that a reader tripped over."""

    reader: str
    content: bytes
    what: str

    def __str__(self) -> str:
        return f"{self.reader}: {self.what}; of {self.content[:200]!r}"


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of the inputs of one reader."""

    reader: str
    inputs: int
    refused: int
    slowest: timedelta
    broken: tuple[Broken, ...]

    def __str__(self) -> str:
        slowest = self.slowest.total_seconds()
        told = f"{self.inputs} inputs, {self.refused} refused, slowest {slowest * 1000:.0f} ms"
        return f"{self.reader:<28}{told}, {len(self.broken)} broken"


def try_all(inputs: int, seed: int = 0, processes: int = 2) -> Iterator[Tried]:
    """Give every reader its part of that many inputs; the same seed makes the same ones."""
    each = -(-inputs // len(READ))
    jobs = [(name, each, seed) for name in READ]
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(_tried, jobs)


def _tried(job: tuple[str, int, int]) -> Tried:
    name, inputs, seed = job
    return try_one(READ[name], inputs, seed)


def try_one(reader: Reader, inputs: int, seed: int) -> Tried:
    """Give one reader so many inputs."""
    name, chance = reader.name, random.Random(f"{reader.name} {seed}")
    broken, refused, slowest = [], 0, timedelta()
    with TemporaryDirectory() as folder:
        for _ in range(inputs):
            content, began = malformed(reader.good, chance), process_time()
            try:
                reader.read(content, Path(folder))
            except reader.refuses:
                refused += 1
            except Exception as error:  # noqa: BLE001 - what is looked for
                where = extract_tb(error.__traceback__)[-1]
                what = (
                    f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
                )
                broken.append(Broken(name, content, what[:300]))
            took = timedelta(seconds=process_time() - began)
            if took > SLOW:
                broken.append(Broken(name, content, f"took {took.total_seconds():.1f} s"))
            slowest = max(slowest, took)
    return Tried(name, inputs, refused, slowest, tuple(broken))


def malformed(good: Sequence[bytes], chance: random.Random) -> bytes:
    """Something that was good, changed in a place, or in several."""
    content = chance.choice(good)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        content = chance.choice(_CHANGES)(content, chance)
    return content


def _other_byte(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content) + 1)
    return content[:place] + chance.randbytes(1) + content[place + 1 :]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _without(content: bytes, chance: random.Random) -> bytes:
    begin, end = _span(content, chance)
    return content[:begin] + content[end:]


def _twice(content: bytes, chance: random.Random) -> bytes:
    begin, end = _span(content, chance)
    return content[:end] + content[begin:end] * chance.choice((1, 2, 50)) + content[end:]


def _hostile(content: bytes, chance: random.Random) -> bytes:
    begin, end = _span(content, chance)
    return content[:begin] + chance.choice(_HOSTILE) + content[chance.choice((begin, end)) :]


def _other_word(content: bytes, chance: random.Random) -> bytes:
    """One word in the place of another, of this or of what breaks readers."""
    words = content.split(b" ")
    place = chance.randrange(len(words))
    words[place] = chance.choice([*words, *_HOSTILE])
    return b" ".join(words)


def _span(content: bytes, chance: random.Random) -> tuple[int, int]:
    begin = chance.randrange(len(content) + 1)
    return begin, min(len(content), begin + chance.randint(0, 30))


_CHANGES = (_other_byte, _cut, _without, _twice, _hostile, _hostile, _other_word, _other_word)


def _text(content: bytes) -> str:
    """As a reader of text gets it, half characters included."""
    return content.decode("utf-8", "surrogateescape")


def _of_text(read: Callable[[str], object]) -> Callable[[bytes, Path], object]:
    return lambda content, _: read(_text(content))


def _of_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    def of_file(content: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(content)
        return read(path)

    return of_file


def _json(*values: object) -> tuple[bytes, ...]:
    return tuple(json.dumps(value).encode() for value in values)


def _table(form: TableForm[Any]) -> Callable[[bytes, Path], object]:
    def read(content: bytes, folder: Path) -> object:
        lines = _text(content).splitlines()
        rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines]
        form.faults(rows, folder)
        return form.read(rows)

    return read


def _settings(variables: bool) -> Callable[[bytes, Path], object]:  # noqa: FBT001 - one of two files
    def read(content: bytes, folder: Path) -> object:
        release, env = (_ROOT / "release.yaml").read_bytes(), (_ROOT / "env.yaml").read_bytes()
        (folder / "release.yaml").write_bytes(release if variables else content)
        (folder / "env.yaml").write_bytes(content if variables else env)
        return load_plan(folder, "local")

    return read


def _with_variable(name: str, read: Callable[[Path], object]) -> Callable[[Path], object]:
    def reading(path: Path) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(name, str(path.parent if name == "DOCKER_CONFIG" else path))
            return read(path)

    return reading


def _answered(content: bytes, ask: Callable[[str], object]) -> object:
    def serve(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(content)
        return False

    with serving(serve) as server:
        return ask(server.address)


def _web(content: bytes, _: Path) -> object:
    def ask(address: str) -> object:
        with closing(HttpWeb(str, within=timedelta(seconds=1))) as web:
            return web.send(HttpRequest(f"http://{address}/"))

    return _answered(content, ask)


def _registry(content: bytes, _: Path) -> object:
    def ask(address: str) -> object:
        with closing(DockerRegistry(FakeClock(), lambda _: None)) as registry:
            return registry.tags(f"{address}/web")

    return _answered(content, ask)


def _status(content: bytes, folder: Path) -> object:
    """The status of migrations, as an image prints it."""
    logs = FakeLogs(lambda: ())
    logs.entries["run"] = [LogEntry(_NOON, "DEFAULT", line) for line in _text(content).split("\n")]
    platform = FakePlatform("shop", executions=lambda _: Execution("run", succeeded=True))
    roles = fake_roles("shop", platform=platform, logs=logs)
    lock = Lock(
        "shop", LeaseHolder("a", "b", 1, "c"), roles.leases, roles.clock, timedelta(hours=1)
    )
    lock.acquire()
    try:
        journal = Journal(folder / "journal.jsonl", roles.clock)
        journal.path.unlink(missing_ok=True)
        guard = ChangeGuard(journal, lock, "a run", roles.progress)
        plan = Plan("shop", "local", Location("p", "r"), BuildPlan("r/shop"), RevisionSettings())
        commands = MigrationPlan(("status",), ("apply",))
        return Migrations(plan, commands, "r/shop@sha256:0", roles, guard).status()
    finally:
        lock.release()


def _feature(path: Path) -> object:
    return list(readings(read_feature(path, path.name)))


_NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
_STEPS = tuple(path.read_bytes() for path in sorted((_ROOT / "features").glob("*.feature")))
_METRICS = b"""# HELP a Help.
# TYPE a histogram
a_bucket{le="0.1",path="/x"} 1
a_bucket{le="+Inf",path="/x"} 2
a_sum{path="/x"} 0.5
a_count{path="/x"} 2
# TYPE b counter
b_total{status="200"} 3 1700000000000
"""
_OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/a/{id}": {
            "get": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {}}],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/x"}}}}
                },
            }
        }
    },
    "x": {"type": "object", "properties": {"a": {"type": "string", "pattern": "^a+$"}}},
}
_SPLIT = TrafficSplit.all_to("shop-1")
_STATE = ReleaseState("a run", "shop-1", _SPLIT, 3, "shop-2", "r/shop@sha256:0", (_SPLIT,))
_OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 17\r\n\r\n"
_CHALLENGE = b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: "
_DIGEST = "sha256:" + "0" * 64
_BASELINE = {"results": {"a.py": [{"hashed_secret": "0" * 40, "type": "T", "is_secret": False}]}}
_LOGIN = {"auths": {"registry.example:5000": {"auth": "bWU6eA=="}}, "credHelpers": {}}
_ACCOUNTS = (
    {"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c"},
    {"type": "service_account", "client_email": "a@b", "private_key": "c", "token_uri": "d"},
    {"type": "external_account", "audience": "a", "credential_source": {"file": "b"}},
)
_ATTESTED = {
    "image_tag": "a",
    "image_id": _DIGEST,
    "migrations": ["a"],
    "fingerprint": "f",
    "at": "2026-05-04T12:00:00+00:00",
}
_ENTRY = {
    "time": "2026-05-04T12:00:00+00:00",
    "action": "deploy",
    "subject": "shop",
    "state": "begun",
    "previous": "",
    "facts": {"a": "b"},
}
_ACCESS = {
    "start": "2026-05-04T12:00:00.000Z",
    "method": "GET",
    "path": "/",
    "status": 200,
    "revision": "web-1",
}
_SCHEMA = {"type": "object", "properties": {"a": {"type": "array", "items": {"pattern": "^a+$"}}}}
_SPOKEN = (
    b'severity >= ERROR AND labels.x = "y" OR NOT textPayload : "z"',
    b'metric.type = "run.googleapis.com/request_count"',
    b"projects/p/locations/l/services/web/revisions/r",
    b"Services.UpdateService: UNAVAILABLE, twice",
    b"Services.*: late by 1s",
    b"500m",
    b"512Mi",
)
_TABLES: Mapping[str, tuple[TableForm[Any], Sequence[bytes]]] = {
    "table of endpoints": (
        ENDPOINTS,
        (
            b"""| request | status | headers | body |
| GET /a | 200 or 204 | x ~ y; a = b | a.b = 1 |""",
        ),
    ),
    "table of a flow": (
        FLOW,
        (
            b"""| request | sends | answers | keeps | within |
| POST /a | a = {unique} | b = 1 | c as d | 2 s |""",
        ),
    ),
    "table of pages": (
        pages.PAGES,
        (b'| page | shows | title | as |\n| / | heading "A"; #b "c"; link "D" | E | nobody |',),
    ),
    "table of families": (
        objectives.FAMILIES,
        (b"| family | type | labels |\n| http_requests | counter | method, path |",),
    ),
    "table of rises": (
        objectives.RISES,
        (b'| counter | by at least |\n| a_total{b="c"} | 1 |',),
    ),
    "table of objectives": (
        objectives.OBJECTIVES,
        (b"| measure | at least | at most |\n| p95 of a_seconds | | 2 s |\n| b | 40 % | |",),
    ),
    "table of the canary": (
        drill.OBJECTIVES,
        (b"| measure | at most |\n| error rate | 5 % |\n| p95 latency | 300 ms |",),
    ),
    "table of preflight": (
        release_state.PREFLIGHT,
        (b"| check |\n| the quality gates pass |",),
    ),
    "table of lines": (logs.LINES, (b"| line |\n| started |",)),
    "table of patterns": (logs.PATTERNS, (b"| pattern |\n| ERROR .*(a|b)+ |",)),
}

_READERS = (
    Reader("release.yaml", _settings(variables=False), ((_ROOT / "release.yaml").read_bytes(),)),
    Reader("env.yaml", _settings(variables=True), ((_ROOT / "env.yaml").read_bytes(),)),
    Reader("feature", _of_file("a.feature", _feature), _STEPS, (FeatureRefused,)),
    *(Reader(name, _table(form), good) for name, (form, good) in _TABLES.items()),
    Reader(
        "request body", _of_text(read_request_body), (b'a = 1; b = "c"', b'{"a": [1]}'), (Unmeant,)
    ),
    Reader(
        "header promise", _of_text(read_header_promise), (b"a ~ b", b'a = "b; c"'), (ValueError,)
    ),
    Reader(
        "body promise", _of_text(read_body_promise), (b"a.b: at least 2 entries",), (ValueError,)
    ),
    Reader(
        "JSON body",
        _of_text(lambda text: at(read_json(text), "a.0.b")),
        _json({"a": [{"b": 1}]}),
        (NoJson,),
    ),
    Reader(
        "JSON schema",
        _of_file("a.json", lambda path: read_schema(path.parent, path.name).broken_by({"a": [1]})),
        _json(_SCHEMA),
    ),
    Reader("metrics", _of_text(Exposition.parse), (_METRICS,), (ValueError,)),
    Reader("selector", _of_text(Selector.parse), (b'a_total{b="c",d=~"e.*"}',)),
    Reader("measure", _of_text(measures.parse), (b"p95 of a_seconds", b"a / b", b'a{b="c"}')),
    Reader(
        "OpenAPI document",
        _of_text(lambda text: read_document(text, timedelta(seconds=1))),
        _json(_OPENAPI),
    ),
    Reader(
        "release state",
        _of_text(ReleaseState.from_json),
        (_STATE.as_json().encode(),),
        (ValueError,),
    ),
    Reader("record", _of_text(Record.from_json), (RELEASE.as_json().encode(),), (ValueError,)),
    Reader(
        "index of records",
        _of_text(lambda page: with_row(page, RELEASE, "a.md")),
        (f"# Releases\n\n{TABLE}| a | b |\n".encode(),),
    ),
    Reader("attestation", _of_file("a.json", Attestation.load), _json(_ATTESTED)),
    Reader(
        "journal",
        _of_file("a.jsonl", lambda path: Journal(path, FakeClock()).entries()),
        _json(_ENTRY),
    ),
    Reader(
        "status of migrations", _status, _json({"migrations": [{"name": "a", "state": "pending"}]})
    ),
    Reader(
        "baseline of secrets",
        _of_file("a.json", lambda path: DetectSecrets(path.parent).leaks([], path)),
        _json(_BASELINE),
    ),
    Reader(
        "config of docker",
        _of_file(
            "config.json",
            _with_variable(
                "DOCKER_CONFIG", lambda _: MachineLogins()(Address("registry.example:5000", "web"))
            ),
        ),
        _json(_LOGIN),
    ),
    Reader(
        "credentials of Google",
        _of_file(
            "a.json",
            _with_variable(
                "GOOGLE_APPLICATION_CREDENTIALS", lambda _: application_default("look who this is")
            ),
        ),
        _json(*_ACCOUNTS),
    ),
    Reader(
        "HTTP answer",
        _web,
        (
            _OK + b'{"tags": ["one"]}',
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n0\r\n\r\n",
        ),
    ),
    Reader(
        "answer of a registry",
        _registry,
        (
            _OK + b'{"tags": ["one"]}',
            _CHALLENGE
            + b'Bearer realm="http://127.0.0.1:1/t",service="s"\r\ncontent-length: 0\r\n\r\n',
        ),
    ),
    Reader(
        "log lines",
        _of_text(lambda text: entries_of(*text.split("\n"))),
        (*_json({"severity": "ERROR", "message": "a"}), b"a\nb"),
    ),
    Reader(
        "access log",
        _of_file("access.log", lambda path: list(AccessLog(path).requests())),
        _json(_ACCESS),
    ),
    *(
        Reader(
            f"cloud: {name}", _of_text(read), _SPOKEN, (CloudError, UnknownFault, UnknownPermission)
        )
        for name, read in READERS.items()
    ),
)
READ: Mapping[str, Reader] = {reader.name: reader for reader in _READERS}
"""Every reader by its name."""
