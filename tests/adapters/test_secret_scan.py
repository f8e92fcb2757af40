"""Secrets are found by where they stand and what kind they are, and never told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from greenrun.adapters.docker.builder import DockerBuilder
from greenrun.adapters.secrets.scan import DetectSecrets
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import Leak
from greenrun.model.plan import BuildPlan

PROJECT = Path(__file__).parents[2]

# In two parts each, so that nobody who scans this file takes them for real ones.
PLANTED = {
    "AWS Access Key": "AKIA" + "QYLPMN5HFIQR7XYA",
    "Google Key": "AIza" + "SyD4x8Qm2ZrT6vW1yB3nK5pL7sJ9hF0gC2e",
    "GitHub Token": "ghp_" + "w7Jx2KqP9sVbN4mT8rYz1LcD5fGh3Qa6Ue0i",
    "Slack Token": "xoxb-" + "123456789012-123456789012-a1B2c3D4e5F6g7H8i9J0k1L2",
    "Service Key": "sk-proj-" + "q8W2e4R6t8Y0u2I4o6P8a0S2",
    "Private Key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "Basic Auth Credentials": "postgres://shop:" + "r7Qx2w9Lp@db.example.org/shop",
    "JSON Web Token": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiJzaG9wIn0.c2lnbmF0dXJl",
}
ASSIGNED = {
    "Secret Keyword": 'password = "' + 'r7Qx2w9Lp"',
    "Assigned Token": 'SHOP_TOKEN: "' + 'f3a9c1d7e5b80264"',
}
WRITTEN = {kind: f'VALUE: "{value}"' for kind, value in PLANTED.items()} | ASSIGNED
PASSWORD = 'password = "' + 'r7Qx2w9Lp"\n'


@pytest.fixture
def scanner(tmp_path: Path) -> DetectSecrets:
    return DetectSecrets(tmp_path)


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("name", ["env.yaml", "shop.py", "notes.txt"])
def test_each_kind_is_found_by_file_line_and_kind(
    scanner: DetectSecrets, tmp_path: Path, name: str, kind: str
) -> None:
    path = tmp_path / "conf" / name
    path.parent.mkdir()
    path.write_text(f"first: line\n{WRITTEN[kind]}\n")
    assert Leak(f"conf/{name}", 2, kind) in scanner.leaks([path], None)


@pytest.mark.parametrize("kind", WRITTEN)
def test_each_kind_is_found_in_a_text(scanner: DetectSecrets, kind: str) -> None:
    assert Leak("variable X", 1, kind) in scanner.in_text("variable X", WRITTEN[kind])


def test_a_secret_without_quotes_is_found_in_an_instruction(scanner: DetectSecrets) -> None:
    text = "RUN DB_PASSWORD=" + "r7Qx2w9Lp make migrate"
    assert scanner.in_text("instruction RUN", text) == [
        Leak("instruction RUN", 1, "Secret Keyword")
    ]


@pytest.mark.parametrize(
    "line",
    [
        "API_TOKEN: API_TOKEN:1",
        "ANALYSIS_API_KEY: ANALYSIS_API_KEY:latest",
        'a user: {Authorization: "Bearer {API_TOKEN}"}',
        "RUN --mount=type=secret,id=pip pip install -r requirements.txt",
        "ENV GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568",
        "MAX_TOKENS: 4096",
        "FROM python@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "url: http://127.0.0.1:8080/api",
        'class="sk-estimator-doc-link"',
        'DATABASE_URL: "sqlite:////data/emergence.db"',
    ],
)
@pytest.mark.parametrize("name", ["env.yaml", "shop.py", "Dockerfile"])
def test_no_false_alarm(scanner: DetectSecrets, tmp_path: Path, name: str, line: str) -> None:
    (tmp_path / name).write_text(f"{line}\n")
    assert scanner.leaks([tmp_path / name], None) == []
    assert scanner.in_text("text", line) == []


def test_code_that_reads_a_secret_holds_none(scanner: DetectSecrets, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text('password = os.environ["PASSWORD"]\n')
    assert scanner.leaks([tmp_path / "shop.py"], None) == []


def test_nothing_tells_the_value(scanner: DetectSecrets, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text("\n".join(WRITTEN.values()))
    told = repr(scanner.leaks([tmp_path / "all.yaml"], None))
    assert not [value for value in PLANTED.values() if value in told]


def test_a_file_is_scanned_once_however_often_it_is_named(
    scanner: DetectSecrets, tmp_path: Path
) -> None:
    path = tmp_path / "conf.py"
    path.write_text(PASSWORD)
    assert len(scanner.leaks([path, path], None)) == 1


def test_files_that_are_no_text_are_passed_over(scanner: DetectSecrets, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"\xff\xfe" + PASSWORD.encode())
    assert scanner.leaks([tmp_path / "model"], None) == []


def test_a_file_that_is_not_there_is_a_failed_call(scanner: DetectSecrets, tmp_path: Path) -> None:
    with pytest.raises(CallFailed, match=r"could not look for secrets in .*env\.yaml"):
        scanner.leaks([tmp_path / "env.yaml"], None)


def accepted_by_the_command(folder: Path) -> Path:
    """A baseline file as the package's own command writes it."""
    command = str(Path(sys.executable).with_name("detect-secrets"))
    done = subprocess.run(
        [command, "scan", "--all-files", "conf.py"], cwd=folder, capture_output=True, check=True
    )
    (folder / "known").write_bytes(done.stdout)
    return folder / "known"


