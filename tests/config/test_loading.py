"""What a plan says, and what people read when they wrote something that cannot be meant."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from greenrun.config import load_plan
from greenrun.config.deploy import as_keys
from greenrun.config.schema import REPLACED_KEYS
from greenrun.model.errors import Complaint, SettingsError
from greenrun.model.image import TagPolicy
from greenrun.model.plan import (
    ANY_ANSWER,
    BuildPlan,
    BuildSecret,
    CanaryPlan,
    Location,
    MigrationPlan,
    Plan,
    Probe,
    Underpowered,
)
from greenrun.model.revision import ContainerProbe, RevisionSettings, SecretReference, Volume
from tests.adapters.every_setting import REVISION, SERVICE

GOLDEN = Path(__file__).with_name("golden")
SMALLEST = """\
service: shop
build: {repository: europe-west1-docker.pkg.dev/rehearsal/app/shop}
environments:
  local: {project: rehearsal, region: europe-west1}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "env.yaml").write_text("{}")
    return tmp_path


def plan(directory: Path, release: str, environment: str = "local") -> Plan:
    (directory / "release.yaml").write_text(dedent(release))
    return load_plan(directory, environment)


def complaints(directory: Path, release: str, environment: str = "local") -> tuple[Complaint, ...]:
    with pytest.raises(SettingsError) as caught:
        plan(directory, release, environment)
    return caught.value.complaints


def smallest_with(**lines: str) -> str:
    return SMALLEST + "".join(f"{key}: {value}\n" for key, value in lines.items())


def test_the_smallest_release_leaves_everything_else_at_its_default(directory: Path) -> None:
    assert plan(directory, SMALLEST) == Plan(
        service="shop",
        environment="local",
        place=Location("rehearsal", "europe-west1"),
        build=BuildPlan("europe-west1-docker.pkg.dev/rehearsal/app/shop"),
        canary=CanaryPlan(alone=True),
        settings=RevisionSettings(variables={}),
    )


def test_everything_that_is_written_reaches_the_plan(directory: Path) -> None:
    (directory / "prod.yaml").write_text('LOG_LEVEL: "INFO"\nMOTTO: it is fine\n')
    release = """\
        service: shop
        build:
          repository: gcr.io/rehearsal/shop
          dockerfile: docker/Dockerfile
          context: ..
          tag: build-id
          also-latest: false
          tag-file: image/tag.txt
          timeout: 1h30m
          size-budget: 1.5GiB
        deploy:
          env-vars-file: prod.yaml
          update-secrets: {TOKEN: token:latest}
          timeout: 600
          cpu: 500m
          memory: 1024Mi
          concurrency: 1
          port: 9000
          min-instances: 1
          max-instances: 1
          startup-probe: {path: /health, period: 2s, failure-threshold: 5}
          volumes: {data: {source: "gcs:things", path: /data}}
          service-account: shop@rehearsal.iam.gserviceaccount.com
          session-affinity: true
          cpu-boost: false
          allow-unauthenticated: true
          tag: next
          baseline-tag: last
          ready-timeout: 5s
          traffic-timeout: 6s
          log-timeout: 7s
        migration: {status: [app, status], apply: [app, apply], timeout: 8s}
        probes: {identities: {a user: {Authorization: "Bearer {TOKEN}", X-Json: "{{}}"}}}
        canary:
          steps: [1, 99]
          min-duration: 9s
          max-duration: 1m
          alpha: 0.5%
          beta: 10 %
          max-error-increase: 2.25 %
          max-latency-increase: 150%
          latency-floor: 0ms
          underpowered: lengthen
          probes-per-second: 0.5
          probes: [GET /, GET /health]
        environments:
          prod: {project: rehearsal, region: us-east4}
        """

    assert plan(directory, release, "prod") == Plan(
        service="shop",
        environment="prod",
        place=Location("rehearsal", "us-east4"),
        build=BuildPlan(
            repository="gcr.io/rehearsal/shop",
            dockerfile="docker/Dockerfile",
            context="..",
            tag_policy=TagPolicy.BUILD_ID,
            also_latest=False,
            tag_file="image/tag.txt",
            within=timedelta(minutes=90),
            size_budget_bytes=1610612736,
        ),
        settings=RevisionSettings(
            variables={"LOG_LEVEL": "INFO", "MOTTO": "it is fine"},
            secrets={"TOKEN": SecretReference("token", "latest")},
            timeout=timedelta(minutes=10),
            cpu="500m",
            memory="1Gi",
            port=9000,
            concurrency=1,
            min_instances=1,
            max_instances=1,
            startup_probe=ContainerProbe(
                path="/health", period=timedelta(seconds=2), failure_threshold=5
            ),
            volumes={"data": Volume(source="gcs:things", path="/data")},
            service_account="shop@rehearsal.iam.gserviceaccount.com",
            session_affinity=True,
            cpu_boost=False,
        ),
        public=True,
        revision_tag="next",
        baseline_tag="last",
        ready_timeout=timedelta(seconds=5),
        traffic_timeout=timedelta(seconds=6),
        log_timeout=timedelta(seconds=7),
        migration=MigrationPlan(("app", "status"), ("app", "apply"), (), timedelta(seconds=8)),
        canary=CanaryPlan(
            steps=(1, 99),
            min_duration=timedelta(seconds=9),
            max_duration=timedelta(minutes=1),
            probes_per_second=0.5,
            probes=(Probe(), Probe("GET", "/health")),
            alpha=0.005,
            beta=0.1,
            max_error_increase=0.0225,
            max_latency_increase=1.5,
            latency_floor=timedelta(),
            underpowered=Underpowered.LENGTHENED,
        ),
        identities={"a user": {"Authorization": "Bearer {TOKEN}", "X-Json": "{{}}"}},
    )


