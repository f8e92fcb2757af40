"""The scripts that make a bare machine fit for a rehearsal."""

import shutil
import subprocess
from pathlib import Path

import docker
import pytest

ROOT = Path(__file__).parents[2]
BASE_IMAGE = "python:3.11-slim"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "setup", tmp_path / "setup")
    return tmp_path


def run(*command: str, at: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["env", *(f"{name}={value}" for name, value in variables.items()), *command],
        cwd=at,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def perform(what: str, *, at: Path) -> "subprocess.CompletedProcess[str]":
    return run("bash", "-c", f"set -eu; . setup/say; {what}; echo next", at=at)


def test_what_was_done_is_one_line_and_its_noise_a_log(checkout: Path) -> None:
    done = perform('perform kettle "boil water" echo steam', at=checkout)

    assert done.stdout.splitlines() == [f"{'kettle':15} {'boil water':50}   0 s", "next"]
    assert done.stderr == ""
    assert (checkout / ".setup/kettle.log").read_text() == "steam\n"


def test_what_cannot_be_done_ends_the_set_up_and_shows_its_noise(checkout: Path) -> None:
    failed = perform('perform kettle "boil water" sh -c "echo no power; exit 7"', at=checkout)

    assert failed.returncode == 1
    assert "next" not in failed.stdout
    assert failed.stderr.splitlines() == [
        "no power",
        "kettle: could not boil water (status 7)",
        "hint: the whole log is .setup/kettle.log",
    ]


def test_a_step_that_fails_half_way_has_failed(checkout: Path) -> None:
    failed = perform('boil() { false; echo done; }; perform kettle "boil" boil', at=checkout)

    assert failed.returncode == 1
    assert (checkout / ".setup/kettle.log").read_text() == ""


def test_the_state_of_the_set_up_stays_out_of_git(checkout: Path) -> None:
    perform("true", at=checkout)

    run("git", "init", at=checkout)
    status = run("git", "status", "--short", "--untracked-files=all", ".setup", at=checkout)

    assert (status.returncode, status.stdout) == (0, "")


@pytest.mark.parametrize("commands", [("docker",), ("docker", "docker-buildx")])
def test_an_engine_that_answers_is_kept_whoever_speaks_to_its_buildkit(
    checkout: Path, commands: tuple[str, ...]
) -> None:
    """A docker that knows no buildx, on a machine where nothing can be installed."""
    folder = checkout / "commands"
    folder.mkdir()
    told = '[ "$1" = version ] || { echo Docker version 28.2.2; [ "$1" != buildx ]; }'
    for name, script in {**dict.fromkeys(commands, told), "id": "echo 1000"}.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    done = run("setup/engine", at=checkout, PATH=f"{folder}:/usr/bin:/bin", DOCKER_HOST="")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_engine_that_was_named_and_does_not_answer_is_not_replaced(checkout: Path) -> None:
    address = f"unix://{checkout}/none.sock"

    refused = run("setup/engine", at=checkout, DOCKER_HOST=address)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines() == [
        f"no Docker engine answers at DOCKER_HOST={address}",
        "hint: start it, or unset DOCKER_HOST",
    ]


@pytest.mark.docker
@pytest.mark.parametrize("image", ["127.0.0.1:9/none:1", "127.0.0.1:9/python:3.11"])
def test_only_the_official_python_is_ever_replaced(checkout: Path, image: str) -> None:
    (checkout / "Dockerfile").write_text(f"FROM --platform=linux/amd64 {image} AS service\n")

    refused = run("setup/base-image", at=checkout)

    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        f"base image: {image} cannot be pulled, and only a python:3.11 can be built",
        "hint: see .setup/base-image.log",
    ]


@pytest.mark.docker
def test_every_base_image_of_a_dockerfile_is_brought(checkout: Path) -> None:
    (checkout / "service.dockerfile").write_text(
        f"ARG LAST=127.0.0.1:9/last:1\n"
        f"FROM {BASE_IMAGE} AS build\n"
        "FROM scratch AS nothing\n"
        "FROM build AS again\n"
        "FROM ${LAST}\n"
    )

    refused = run("setup/base-image", "service.dockerfile", at=checkout)

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[0] == (
        "base image: 127.0.0.1:9/last:1 cannot be pulled, and only a python:3.11 can be built"
    )


@pytest.mark.docker
@pytest.mark.parametrize(
    "part", ["engine", "base-image", "report", "browser", "registry", "promtool"]
)
def test_a_machine_that_is_ready_is_left_alone(part: str) -> None:
    again = run(f"setup/{part}", at=ROOT)

    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


@pytest.mark.docker
def test_the_base_image_can_build_a_service() -> None:
    account = (
        "import ssl, sys; trusted = ssl.create_default_context().cert_store_stats()['x509_ca'];"
        "print(sys.version_info[:2], trusted > 0)"
    )
    engine = docker.from_env()
    try:
        python = engine.containers.run(BASE_IMAGE, ["python", "-c", account], remove=True)
        pip = engine.containers.run(
            BASE_IMAGE, ["pip", "install", "--no-index", "--dry-run", "pip"], remove=True
        )
    finally:
        engine.close()

    assert python == b"(3, 11) True\n"
    assert pip.startswith(b"Requirement already satisfied: pip")
