import base64
import hashlib
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from docker import APIClient
from docker.errors import ImageNotFound
from docker.utils import kwargs_from_env

from greenrun.adapters.docker.builder import DockerBuilder
from greenrun.adapters.registry.address import Address
from greenrun.adapters.registry.login import Login
from greenrun.model.errors import CallFailed, DeadlineExceeded, GateClosed
from greenrun.model.image import Digest
from greenrun.model.plan import BuildPlan, BuildSecret
from tests.adapters.builders import KINDS, put_on_path
from tests.registry import PASSWORD, USER, registry
from tests.tiny import tiny_layer

pytestmark = pytest.mark.docker

BASE = "FROM python:3.11-slim\n"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def ignore(_: str) -> None:
    """Nobody watches."""


@pytest.fixture
def engine() -> Iterator[APIClient]:
    with closing(APIClient(**kwargs_from_env())) as client:
        yield client


@pytest.fixture
def plan(engine: APIClient) -> Iterator[BuildPlan]:
    """A plan whose repository nobody else uses; what is built under it is removed."""
    repository = f"greenrun-test-{uuid.uuid4().hex[:12]}"
    yield BuildPlan(repository=repository, within=timedelta(seconds=60))
    for found in engine.images(repository):
        for tag in found["RepoTags"]:
            engine.remove_image(tag, force=True)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every builder there is, one after the other; `any_builder` where it makes no difference."""
    put_on_path(request.param, tmp_path / "path", monkeypatch)
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What is built."""
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def write(folder: Path, dockerfile: str) -> DockerBuilder:
    (folder / "Dockerfile").write_text(BASE + dockerfile)
    return DockerBuilder(folder, commit=COMMIT, version="1.2.3")


def test_the_engine_tells_its_number() -> None:
    assert DockerBuilder(Path()).engine().split(".")[0].isdigit()


def test_no_engine_is_a_failed_call_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Over TCP: docker-py forgets to close a Unix socket that it could not connect.
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(CallFailed, match="hint: start the Docker engine"):
        DockerBuilder(tmp_path).engine()


def test_a_build_is_watched_labelled_and_inspected(
    kind: str, folder: Path, plan: BuildPlan, engine: APIClient
) -> None:
    shown: list[str] = []
    mark = uuid.uuid4().hex
    builder = write(folder, f'RUN echo {mark} > /built\nENV GREETING="a=b"\nCMD ["serve"]\n')
    build = builder.build(plan, tag="one", watch=shown.append)
    names = {"classic": "the engine's classic builder", "docker": r"BuildKit \(docker [\d.]+\)"}
    assert re.fullmatch(f"building by {names.get(kind, r'BuildKit .buildx [0-9.]+.')}", shown[0])
    assert any(f"RUN echo {mark} > /built" in line for line in shown)
    assert f"RUN echo {mark} > /built\n" in build.log
    assert timedelta() < build.took < plan.within
    image = build.image
    assert (image.repository, image.tag) == (plan.repository, "one")
    assert (image.architecture, image.command) == ("amd64", ("serve",))
    assert image.variables["GREETING"] == "a=b"
    assert (f"RUN echo {mark} > /built", 33) in [
        (layer.instruction, layer.size_bytes) for layer in image.layers
    ]
    assert image.size_bytes == sum(layer.size_bytes for layer in image.layers)
    labels = engine.inspect_image(f"{plan.repository}:one")["Config"]["Labels"]  # type: ignore[no-untyped-call] # bare in the stubs
    assert labels == {
        "org.opencontainers.image.revision": COMMIT,
        "org.opencontainers.image.version": "1.2.3",
    }


@pytest.mark.usefixtures("kind")
def test_the_same_tree_builds_the_same_bytes(folder: Path, plan: BuildPlan) -> None:
    builder = write(folder, "RUN echo same\n")
    first = builder.build(plan, tag="one", watch=ignore)
    second = builder.build(plan, tag="two", watch=ignore)
    assert first.image.digest == second.image.digest


def test_an_image_can_be_found_by_its_digest_and_tagged_anew(folder: Path, plan: BuildPlan) -> None:
    builder = write(folder, "RUN echo tagged\n")
    image = builder.build(plan, tag="one", watch=ignore).image
    assert builder.image(str(image.digest)) == image
    assert builder.image(image.reference) == image
    builder.tag(image.digest, plan.repository, "latest")
    latest = builder.image(f"{plan.repository}:latest")
    assert latest is not None
    assert latest.digest == image.digest