def build_of(directory: Path, *lines: str) -> BuildPlan:
    written = "build:\n" + "".join(f"  {line}\n" for line in lines)
    return plan(directory, SMALLEST.replace(SMALLEST.splitlines(keepends=True)[1], written)).build


def test_arguments_a_target_and_secrets_reach_the_build(directory: Path) -> None:
    assert build_of(
        directory,
        "repository: app/shop",
        'args: {PYTHON: "3.11", EMPTY: ""}',
        "target: runtime",
        "secrets: {npm: {env: NPM_TOKEN}, .netrc: {file: ~/.netrc}}",
    ) == BuildPlan(
        "app/shop",
        args={"PYTHON": "3.11", "EMPTY": ""},
        target="runtime",
        secrets={"npm": BuildSecret("NPM_TOKEN"), ".netrc": BuildSecret(file="~/.netrc")},
    )


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        (f"app/shop@sha256:{'0' * 64}", "app/shop"),
        (f"registry.test:5000/shop:1.2_3@sha256:{'0' * 64}", "registry.test:5000/shop"),
        ("localhost:5000/shop:stable", "localhost:5000/shop"),
    ],
)
def test_an_image_that_was_built_elsewhere_stays_in_its_repository(
    directory: Path, image: str, repository: str
) -> None:
    assert build_of(directory, f"image: {image}") == BuildPlan(
        repository, image=image, also_latest=False
    )


@pytest.mark.parametrize("image", ["app/shop", "app/shop@sha256:1", "App/Shop:1", "3", "''"])
def test_an_image_without_digest_and_image_tag_is_none(directory: Path, image: str) -> None:
    with pytest.raises(SettingsError) as caught:
        build_of(directory, f"image: {image}")
    assert [(it.line, it.key) for it in caught.value.complaints] == [(3, "build.image")]