def test_what_people_have_accepted_is_no_finding(scanner: DetectSecrets, tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text(PASSWORD)
    known = accepted_by_the_command(tmp_path)
    (tmp_path / "conf.py").write_text(f"\n{PASSWORD}" + 'api_key = "' + 'Zq83mXw1T"\n')
    found = scanner.leaks([tmp_path / "conf.py"], known)
    assert found == [Leak("conf.py", 3, "Secret Keyword")]


def test_what_an_audit_called_a_true_secret_stays_a_finding(
    scanner: DetectSecrets, tmp_path: Path
) -> None:
    (tmp_path / "conf.py").write_text(PASSWORD)
    known = accepted_by_the_command(tmp_path)
    audited = json.loads(known.read_text())
    audited["results"]["conf.py"][0]["is_secret"] = True
    known.write_text(json.dumps(audited))
    assert scanner.leaks([tmp_path / "conf.py"], known) == [Leak("conf.py", 1, "Secret Keyword")]


@pytest.mark.parametrize(
    "content",
    [
        b"not JSON",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b"{}",
        b'{"results": []}',
        b'{"results": {"a": {}}}',
        b'{"results": {"a": [{}]}}',
        b'{"results": {"a": [{"hashed_secret": 1, "type": "x"}]}}',
        b'{"results": {"a": [{"hashed_secret": "1", "type": "x", "is_secret": 3}]}}',
        b'{"results": {"\\ud800": [{"hashed_secret": "1", "type": "x"}]}}',
        b'{"results": ' + b"9" * 5_000 + b"}",
    ],
    ids=lambda content: content[:40],
)
def test_no_baseline_file_is_a_failed_call(
    scanner: DetectSecrets, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "known").write_bytes(content)
    with pytest.raises(CallFailed, match="needs a baseline file of detect-secrets"):
        scanner.leaks([], tmp_path / "known")


def test_what_a_release_of_this_project_looks_through_holds_no_secret() -> None:
    files = [PROJECT / name for name in ("env.yaml", "release.yaml", "Dockerfile")]
    sent = DockerBuilder(PROJECT).sent(BuildPlan("registry.test/app"))
    assert DetectSecrets(PROJECT).leaks([*files, *sent], None) == []


def test_no_key_stands_in_this_project() -> None:
    """Constants of the engine may be named after secrets; keys of whatever kind stand nowhere."""
    folders = ("app", "docs", "features", "fixtures", "setup", "src", "steps")
    paths = [path for name in folders for path in (PROJECT / name).rglob("*") if path.is_file()]
    found = DetectSecrets(PROJECT).leaks(paths, None)
    assert paths
    assert [leak for leak in found if leak.kind != "Secret Keyword"] == []
