"""What people keep their deployment in: read as far as it can be, and the rest is told."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenrun.model.errors import ReleaseError
from greenrun_cli.init.facts import Call, Facts
from greenrun_cli.init.reading import procedure

PROCEDURES = Path(__file__).parent / "procedures"


def read(path: Path) -> Facts:
    facts = Facts()
    procedure.read(path, facts)
    return facts


def said(facts: Facts) -> dict[str, object]:
    return {key: each.value for key, each in facts.said.items()}


def told(facts: Facts, path: Path) -> list[str]:
    return [str(each).removeprefix(f"{path}:").strip() for each in facts.unread]


def written(folder: Path, script: str) -> Facts:
    (folder / "deploy.sh").write_text(script)
    return read(folder / "deploy.sh")


def test_a_script_is_read_with_its_variables_and_continuations() -> None:
    facts = read(PROCEDURES / "deploy.sh")

    assert said(facts) == {
        "build.dockerfile": "docker/Dockerfile",
        "build.repository": "europe-west1-docker.pkg.dev/shop-123/web/shop",
        "build.context": "service",
        "build.args": {"MODE": "fast"},
        "service": "shop",
        "project": "shop-123",
        "region": "europe-west1",
        "deploy.memory": "1Gi",
        "deploy.cpu": 2,
        "deploy.concurrency": 40,
        "deploy.allow-unauthenticated": False,
        "deploy.tag": "next",
    }
    assert {name: each.value for name, each in facts.variables.items()} == {
        "LOG_LEVEL": "info",
        "HOSTS": "a,b",
    }
    assert {name: each.value for name, each in facts.secrets.items()} == {
        "STRIPE_API_KEY": "STRIPE_API_KEY:latest",
        "TOKEN": "token:3",
        "/etc/key": "key:1",
    }
    assert facts.shares == {20}


def test_what_a_script_does_not_tell_is_told_by_its_line() -> None:
    path = PROCEDURES / "deploy.sh"

    assert told(read(path), path) == [
        ("8: --build-arg TOKEN: its value is not known from this file, or looks like a secret"),
        "11: --max-instances $MOST: $MOST is not known from this file",
        (
            "11: STRIPE_API_KEY: looks like a secret, and was not taken over: put it into Secret "
            "Manager under this name"
        ),
        ("11: --gpu-vendor amd: no key of release.yaml: a release leaves it as the service has it"),
        "22: gcloud run jobs execute clean-up: a job: see `migration` in docs/release-yaml.md",
        (
            "26: curl -s $URL/items -H Authorization: Bearer $TOKEN: the header Authorization says "
            "who asks: give it a name in probes.identities"
        ),
        "27: curl -sf $URL/items/$ID: $ID is not known from this file",
    ]


def test_no_value_of_a_secret_is_kept() -> None:
    assert "sk-live" not in repr(read(PROCEDURES / "deploy.sh"))


def test_a_status_that_a_script_compares_with_is_expected() -> None:
    path = PROCEDURES / "deploy.sh"

    assert read(path).calls == [Call("GET", "/health", f"{path}:24", status=200)]


def test_a_page_is_read_block_by_block_with_what_it_expects() -> None:
    path = PROCEDURES / "page.md"
    facts = read(path)

    assert said(facts) == {
        "service": "shop",
        "deploy.memory": "2Gi",
        "deploy.timeout": 120,
    }
    assert facts.calls == [
        Call(
            "GET",
            "/health",
            f"{path}:17",
            promises=("status = ok", "has since", "has parts"),
        ),
        Call("GET", "/ready", f"{path}:19", promises=("has state", "state = ready")),
        Call("POST", "/orders", f"{path}:20", status=201, sends='{"item": "a"}'),
        Call(
            "GET",
            "/metrics",
            f"{path}:22",
            promises=("other = no expectation of metrics",),
            families=("http_requests",),
        ),
    ]


def test_a_workflow_is_read_by_its_actions_and_its_scripts() -> None:
    path = PROCEDURES / "workflow.yml"
    facts = read(path)

    assert said(facts) == {
        "build.repository": "europe-west1-docker.pkg.dev/shop-123/web/shop",
        "build.context": "service",
        "service": "shop",
        "region": "europe-west1",
        "project": "shop-123",
        "deploy.memory": "1Gi",
        "deploy.cpu": 2,
        "deploy.concurrency": 20,
    }
    assert sorted(facts.variables) == ["LOG_LEVEL", "MODE"]
    assert sorted(facts.secrets) == ["TOKEN"]
    assert facts.calls == [Call("GET", "/health", f"{path}:31")]
    assert told(facts, path) == [
        "17: --labels a=github.ref: github.ref is not known from this file"
    ]


def test_a_cloud_build_is_read_step_by_step() -> None:
    path = PROCEDURES / "cloudbuild.yaml"
    facts = read(path)

    assert said(facts) == {
        "build.repository": "europe-west1-docker.pkg.dev/shop-123/web/shop",
        "service": "shop",
        "region": "europe-west1",
        "deploy.min-instances": 1,
    }
    assert facts.shares == {5}
    assert told(facts, path) == [
        "7: --project $PROJECT_ID: $PROJECT_ID is not known from this file"
    ]


@pytest.mark.parametrize(
    ("flags", "key", "value"),
    [
        ("--port=80", "deploy.port", 80),
        ("--port 80", "deploy.port", 80),
        ("--timeout=10m", "deploy.timeout", "10m"),
        ("--cpu=500m", "deploy.cpu", "500m"),
        ("--no-session-affinity", "deploy.session-affinity", False),
        ("--session-affinity", "deploy.session-affinity", True),
        ("--cpu-boost=true", "deploy.cpu-boost", True),
        (
            "--startup-probe=httpGet.path=/up,periodSeconds=5,failureThreshold=3",
            "deploy.startup-probe",
            {"path": "/up", "period": "5s", "failure-threshold": 3},
        ),
        (
            "--liveness-probe=httpGet.path=/up,timeoutSeconds=2",
            "deploy.liveness-probe",
            {"path": "/up", "timeout": "2s"},
        ),
        (
            (
                "--add-volume=name=data,type=nfs,location=10.0.0.2:/data,readonly=true"
                " --add-volume-mount=volume=data,mount-path=/data"
            ),
            "deploy.volumes",
            {"data": {"source": "nfs:10.0.0.2:/data", "readonly": True, "path": "/data"}},
        ),
        (
            (
                "--add-volume name=scratch,type=in-memory,size-limit=64Mi"
                " --add-volume-mount volume=scratch,mount-path=/scratch"
            ),
            "deploy.volumes",
            {"scratch": {"source": "in-memory", "size-limit": "64Mi", "path": "/scratch"}},
        ),
        (
            "--set-cloudsql-instances=shop-123:europe-west1:db",
            "deploy.add-cloudsql-instances",
            ["shop-123:europe-west1:db"],
        ),
        ("--update-labels=team=shop", "deploy.labels", {"team": "shop"}),
        ("--args=serve,--fast", "deploy.args", ["serve", "--fast"]),
        ("--vpc-egress=all-traffic", "deploy.vpc-egress", "all-traffic"),
        ("--ingress internal", "deploy.ingress", "internal"),
        ("--min=2", "deploy.min", 2),
    ],
)
def test_a_flag_is_read_in_each_of_its_forms(
    tmp_path: Path, flags: str, key: str, value: object
) -> None:
    facts = written(tmp_path, f"gcloud run deploy shop {flags} --region=europe-west1\n")

    assert said(facts) == {"service": "shop", key: value, "region": "europe-west1"}
    assert facts.unread == []


def test_lines_may_end_as_on_windows(tmp_path: Path) -> None:
    (tmp_path / "deploy.sh").write_bytes(b"gcloud run deploy shop \\\r\n  --memory=1Gi\r\n")

    assert said(read(tmp_path / "deploy.sh")) == {"service": "shop", "deploy.memory": "1Gi"}


def test_the_first_that_is_said_counts_and_another_is_told(tmp_path: Path) -> None:
    facts = written(tmp_path, "gcloud run deploy a --cpu=1\ngcloud run deploy a --cpu=2\n")

    assert said(facts) == {"service": "a", "deploy.cpu": 1}
    where = tmp_path / "deploy.sh"
    assert [str(each) for each in facts.unread] == [
        f"{where}:2: deploy.cpu: 2: {where}:1 says 1, which counts"
    ]


def test_a_value_that_cloud_run_would_refuse_is_told(tmp_path: Path) -> None:
    facts = written(tmp_path, "gcloud run deploy shop --concurrency=5000\n")

    assert told(facts, tmp_path / "deploy.sh") == [
        "1: deploy.concurrency: 5000: needs a whole number from 1 to 1000"
    ]


@pytest.mark.parametrize(
    ("name", "text", "needs"),
    [
        ("a.yaml", "service: shop\n", "needs a GitHub workflow or a cloudbuild.yaml"),
        ("a.yaml", "steps: [\n", "needs YAML"),
        ("a.yaml", "[" * 5000, "needs"),
        ("a.sh", "$(x " * 3000 + ")" * 3000, "needs less"),
        ("a.md", "\udcff", "needs text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(
    tmp_path: Path, name: str, text: str, needs: str
) -> None:
    (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))

    with pytest.raises(ReleaseError, match=f"could not read .*{name}") as refused:
        read(tmp_path / name)

    assert needs in str(refused.value)


def test_a_file_that_says_nothing_of_a_service_is_told(tmp_path: Path) -> None:
    facts = written(tmp_path, "echo hello\n")

    assert told(facts, tmp_path / "deploy.sh") == [
        "the whole file: it says nothing of a service that init knows"
    ]


WHOLE = {path.name: path.read_text() for path in PROCEDURES.iterdir()}


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(WHOLE)),
    begin=st.integers(0, 1500),
    length=st.integers(0, 200),
    put=st.text(alphabet="$(){}[]<>\"'`\\\n #-=:;,|&^@\u2039 ab1", max_size=40),
)
def test_a_file_that_somebody_has_broken_is_read_or_refused(
    name: str, begin: int, length: int, put: str
) -> None:
    text = WHOLE[name]
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text[:begin] + put + text[begin + length :])
        with suppress(ReleaseError):
            read(path)