def test_beside_an_image_nothing_is_built_or_pushed(directory: Path) -> None:
    of_a_build = {
        "repository": "app/shop",
        "dockerfile": "Dockerfile",
        "context": ".",
        "target": "runtime",
        "args": "{A: b}",
        "secrets": "{a: {env: A}}",
        "tag": "commit",
        "also-latest": "false",
        "tag-file": "tag.txt",
        "keep-images": "3",
    }
    lines = [f"{key}: {value}" for key, value in of_a_build.items()]
    with pytest.raises(SettingsError) as caught:
        build_of(directory, "image: app/shop:1", "timeout: 1m", "size-budget: 1GB", *lines)
    assert [it.key for it in caught.value.complaints] == [f"build.{key}" for key in of_a_build]
    assert {it.needs for it in caught.value.complaints} == {
        "to be left out: build.image was built elsewhere, and stays in its repository"
    }


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("args: {A: 3.11}", 'args.A: got 3.11, needs text, such as "3.11" (numbers need quotes)'),
        ("args: {A B: x}", "args.A B: got this name, needs a name of letters, digits, _, . and -"),
        ("secrets: {a: {}}", "secrets.a: got an empty mapping, needs env or file, and not both"),
        (
            "secrets: {a: {env: A, file: b}}",
            "secrets.a: got a mapping, needs env or file, and not both",
        ),
        (
            "secrets: {a: {env: A-B}}",
            "secrets.a.env: got 'A-B', needs the name of a variable where the release runs",
        ),
    ],
)
def test_what_a_build_is_not_given(directory: Path, line: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        build_of(directory, "repository: app/shop", line)
    assert list(map(str, caught.value.complaints)) == [f"release.yaml:4: build.{told}"]


def test_a_project_may_have_a_domain_before_it(directory: Path) -> None:
    release = SMALLEST.replace("project: rehearsal", 'project: "example.com:rehearsal"')
    assert plan(directory, release).place == Location("example.com:rehearsal", "europe-west1")


def test_commits_may_be_written_as_git_takes_them(directory: Path) -> None:
    commits = ("8F14E45", "1234567", "a" * 64)
    release = smallest_with(preflight=f"{{commits: ['{commits[0]}', '1234567', {commits[2]}]}}")
    assert plan(directory, release).preflight.commits == commits


def test_a_key_of_earlier_days_says_what_replaces_it(directory: Path) -> None:
    local = SMALLEST.replace("{project", "{canary: {fewest-requests: 10}, project")

    [complaint] = complaints(directory, local)

    assert str(complaint) == (
        "release.yaml:4: environments.local.canary.fewest-requests: got a key that was replaced, "
        "needs to be left out: how many requests are enough follows from beta, max-error-increase "
        "and max-latency-increase"
    )


OLD_KEYS = {
    "build.push-within": "push-timeout",
    "build.within": "timeout",
    "canary.bake": "min-duration",
    "canary.blind": "underpowered",
    "canary.increments": "steps",
    "canary.missed": "beta",
    "canary.probe-paths": "probes, a list of requests such as [GET /api/health]",
    "canary.slower": "max-latency-increase",
    "canary.tolerated": "max-error-increase",
    "canary.within": "max-duration",
    "deploy.change-within": "traffic-timeout",
    "deploy.log-within": "log-timeout",
    "deploy.ready-within": "ready-timeout",
    "migration.within": "timeout",
    "preflight.gates-within": "quality-gate-timeout",
    "preflight.known-secrets": "secrets-baseline",
    "preflight.lock-time-to-live": "lease-duration",
    "preflight.reuse-rehearsal-within": "rehearsal-max-age",
    "record.hand-over": "changelogs",
}


def test_every_old_key_is_known() -> None:
    assert {".".join(path) for path in REPLACED_KEYS} == {*OLD_KEYS, "canary.fewest-requests"}


@pytest.mark.parametrize(("key", "new"), OLD_KEYS.items(), ids=OLD_KEYS)
@pytest.mark.parametrize("above", ["", "environments.local."])
def test_an_old_key_is_refused_with_the_name_of_the_new_one(
    directory: Path, key: str, new: str, above: str
) -> None:
    section, name = key.split(".")
    lines = [
        "service: shop",
        "migration: {status: [a], apply: [b]}",
        "build: {repository: app/shop}",
        "environments: {local: {project: rehearsal, region: us-east4}}",
    ]
    opening = "{local: {" if above else f"{section}: {{"
    placed = f"{section}: {{{name}: 1}}, " if above else f"{name}: 1, "
    lines = [line.replace(opening, opening + placed) for line in lines]
    if not above and not any(line.startswith(section) for line in lines):
        lines.append(f"{section}: {{{name}: 1}}")
    number = next(place for place, line in enumerate(lines, 1) if f"{name}: 1" in line)

    found = [str(complaint) for complaint in complaints(directory, "\n".join(lines))]

    assert found == [
        f"release.yaml:{number}: {above}{key}: got a key that was replaced, needs {new}"
    ]


def test_an_environment_goes_over_the_rest_and_leaves_what_it_does_not_name(
    directory: Path,
) -> None:
    shared = """\
        service: shop
        project: shared-project
        build: {repository: app/shop}
        deploy: {cpu: 2, memory: 2Gi}
        canary: {steps: [10, 20, 50], max-error-increase: 7 %}
        environments:
          local:
            region: europe-west1
            deploy: {cpu: 1}
            canary: {steps: [50]}
          prod: {region: us-east4, project: prod-project}
        """
    local, prod = plan(directory, shared), plan(directory, shared, "prod")

    assert local.settings == RevisionSettings(variables={}, cpu="1", memory="2Gi")
    assert local.canary == CanaryPlan(steps=(50,), max_error_increase=0.07, alone=True)
    assert local.place == Location("shared-project", "europe-west1")
    assert prod == replace(
        local,
        environment="prod",
        place=Location("prod-project", "us-east4"),
        settings=RevisionSettings(variables={}, cpu="2", memory="2Gi"),
        canary=CanaryPlan(steps=(10, 20, 50), max_error_increase=0.07),
    )


def test_ten_mistakes_are_ten_lines_that_a_newcomer_can_follow() -> None:
    with pytest.raises(SettingsError) as caught:
        load_plan(GOLDEN, "local")

    assert f"{caught.value}\n" == (GOLDEN / "complaints.txt").read_text()


WRONG = {
    "service: too long": ("service", f"{'a' * 50}"),
    "service: last is a hyphen": ("service", "shop-"),
    "project": ("project", "shop"),
    "region": ("region", "europe"),
    "build": ("build", "[]"),
    "build: a commit does not tell the age of an image": (
        "build",
        "{repository: europe-docker.pkg.dev/p/r/shop, tag: commit, keep-images: 3}",
    ),
    "deploy": ("deploy", "5"),
    "migration: no apply": ("migration", "{status: [x]}"),
    "migration: number": ("migration", "{status: [x, 1], apply: [x]}"),
    "migration: text": ("migration", "{status: app status, apply: [x]}"),
    "migration: nothing": ("migration", ""),
    "canary: no steps": ("canary", "{steps: []}"),
    "canary: falling": ("canary", "{steps: [50, 10]}"),
    "canary: twice": ("canary", "{steps: [10, 10]}"),
    "canary: all": ("canary", "{steps: [10, 100]}"),
    "canary: none": ("canary", "{steps: [0]}"),
    "canary: half": ("canary", "{steps: [0.5]}"),
    "canary: boolean": ("canary", "{steps: [true]}"),
    "canary: never sure": ("canary", "{alpha: 0 %}"),
    "canary: a part": ("canary", "{alpha: 0.01}"),
    "canary: no percents": ("canary", "{beta: 5}"),
    "canary: all may fail": ("canary", "{max-error-increase: 100 %}"),
    "canary: no slower": ("canary", "{max-latency-increase: 0 %}"),
    "canary: below": ("canary", "{max-latency-increase: -5 %}"),
    "canary: floor": ("canary", "{latency-floor: 1s}"),
    "canary: blind": ("canary", "{underpowered: proceed}"),
    "canary: no time": ("canary", "{max-duration: 0s}"),
    "canary: longer than all": ("canary", "{max-duration: 5m, min-duration: 6m}"),
    "deploy: the same tag": ("deploy", "{tag: next, baseline-tag: next}"),
    "canary: probe": ("canary", "{probes: [GET health]}"),
    "canary: rate": ("canary", "{probes-per-second: -1}"),
    "canary: no rate": ("canary", "{probes-per-second: .nan}"),
    "canary: sexagesimal": ("canary", "{min-duration: 1:30}"),
    "deploy: no time": ("deploy", "{ready-timeout: 0s}"),
    "deploy: bare seconds": ("deploy", "{ready-timeout: 60}"),
    "deploy: no duration": ("deploy", '{timeout: ""}'),
    "deploy: timeout": ("deploy", "{timeout: 3601}"),
    "deploy: port": ("deploy", "{port: 65536}"),
    "deploy: port as text": ("deploy", '{port: "8080"}'),
    "deploy: concurrency": ("deploy", "{concurrency: 1001}"),
    "deploy: instances": ("deploy", "{min-instances: 3, max-instances: 2}"),
    "deploy: three cpus": ("deploy", "{cpu: 3}"),
    "deploy: a cpu and a half": ("deploy", "{cpu: 1.5}"),
    "deploy: a boolean cpu": ("deploy", "{cpu: true}"),
    "deploy: too little cpu": ("deploy", "{cpu: 0.079, concurrency: 1}"),
    "deploy: too fine a cpu": ("deploy", "{cpu: 0.0805, concurrency: 1}"),
    "deploy: half a cpu for many": ("deploy", "{cpu: 0.5, concurrency: 2}"),
    "deploy: half a cpu with much": ("deploy", "{cpu: 0.5, memory: 2Gi, concurrency: 1}"),
    "deploy: little memory for four": ("deploy", "{cpu: 4, memory: 1Gi}"),
    "deploy: much memory for one": ("deploy", "{cpu: 1, memory: 5Gi}"),
    "deploy: no memory": ("deploy", "{memory: 0Gi}"),
    "deploy: memory in bytes": ("deploy", "{memory: 536870912}"),
    "deploy: probe": ("deploy", "{startup-probe: {path: health}}"),
    "deploy: period": ("deploy", "{startup-probe: {period: 241s}}"),
    "deploy: volume source": ("deploy", "{volumes: {data: {source: nfs:server, path: /data}}}"),
    "deploy: volume path": ("deploy", "{volumes: {data: {source: gcs:data, path: /proc/1}}}"),
    "deploy: volume climbs": ("deploy", "{volumes: {data: {source: gcs:data, path: /a/../dev}}}"),
    "deploy: tag": ("deploy", "{tag: 1st}"),
    "deploy: absolute path": ("deploy", "{env-vars-file: /etc/passwd}"),
    "deploy: account": ("deploy", "{service-account: me}"),
    "deploy: secret version": ("deploy", "{update-secrets: {A: A:0}}"),
    "deploy: secret as a file of the root": ("deploy", "{update-secrets: {/a: A:1}}"),
    "deploy: two secrets in a folder": ("deploy", "{update-secrets: {/e/a: A:1, /e/b: B:1}}"),
    "deploy: secrets among others": (
        "deploy",
        "{update-secrets: {/e/a: A:1}, volumes: {v: {source: gcs:data, path: /e}}}",
    ),
    "deploy: variable without quotes": ("deploy", "{update-env-vars: {A: 1}}"),
    "deploy: variable of 32,769 bytes": ("deploy", f"{{update-env-vars: {{A: {'a' * 32_769}}}}}"),
    "deploy: variables beside a file": ("deploy", "{set-env-vars: {A: a}}"),
    "deploy: always with a part of a CPU": (
        "deploy",
        "{cpu: 0.5, cpu-throttling: false}",
    ),
    "deploy: gen2 with a part of a CPU": ("deploy", "{cpu: 0.5, execution-environment: gen2}"),
    "deploy: little memory in gen2": ("deploy", "{memory: 256Mi, execution-environment: gen2}"),
    "deploy: gen1 with a bucket": (
        "deploy",
        "{execution-environment: gen1, volumes: {v: {source: gcs:data}}}",
    ),
    "deploy: gpu in gen1": ("deploy", "{gpu: 1, execution-environment: gen1}"),
    "deploy: gpu with little cpu": ("deploy", "{gpu: 1, gpu-type: nvidia-l4, cpu: 2}"),
    "deploy: gpu with little memory": ("deploy", "{gpu: 1, gpu-type: nvidia-l4, memory: 8Gi}"),
    "deploy: gpu with idle cpu": ("deploy", "{gpu: 1, cpu-throttling: true}"),
    "deploy: two gpus": ("deploy", "{gpu: 2}"),
    "deploy: connector and network": ("deploy", "{vpc-connector: c, network: default}"),
    "deploy: egress": ("deploy", "{vpc-egress: some}"),
    "deploy: ingress": ("deploy", "{ingress: none}"),
    "deploy: nowhere to ask a revision": ("deploy", "{default-url: false}"),
    "deploy: fewest of the service": ("deploy", "{min: 3, max: 2}"),
    "deploy: no instance name": ("deploy", "{add-cloudsql-instances: [main]}"),
    "deploy: command as text": ("deploy", "{command: python -m app}"),
    "deploy: label": ("deploy", "{labels: {Team: blue}}"),
    "deploy: key": ("deploy", "{key: mine}"),
    "deploy: time to a shutdown that is none": (
        "deploy",
        "{encryption-key-shutdown-hours: 1, post-key-revocation-action-type: prevent-new}",
    ),
    "deploy: attempt longer than its period": (
        "deploy",
        "{startup-probe: {timeout: 3s, period: 2s}}",
    ),
    "deploy: path by grpc": ("deploy", "{startup-probe: {type: grpc, path: /a}}"),
    "deploy: service by http": ("deploy", "{startup-probe: {path: /a, grpc-service: a}}"),
    "deploy: alive by tcp": ("deploy", "{liveness-probe: {type: tcp}}"),
    "deploy: delay of a start": ("deploy", "{startup-probe: {initial-delay: 241s}}"),
    "deploy: no probe": ("deploy", "{startup-probe: }"),
    "deploy: mount options of nfs": (
        "deploy",
        "{volumes: {v: {source: 'nfs:10.0.0.2:/a', mount-options: [a]}}}",
    ),
    "deploy: size of a bucket": ("deploy", "{volumes: {v: {source: gcs:data, size-limit: 1Gi}}}"),
    "deploy: memory that cannot be written": (
        "deploy",
        "{volumes: {v: {source: in-memory, readonly: true}}}",
    ),
    "deploy: a name of 64 letters": ("deploy", f"{{volumes: {{{'v' * 64}: {{}}}}}}"),
    "deploy: plain and secret": (
        "deploy",
        "{update-env-vars: {A: a}, update-secrets: {A: A:1}}",
    ),
    "deploy: a second port": ("deploy", "{containers: {proxy: {port: 81}}}"),
    "deploy: memory of a sidecar": ("deploy", "{containers: {proxy: {cpu: 4, memory: 1Gi}}}"),
    "deploy: a long tag": ("deploy", f"{{tag: {'t' * 43}}}"),
    "deploy: reserved": ("deploy", "{update-secrets: {PORT: A:1}}"),
    "deploy: secrets as list": ("deploy", "{update-secrets: [A=A:1]}"),
    "probes: attribute": ("probes", '{identities: {a user: {A: "{A.__class__}"}}}'),
    "probes: open brace": ("probes", '{identities: {a user: {A: "{"}}}'),
    "probes: numbered": ("probes", '{identities: {a user: {A: "{}"}}}'),
    "probes: two lines": ("probes", '{identities: {a user: {A: "b\\nc: d"}}}'),
}


@pytest.mark.parametrize(("key", "value"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_meant_is_one_complaint_about_its_key(
    directory: Path, key: str, value: str
) -> None:
    lines = {"service": "service: shop", "build": "build: {repository: app/shop}"}
    lines |= {"region": "region: us-east4", "project": "project: rehearsal"}
    lines |= {"environments": "environments: {local: {}}", key: f"{key}: {value}"}
    release = "\n".join(lines.values())

    [complaint] = complaints(directory, release)

    assert complaint.key.split(".")[0] == key
    assert complaint.line in {0, 1 + list(lines).index(key)}


def test_two_volumes_cannot_share_a_path(directory: Path) -> None:
    volumes = "{a: {source: gcs:aaa, path: /data}, b: {source: gcs:bbb, path: /data}}"

    assert complaints(directory, smallest_with(deploy=f"{{volumes: {volumes}}}")) == (
        Complaint(
            "release.yaml",
            5,
            "deploy.volumes.b.path",
            "'/data'",
            "one of its own: a is there",
        ),
    )


@pytest.mark.parametrize(
    ("letters", "tags", "sums"),
    [
        (37, "{}", []),
        (38, "{}", [("deploy.tag", 47)]),
        (40, "{}", [("deploy.tag", 49), ("deploy.baseline-tag", 48), ("service", 48)]),
        (38, "{tag: c, baseline-tag: b}", []),
        (39, "{tag: c, baseline-tag: b}", [("service", 47)]),
    ],
)
def test_a_revision_tag_and_the_service_fit_into_one_address(
    directory: Path, letters: int, tags: str, sums: list[tuple[str, int]]
) -> None:
    release = smallest_with(deploy=tags).replace("service: shop", f"service: {'s' * letters}")
    if not sums:
        assert plan(directory, release).service == "s" * letters
        return

    assert {(it.key, it.needs) for it in complaints(directory, release)} == {
        (key, f"46 letters at most of both together, not {together}") for key, together in sums
    }


def test_a_name_must_leave_room_for_those_of_its_revisions(directory: Path) -> None:
    release = SMALLEST.replace("service: shop", f"service: {'s' * 48}")
    [complaint] = complaints(directory, release)

    assert (complaint.key, complaint.line) == ("service", 1)


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [("1", "4Gi"), ("2", "8Gi"), ("4", "2Gi"), ("4", "16Gi"), ("8", "32Gi"), ("1", "128Mi")],
)
def test_pairs_that_cloud_run_allows_are_taken(directory: Path, cpu: str, memory: str) -> None:
    release = smallest_with(deploy=f"{{cpu: {cpu}, memory: {memory}}}")

    assert plan(directory, release).settings == RevisionSettings(
        variables={}, cpu=cpu, memory=memory
    )


@pytest.mark.parametrize(("written", "cpu"), [("2000m", "2"), ("2.0", "2"), ("'4'", "4")])
def test_equal_amounts_become_equal_text(directory: Path, written: str, cpu: str) -> None:
    release = smallest_with(deploy=f"{{cpu: {written}, memory: 2048Mi}}")

    assert plan(directory, release).settings == RevisionSettings(
        variables={}, cpu=cpu, memory="2Gi"
    )


def test_an_octal_of_older_yaml_is_a_decimal(directory: Path) -> None:
    assert plan(directory, smallest_with(deploy="{port: 010}")).settings.port == 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (0, "whole file", "nothing")),
        ("# only this\n", (0, "whole file", "nothing")),
        ("- service\n", (1, "whole file", "['service']")),
        ("service", (1, "whole file", "'service'")),
        ("a: [1\n", (2, "syntax", None)),
        ("a: 1\n\tb: 2\n", (2, "syntax", None)),
        ("a: b: c\n", (1, "syntax", None)),
        ('a: "\\ud800"\n', (1, "whole file", "half a character (a surrogate)")),
        ("a: 1\n---\nb: 2\n", (2, "whole file", "a second document after ---")),
        ("a: &one 1\nb: *one\n", (2, "b", "the alias *one")),
        ("a: !!str 1\n", (1, "a", "the tag tag:yaml.org,2002:str")),
        ("? [a]\n: 1\n", (1, "whole file", "a key that is not text")),
        ("a: " + "[" * 9999, (1, "a", "values nested too deep")),
    ],
)
def test_a_file_that_cannot_be_read_is_one_complaint(
    directory: Path, text: str, expected: tuple[int, str, str | None]
) -> None:
    line, key, got = expected
    [complaint] = complaints(directory, text)

    assert (complaint.file, complaint.line, complaint.key) == ("release.yaml", line, key)
    assert got in {None, complaint.got}