def test_an_image_that_is_not_here_is_none_and_cannot_be_tagged(plan: BuildPlan) -> None:
    builder = DockerBuilder(Path())
    assert builder.image(f"{plan.repository}:missing") is None
    with pytest.raises(CallFailed, match="got no image sha256:0000"):
        builder.tag(Digest("sha256:" + "0" * 64), plan.repository, "latest")


@pytest.mark.usefixtures("kind")
def test_neither_ignored_files_nor_git_nor_reports_are_sent(folder: Path, plan: BuildPlan) -> None:
    (folder / ".dockerignore").write_text("secret.txt\n!.git\n!**/.git\n!reports\n")
    for name in ("secret.txt", "open.txt", ".git/HEAD", "module/.git", "reports/journal.jsonl"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("hello")
    before = sorted(folder.rglob("*"))
    listing = f"RUN echo {uuid.uuid4()}; find /context -type f | sort | sed 's/^/found:/'\n"
    builder = write(folder, f"COPY . /context\n{listing}")
    log = builder.build(plan, tag="one", watch=ignore).log
    found = [".dockerignore", "Dockerfile", "open.txt"]
    assert re.findall(r"found:/context/(\S*)", log) == found
    assert sorted(folder.rglob("*")) == sorted((*before, folder / "Dockerfile"))


@pytest.mark.usefixtures("kind")
def test_a_dockerfile_may_stand_outside_its_context_and_bring_its_own_ignores(
    folder: Path, plan: BuildPlan
) -> None:
    (folder / "context").mkdir()
    for name in ("kept", "left", "other"):
        (folder / "context" / name).write_text("")
    (folder / "context" / ".dockerignore").write_text("kept\n")
    (folder / "Dockerfile.dockerignore").write_text("left\n.dockerignore\n")
    builder = write(
        folder, f"COPY . /context\nRUN echo {uuid.uuid4()}; ls -a /context | sed 's/^/found:/'\n"
    )
    log = builder.build(replace(plan, context="context"), tag="one", watch=ignore).log
    assert re.findall(r"found:(\w\S*)", log) == ["kept", "other"]


@pytest.mark.usefixtures("kind")
def test_arguments_and_a_target_reach_the_dockerfile(folder: Path, plan: BuildPlan) -> None:
    (folder / "Dockerfile").write_text(
        "ARG BASE\nFROM $BASE AS wanted\nARG GREETING\nENV SAID=$GREETING\nFROM wanted\nRUN false\n"
    )
    args = {"BASE": "python:3.11-slim", "GREETING": 'a "b" = $c, d'}
    built = DockerBuilder(folder).build(
        replace(plan, args=args, target="wanted"), tag="one", watch=ignore
    )
    assert built.image.variables["SAID"] == args["GREETING"]


def test_instructions_of_buildkit_are_built_or_the_builder_that_they_need_is_named(
    kind: str, folder: Path, plan: BuildPlan
) -> None:
    builder = write(folder, "RUN --mount=type=tmpfs,target=/x touch /x/y\nCOPY --chmod=755 a* /a\n")
    (folder / "a").write_text("")
    if kind != "classic":
        assert "RUN --mount" in builder.build(plan, tag="one", watch=ignore).log
        return
    with pytest.raises(GateClosed) as failure:
        builder.build(plan, tag="one", watch=ignore)
    assert "the --mount option requires BuildKit" in failure.value.message
    assert "needs a Dockerfile that the engine's classic builder builds" in failure.value.message
    assert "install docker-buildx" in failure.value.hint


def test_the_platform_of_the_builder_is_known_to_buildkit(
    kind: str, folder: Path, plan: BuildPlan
) -> None:
    (folder / "Dockerfile").write_text("FROM --platform=$BUILDPLATFORM python:3.11-slim\n")
    if kind != "classic":
        built = DockerBuilder(folder).build(plan, tag="one", watch=ignore)
        assert built.image.architecture == "amd64"
        return
    with pytest.raises(GateClosed, match="install docker-buildx"):
        DockerBuilder(folder).build(plan, tag="one", watch=ignore)


def test_a_frontend_that_cannot_be_had_is_done_without(
    kind: str, folder: Path, plan: BuildPlan
) -> None:
    syntax = "# syntax=localhost:1/docker/dockerfile:1\n"
    content = f"# escape=\\\n{syntax}{BASE}RUN --mount=type=tmpfs,target=/x true\n"
    (folder / "Dockerfile").write_text(content)
    if kind == "classic":
        return
    with pytest.raises(GateClosed, match=r"resolve image config for .*localhost:1"):
        DockerBuilder(folder).build(plan, tag="one", watch=ignore)
    official = content.replace("localhost:1/docker/dockerfile:1", "docker/dockerfile:0-greenrun")
    (folder / "Dockerfile").write_text(official)
    shown: list[str] = []
    assert DockerBuilder(folder).build(plan, tag="one", watch=shown.append).image.tag == "one"
    assert "docker/dockerfile:0-greenrun cannot be had: building without it" in shown


def test_here_documents_are_built_or_the_engine_that_they_need_is_named(
    kind: str, folder: Path, plan: BuildPlan
) -> None:
    builder = write(folder, "RUN <<EOT\necho from here\nEOT\nCOPY --link a /\n")
    (folder / "a").write_text("")
    newer = int(builder.engine().partition(".")[0]) >= 23
    if kind != "classic" and newer:
        assert "from here" in builder.build(plan, tag="one", watch=ignore).log
        return
    with pytest.raises(GateClosed, match=r"(?i)unknown instruction: echo") as failure:
        builder.build(plan, tag="one", watch=ignore)
    needed = "install docker-buildx" if kind == "classic" else "a Docker engine from 23 on"
    assert needed in failure.value.hint


def test_secrets_are_read_and_kept_nowhere(
    kind: str,
    folder: Path,
    plan: BuildPlan,
    engine: APIClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value, mark = uuid.uuid4().hex, uuid.uuid4().hex
    monkeypatch.setenv("NPM_TOKEN", value)
    (folder / "a,b").write_text(value)
    secrets = {"npm": BuildSecret(variable="NPM_TOKEN"), "pip": BuildSecret(file="a,b")}
    secretive = replace(plan, secrets=secrets)
    builder = write(
        folder,
        "COPY . /context\n"
        "RUN --mount=type=secret,id=npm --mount=type=secret,id=pip "
        f"sha256sum /run/secrets/npm /run/secrets/pip; ls /context; echo {mark}\n",
    )
    if kind == "classic":
        with pytest.raises(GateClosed, match=r"got build\.secrets, needs"):
            builder.build(secretive, tag="one", watch=ignore)
        return
    built = builder.build(secretive, tag="one", watch=ignore)
    digest = hashlib.sha256(value.encode()).hexdigest()
    assert re.findall(rf"{digest}  /run/secrets/(\w+)", built.log) == ["npm", "pip"]
    assert "a,b" not in built.log
    assert builder.sent(secretive) == (folder / "Dockerfile",)
    held = b"".join(engine.get_image(f"{plan.repository}:one"))
    assert value.encode() not in held


@pytest.mark.usefixtures("kind")
def test_what_a_build_lacks_is_told_before_the_engine_is_asked(
    folder: Path, plan: BuildPlan
) -> None:
    lacking = replace(
        plan,
        context="none",
        secrets={"a": BuildSecret(variable="GREENRUN_NONE"), "b": BuildSecret(file="none")},
    )
    told = (
        f"context: got no folder {folder}/none, needs one",
        f"Dockerfile: got no file {folder}/Dockerfile, needs what the image is built by",
        "secret a: got no variable GREENRUN_NONE, needs it set here",
        f"secret b: got no file {folder}/none, needs it here",
    )
    assert DockerBuilder(folder).lacks(lacking) == told
    with pytest.raises(CallFailed) as failure:
        DockerBuilder(folder).build(lacking, tag="one", watch=ignore)
    assert failure.value.message == f"could not build {plan.repository}:one: {'; '.join(told)}"


def test_a_dockerfile_that_is_too_large_to_be_one_is_lacking(folder: Path, plan: BuildPlan) -> None:
    builder = write(folder, "#" * 1_000_000)
    assert builder.lacks(plan) == ("Dockerfile: got more than 1,000,000 bytes, needs fewer",)


@pytest.mark.usefixtures("kind")
def test_a_dockerfile_may_hold_bytes_that_are_not_text(folder: Path, plan: BuildPlan) -> None:
    (folder / "Dockerfile").write_bytes(b"# caf\xe9\nFROM python:3.11-slim\nLABEL a=b\n")
    assert DockerBuilder(folder).build(plan, tag="one", watch=ignore).image.tag == "one"


@pytest.mark.usefixtures("kind")
def test_one_of_several_optional_files_is_enough(folder: Path, plan: BuildPlan) -> None:
    (folder / "package.json").write_text("{}")
    (folder / "package-lock.json").write_text("{}")
    builder = write(folder, "COPY package.json yarn.lock* package-lock.json* ./\n")
    assert builder.build(plan, tag="one", watch=ignore).image.tag == "one"


@pytest.mark.usefixtures("kind")
def test_a_failing_instruction_closes_the_gate(folder: Path, plan: BuildPlan) -> None:
    builder = write(folder, "RUN echo so far && exit 3\n")
    with pytest.raises(GateClosed) as failure:
        builder.build(plan, tag="one", watch=ignore)
    message = failure.value.message
    assert message.startswith(f"could not build {plan.repository}:one: ")
    assert "RUN echo so far && exit 3 failed: got " in message.splitlines()[0]
    assert re.search(r"code: 3, needs a Dockerfile that .* builds$", message.splitlines()[0])
    assert re.search(r"^(#\d+ [\d.]+ )?so far$", message, re.MULTILINE)


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize(
    ("dockerfile", "reason"),
    [("COPY missing.txt /\n", "missing.txt"), ("BAKE a cake\n", "(?i)unknown instruction: BAKE")],
)
def test_a_dockerfile_that_makes_no_sense_closes_the_gate(
    folder: Path, plan: BuildPlan, dockerfile: str, reason: str
) -> None:
    with pytest.raises(GateClosed, match=reason):
        write(folder, dockerfile).build(plan, tag="one", watch=ignore)


@pytest.mark.usefixtures("kind")
def test_a_base_image_that_cannot_be_had_comes_with_a_hint(folder: Path, plan: BuildPlan) -> None:
    (folder / "Dockerfile").write_text("FROM localhost:1/nowhere\n")
    with pytest.raises(GateClosed, match="hint: pull the base image"):
        DockerBuilder(folder).build(plan, tag="one", watch=ignore)


@pytest.mark.usefixtures("kind")
def test_helpers_of_registries_that_are_not_needed_are_not_asked(
    folder: Path, plan: BuildPlan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    helpers = {"europe-docker.pkg.dev": "gcloud-nowhere", "registry.test": "nowhere"}
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": helpers}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    shown: list[str] = []
    write(folder, "RUN true\n").build(plan, tag="one", watch=shown.append)
    assert not [line for line in shown if "credentials" in line]


def test_whoever_asks_for_the_classic_builder_is_told_how_to_ask_for_the_other(
    folder: Path, plan: BuildPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    with pytest.raises(GateClosed) as failure:
        write(folder, "RUN --mount=type=tmpfs,target=/x true\n").build(plan, tag="1", watch=ignore)
    assert failure.value.hint.startswith("correct it, or unset DOCKER_BUILDKIT")


def test_what_cannot_be_read_of_a_context_is_told(folder: Path, plan: BuildPlan) -> None:
    builder = write(folder, "")
    (folder / ".dockerignore").write_bytes(b"#" * 1_000_001)
    with pytest.raises(CallFailed, match=r"could not read what is built in .*: got more than"):
        builder.sent(plan)
    assert builder.sent(replace(plan, context="none")) == ()


def test_nothing_is_sent_for_an_image_that_was_built_elsewhere(folder: Path) -> None:
    builder = write(folder, "")
    assert builder.sent(BuildPlan("app", image="app:1")) == ()
    assert builder.sent(BuildPlan("app")) == (folder / "Dockerfile",)


def test_a_helper_that_is_needed_and_absent_is_told_and_stops_nothing(
    folder: Path, plan: BuildPlan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    helpers = {"https://index.docker.io/v1/": "nowhere"}
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": helpers}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    shown: list[str] = []
    built = write(folder, "RUN true\n").build(plan, tag="one", watch=shown.append)
    assert built.image.tag == "one"
    assert shown[0] == "building by the engine's classic builder"
    assert shown[1].startswith("going on without credentials for docker.io: could not log in")


@pytest.mark.usefixtures("kind")
def test_a_build_over_its_budget_is_really_stopped(folder: Path, plan: BuildPlan) -> None:
    mark = uuid.uuid4().hex
    builder = write(folder, f"RUN sleep 60; echo {mark}\n")
    hasty = replace(plan, within=timedelta(seconds=3))
    with pytest.raises(DeadlineExceeded) as failure:
        builder.build(hasty, tag="one", watch=ignore)
    assert failure.value.last_seen.endswith(f"RUN sleep 60; echo {mark}")
    until(lambda: not running(mark))
    assert builder.image(f"{plan.repository}:one") is None


@pytest.mark.usefixtures("kind")
def test_a_build_that_is_interrupted_is_really_stopped(folder: Path, plan: BuildPlan) -> None:
    mark = uuid.uuid4().hex
    builder = write(folder, f"RUN sleep 60; echo {mark}\n")

    def interrupt(line: str) -> None:
        if mark in line:
            until(lambda: running(mark))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        builder.build(plan, tag="one", watch=interrupt)
    until(lambda: not running(mark))


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with registry() as address:
        yield address


def test_an_image_that_was_built_elsewhere_is_pulled_by_its_digest_unless_it_is_here(
    host: str, engine: APIClient
) -> None:
    repository = f"{host}/{uuid.uuid4().hex[:12]}"
    engine.import_image_from_data(
        tiny_layer(uuid.uuid4().bytes), repository=repository, tag="one", changes=['CMD ["serve"]']
    )
    name = f"{repository}:one"
    pushed = [event for event in engine.push(name, stream=True, decode=True) if "aux" in event]
    manifest = Digest(pushed[-1]["aux"]["Digest"])
    engine.remove_image(name, force=True)
    shown: list[str] = []
    plan = BuildPlan(repository, image=f"{repository}@{manifest}", within=timedelta(seconds=30))
    builder = DockerBuilder(Path())
    try:
        pulled = builder.pull(plan, manifest, shown.append)
        again = builder.pull(plan, manifest, ignore)
        by_its_id = builder.image(f"{repository}@{pulled.image.digest}")
    finally:
        engine.remove_image(f"{repository}@{manifest}", force=True)
    image = pulled.image
    assert (image.reference, image.tag, image.command) == (plan.image, "", ("serve",))
    assert again.image == by_its_id == image
    assert shown
    assert "was pulled" in pulled.log
    assert "is here already" in again.log


@pytest.mark.usefixtures("kind")
def test_a_base_image_is_pulled_with_what_docker_login_has_kept(
    folder: Path,
    plan: BuildPlan,
    engine: APIClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with registry(closed=True) as address:
        base = f"{address}/{uuid.uuid4().hex[:12]}"
        engine.import_image_from_data(tiny_layer(uuid.uuid4().bytes), repository=base, tag="one")
        ada = {"username": USER, "password": PASSWORD}
        said = list(engine.push(f"{base}:one", stream=True, decode=True, auth_config=ada))
        assert not [event for event in said if "error" in event]
        engine.remove_image(f"{base}:one", force=True)
        (folder / "Dockerfile").write_text("ARG FROM\nFROM ${FROM}:one\nLABEL a=b\n")
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        (tmp_path / "config.json").write_text("{}")
        building = replace(plan, args={"FROM": base})
        with pytest.raises(GateClosed, match=r"hint: pull the base image"):
            DockerBuilder(folder).build(building, tag="one", watch=ignore)
        kept = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        (tmp_path / "config.json").write_text(json.dumps({"auths": {address: {"auth": kept}}}))
        assert DockerBuilder(folder).build(building, tag="one", watch=ignore).image.tag == "one"
        with suppress(ImageNotFound):  # BuildKit keeps it to itself
            engine.remove_image(f"{base}:one", force=True)


@pytest.mark.usefixtures("kind")
def test_the_engine_that_is_named_builds_whatever_context_was_chosen(
    folder: Path, plan: BuildPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "greenrun-nowhere")
    assert write(folder, "RUN true\n").build(plan, tag="one", watch=ignore).image.tag == "one"
    # Over TCP: docker-py forgets to close a Unix socket that it could not connect.
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(CallFailed, match="hint: start the Docker engine"):
        write(folder, "RUN true\n").build(plan, tag="one", watch=ignore)


def test_an_image_that_is_nowhere_cannot_be_pulled(host: str) -> None:
    manifest = Digest("sha256:" + "0" * 64)
    plan = BuildPlan(f"{host}/nothing", image=f"{host}/nothing@{manifest}")
    with pytest.raises(CallFailed, match=f"could not read {host}/nothing"):
        DockerBuilder(Path()).pull(plan, manifest, ignore)


def test_whoever_has_no_credentials_is_told_where_a_pull_is_refused(host: str) -> None:
    def nobody(address: Address) -> Login | None:
        raise CallFailed(f"could not log in to {address.host}", hint="log in")

    manifest = Digest("sha256:" + "0" * 64)
    plan = BuildPlan(f"{host}/nothing", image=f"{host}/nothing@{manifest}")
    with pytest.raises(CallFailed, match="could not read") as failure:
        DockerBuilder(Path(), logins=nobody).pull(plan, manifest, ignore)
    assert failure.value.hint == "log in"


def running(mark: str) -> bool:
    """True while a process of this machine has the mark in its arguments."""
    return any(mark.encode() in content(path) for path in Path("/proc").glob("[0-9]*/cmdline"))


def content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