def test_bytes_that_are_no_text_are_named_with_their_line(directory: Path) -> None:
    (directory / "release.yaml").write_bytes(b"service: shop\nbuild: \xff\n")

    with pytest.raises(SettingsError) as caught:
        load_plan(directory, "local")

    assert caught.value.complaints == (
        Complaint("release.yaml", 2, "whole file", "bytes that are not text", "text in UTF-8"),
    )


def test_without_env_yaml_nothing_is_said_of_variables(tmp_path: Path) -> None:
    assert plan(tmp_path, SMALLEST).settings == RevisionSettings()


def test_a_file_of_variables_that_is_named_must_be_there(tmp_path: Path) -> None:
    [complaint] = complaints(tmp_path, smallest_with(deploy="{env-vars-file: env.yaml}"))

    assert (complaint.file, complaint.needs) == (
        "env.yaml",
        "the file env.yaml beside release.yaml",
    )


def test_an_unknown_environment_is_answered_with_the_known_ones(directory: Path) -> None:
    assert complaints(directory, SMALLEST, "staging") == (
        Complaint(
            "release.yaml", 3, "environments.staging", "no such environment", "one of: local"
        ),
    )


def test_a_key_that_stands_twice_is_named_with_both_lines(directory: Path) -> None:
    assert complaints(directory, smallest_with(service="other")) == (
        Complaint(
            "release.yaml",
            5,
            "service",
            "the same key again",
            "it once (it is in line 1 already)",
        ),
    )


def test_a_mistake_in_another_environment_is_found_as_well(directory: Path) -> None:
    release = f"{SMALLEST}  prod: {{project: rehearsal, region: 5}}\n"

    assert complaints(directory, release) == (
        Complaint(
            "release.yaml", 5, "environments.prod.region", "5", "a region such as europe-west1"
        ),
    )


@pytest.mark.parametrize("value", ["{}", "{a: b}", "[]", ""])
def test_an_environment_cannot_hide_a_value_of_the_wrong_kind(directory: Path, value: str) -> None:
    local = SMALLEST.replace("{project", f"{{canary: {{min-duration: {value}}}, project")
    release = f"{local}canary: {{min-duration: 3s}}\n"

    [complaint] = complaints(directory, release)

    assert (complaint.line, complaint.key) == (4, "environments.local.canary.min-duration")


@pytest.mark.parametrize(
    "environments", ["", "[]", "{}", "{local: }", "{Local: {}}", "{local: []}"]
)
def test_environments_of_another_form_are_refused(directory: Path, environments: str) -> None:
    release = (
        SMALLEST.split("environments", maxsplit=1)[0] + "project: rehearsal\nregion: us-east4\n"
    )
    found = complaints(directory, f"{release}environments: {environments}\n")

    assert {complaint.key.split(".")[0] for complaint in found} == {"environments"}


VARIABLES = {
    "A: 1": ("A", "the number 1 without quotes", '"1"'),
    "A: 010": ("A", "the number 010 without quotes", '"010"'),
    "A: true": ("A", "the boolean true without quotes", '"true"'),
    "A: on": ("A", "on without quotes, which older YAML does not read as text", '"on"'),
    "A: 12:30": ("A", "12:30 without quotes, which older YAML does not read as text", '"12:30"'),
    "A: 2026-01-02": (
        "A",
        "2026-01-02 without quotes, which older YAML does not read as text",
        '"2026-01-02"',
    ),
    "A:": ("A", "nothing", '""'),
    "A: [x]": ("A", "a list", "one text; put JSON in quotes"),
    "A: {x: y}": ("A", "a mapping", "one text; put JSON in quotes"),
    'A: "\\0"': ("A", "text with a NUL", "text without one"),
    "[A]": ("whole file", "a list", 'lines of NAME: "value", or {} for none'),
    "": ("whole file", "nothing", 'lines of NAME: "value", or {} for none'),
}


@pytest.mark.parametrize(("text", "expected"), VARIABLES.items(), ids=VARIABLES)
def test_variables_are_a_flat_map_of_text(
    directory: Path, text: str, expected: tuple[str, str, str]
) -> None:
    (directory / "env.yaml").write_text(text)

    assert complaints(directory, SMALLEST) == (Complaint("env.yaml", 1 if text else 0, *expected),)


@pytest.mark.parametrize("name", ["PORT", "K_SERVICE", "X_GOOGLE_A", "CLOUD_RUN_JOB", "1A", "A B"])
def test_names_that_cloud_run_sets_are_refused(directory: Path, name: str) -> None:
    (directory / "env.yaml").write_text(f'{name}: "1"\n')

    [complaint] = complaints(directory, SMALLEST)

    assert (complaint.file, complaint.line, complaint.key) == ("env.yaml", 1, name)


def test_a_secret_in_plain_text_beside_its_reference_is_refused_and_not_repeated(
    directory: Path,
) -> None:
    (directory / "env.yaml").write_text("TOKEN: hunter2\n")

    [complaint] = complaints(directory, smallest_with(deploy="{update-secrets: {TOKEN: token:1}}"))

    assert (complaint.file, complaint.line, complaint.key) == ("env.yaml", 1, "TOKEN")
    assert "hunter2" not in str(complaint)


def probed(probes: str) -> str:
    lines = [
        "service: shop",
        "build: {repository: app/shop}",
        "probes: {identities: {a robot: {X-Robot: yes it is}}}",
        "canary:",
        f"  probes: {probes}",
        "environments: {local: {project: rehearsal, region: us-east4}}",
    ]
    return "\n".join(lines)


def test_a_probe_is_a_request_alone_or_with_all_that_it_sends_and_needs(directory: Path) -> None:
    push = (
        "{request: POST /push, as: a robot, headers: {Ce-Type: test}, "
        "sends: {message: {data: aGk=, tries: 3}}, status: 204}"
    )
    several = "{request: GET /who, as: nobody, status: 401 or 403}"
    release = probed(f"[GET /health, {push}, {several}]")
    assert plan(directory, release, "local").canary.probes == (
        Probe("GET", "/health"),
        Probe(
            "POST",
            "/push",
            "a robot",
            {"Ce-Type": "test"},
            {"message": {"data": "aGk=", "tries": 3}},
            (204,),
        ),
        Probe("GET", "/who", "nobody", statuses=(401, 403)),
    )


def test_without_probes_any_answer_that_is_no_server_error_is_good(directory: Path) -> None:
    found = plan(directory, SMALLEST, "local").canary
    assert (found.probes, found.probes_per_second) == (ANY_ANSWER, None)
    ((name, probe),) = found.named_probes.items()
    assert (name, probe.needs) == ("GET /", "a status below 500")
    assert (404 in probe.statuses, 500 in probe.statuses) == (True, False)


REQUEST = "needs a method and a path, such as GET /api/health"
IN_VAIN = "needs another path: on run.app, Google's front end answers /healthz with 404"


@pytest.mark.parametrize(
    ("probes", "told"),
    [
        ("[]", "canary.probes: got [], needs a list of requests, such as [GET /, GET /api/health]"),
        ("", "canary.probes: got nothing, needs its keys below it, or to be left out"),
        ("GET /", "canary.probes: got 'GET /', needs a list of requests, such as"),
        ("[/health]", f"canary.probes.[1]: got '/health', {REQUEST}"),
        ("[GET /, get /]", f"canary.probes.[2]: got 'get /', {REQUEST}"),
        ("[3]", f"canary.probes.[1]: got 3, {REQUEST}"),
        ("[{status: 204}]", f"canary.probes.[1].request: got nothing, {REQUEST}"),
        ("[GET /healthz]", f"canary.probes.[1]: got 'GET /healthz', {IN_VAIN}"),
        (
            "[{request: GET /healthz?a=1}]",
            "canary.probes.[1].request: got 'GET /healthz?a=1', needs another path: on run.app",
        ),
        ("[{request: GET /, as: who}]", "[1].as: got 'who', needs one of: a robot, a user, nobody"),
        ("[{request: GET /, status: 99}]", "[1].status: got 99, needs a status such as 204, or"),
        ("[{request: GET /, status: 2xx}]", "[1].status: got '2xx', needs a status such as 204"),
        ("[{request: GET /, status: true}]", "[1].status: got true, needs a status such as 204"),
        ("[{request: GET /, sends: text}]", "[1].sends: got 'text', needs a mapping or a list"),
        ("[{request: GET /, sends: [.inf]}]", "[1].sends: got [inf], needs a mapping or a list"),
        ("[{request: GET /, headers: {a b: c}}]", "[1].headers.a b: got this name, needs the name"),
        ('[{request: GET /, headers: {a: "b\\nc"}}]', "[1].headers.a: got 'b\\nc', needs text in"),
        ("[{request: GET /, body: x}]", "[1].body: got an unknown key, needs one of: request, as"),
    ],
)
def test_a_probe_that_cannot_be_meant_is_told_with_its_line(
    directory: Path, probes: str, told: str
) -> None:
    (complaint,) = complaints(directory, probed(probes))
    assert str(complaint).startswith("release.yaml:5: canary.probes")
    assert told in str(complaint)


def test_healthz_is_a_path_for_a_startup_probe(directory: Path) -> None:
    release = f"{SMALLEST}\ndeploy: {{startup-probe: {{path: /healthz}}}}\n"
    probe = plan(directory, release, "local").settings.startup_probe
    assert probe is not None
    assert probe.path == "/healthz"


def test_every_setting_can_be_written_and_is_read_as_it_was(directory: Path) -> None:
    (directory / "env.yaml").unlink()
    whole = {**as_keys(REVISION), **as_keys(SERVICE)}
    found = plan(directory, smallest_with(deploy=json.dumps(whole)))

    # Labels are the revision's and the service's alike.
    assert found.settings == replace(REVISION, labels=SERVICE.labels)
    assert found.service_settings == SERVICE


def test_a_connector_goes_by_its_path_as_the_api_wants_it(directory: Path) -> None:
    release = smallest_with(deploy="{vpc-connector: mine}")
    path = "projects/rehearsal/locations/europe-west1/connectors/mine"

    assert plan(directory, release).settings.vpc_connector == path
    release = release.replace("mine", path)
    assert plan(directory, release).settings.vpc_connector == path
