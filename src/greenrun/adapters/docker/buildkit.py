"""Building by the engine's BuildKit, which only its own commands speak to."""

import csv
import io
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Self

from greenrun.adapters.docker.context import BuildContext, BuildOrder
from greenrun.adapters.docker.transcript import Transcript
from greenrun.adapters.machine import end_group
from greenrun.model.errors import CallFailed, GateClosed

_WITHIN_SECONDS = 10
_GRACE = timedelta(seconds=10)
_LONGEST_LINE = 65536  # characters; a longer one is read in parts
_BUILT_IN = re.compile(r"version (20\.10|2[0-2]\.\d+)\.")
"""Docker commands that speak to BuildKit by themselves; later ones want buildx for it."""

_NEWER = re.compile(r"(?i)unknown (flag|instruction)|parse error")
_NEWER_ENGINE = (
    "correct that line; here-documents and COPY --link need a Docker engine from 23 on, or "
    "`# syntax=docker/dockerfile:1` where that image can be pulled"
)
_Process = subprocess.Popen[str]

_STEP = re.compile(r"#(\d+) (.*\S)")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_FRONTEND = re.compile(
    rb"(?i)\A((?:\xef\xbb\xbf)?(?:#\s*\w+\s*=[^\n]*\n)*?)#\s*syntax\s*=\s*(\S+)[^\n]*"
)
_OFFICIAL = re.compile(rb"(docker\.io/)?docker/dockerfile(:[\w.-]+)?(@sha256:[0-9a-f]{64})?")
_NOISE = re.compile(
    r"ERROR: |failed to solve( with frontend [\w.]+)?: |rpc error: code = \w+ desc = "
    r"|failed to (create|build) LLB( definition)?: "
)


@dataclass(frozen=True, slots=True)
class BuildKit:
    """A command of this machine that has an engine build with BuildKit.

    `loads`: it has to be asked for the image.
    """

    command: Sequence[str]
    name: str
    host: str
    loads: bool = False

    def build(self, order: BuildOrder, transcript: Transcript) -> None:
        """Build and tag. Raises as Builder.build does."""
        with TemporaryDirectory(prefix="greenrun-") as private, _Countdown(order) as countdown:
            copy = _Copy(Path(private), order.context)
            arguments = (*_options(order), f"--file={copy.path}", str(order.context.folder))
            status = self._run(arguments, transcript, countdown)
            if status and copy.frontend and "resolve image config" in transcript.instruction:
                transcript.note(f"{copy.frontend} cannot be had: building without it")
                copy.without_frontend()
                status = self._run(arguments, transcript, countdown)
        if countdown.struck:
            raise transcript.over_budget(order.plan)
        if status:
            raise _failure(transcript)

    def _run(
        self, arguments: Sequence[str], transcript: Transcript, countdown: "_Countdown"
    ) -> int:
        load = ("--load",) if self.loads else ()
        command = (*self.command, "build", "--progress=plain", *load, *arguments)
        with _started(command, self._variables) as process:
            countdown.of(process)
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            stream = process.stdout
            follow(iter(lambda: stream.readline(_LONGEST_LINE), ""), transcript)
            return process.wait()

    @property
    def _variables(self) -> dict[str, str]:
        return {
            "BUILDX_BUILDER": "default",  # as `docker build` does, whatever was chosen for buildx
            **os.environ,
            "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",  # an image is one manifest
            "DOCKER_BUILDKIT": "1",
            "DOCKER_HOST": self.host,
        }


def buildkit_of(host: str) -> BuildKit | None:
    """What speaks to the BuildKit of an engine here; None where nothing does, or nobody wants it.

    buildx comes first, as a part of `docker` or by itself.
    """
    if os.environ.get("DOCKER_BUILDKIT") == "0":
        return None
    dockers, alone = _programs("docker"), _programs("docker-buildx")
    for command in (*((docker, "buildx") for docker in dockers), *((each,) for each in alone)):
        if said := _said(*command, "version"):
            return BuildKit(command, f"BuildKit (buildx {_number(said)})", host, loads=True)
    for docker in dockers:
        if _BUILT_IN.search(said := _said(docker, "--version")):
            return BuildKit((docker,), f"BuildKit (docker {_number(said)})", host)
    return None


def _programs(name: str) -> Sequence[str]:
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = (shutil.which(name, path=folder) for folder in folders if folder)
    return tuple(dict.fromkeys(filter(None, found)))


def _said(*command: str) -> str:
    """What it says of itself; nothing where it says no."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell, no foreign words
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_WITHIN_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _number(said: str) -> str:
    found = re.search(r"\d+\.\d+[.\d]*", said)
    return found[0] if found else "of an unknown version"


class _Copy:
    """A Dockerfile and what it leaves out, in a folder of our own: nothing is written elsewhere."""

    def __init__(self, private: Path, context: BuildContext) -> None:
        self.path = private / "Dockerfile"
        self._content = context.instructions
        self.path.write_bytes(self._content)
        patterns = "\n".join(context.patterns).encode(errors="surrogateescape")
        (private / "Dockerfile.dockerignore").write_bytes(patterns)

    @property
    def frontend(self) -> str:
        """The image that is asked for to read it, where its releases are what BuildKit has."""
        found = _FRONTEND.match(self._content)
        known = found is not None and _OFFICIAL.fullmatch(found[2])
        return known[0].decode() if known else ""

    def without_frontend(self) -> None:
        """Have it read by what BuildKit has; lines keep their numbers."""
        self.path.write_bytes(_FRONTEND.sub(rb"\1#", self._content, count=1))


class _Countdown:
    """Ends whatever process of a build runs when its time is up."""

    def __init__(self, order: BuildOrder) -> None:
        self.struck = False
        self._process: _Process | None = None
        self._timer = Timer(order.plan.within.total_seconds(), self._strike)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def of(self, process: _Process) -> None:
        """Watch over a process of the build; the last, where there are several."""
        self._process = process
        if self.struck:
            self._strike()

    def _strike(self) -> None:
        self.struck = True
        if self._process is not None:
            end_group(self._process, _GRACE)


@contextmanager
def _started(command: Sequence[str], variables: Mapping[str, str]) -> Iterator[_Process]:
    """A process in a group of its own, which ends with it."""
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell; release.yaml says what is built
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise CallFailed(f"could not run {command[0]}: got {error.strerror}") from error
    with process:
        try:
            yield process
        finally:
            end_group(process, _GRACE)


def _options(order: BuildOrder) -> Iterator[str]:
    """Secrets are told by where they stand; whatever is an argument shows in lists of processes."""
    plan = order.plan
    yield f"--tag={order.reference}"
    yield f"--platform={plan.platform}"
    yield from (f"--label={name}={text}" for name, text in order.labels.items())
    yield from (f"--build-arg={name}={text}" for name, text in plan.args.items())
    if plan.target:
        yield f"--target={plan.target}"
    for name, secret in plan.secrets.items():
        place = f"env={secret.variable}" if secret.variable else f"src={secret.file}"
        yield f"--secret={_comma_separated(f'id={name}', place)}"


def _comma_separated(*fields: str) -> str:
    """In quotes where a field has commas of its own."""
    written = io.StringIO()
    csv.writer(written).writerow(fields)
    return written.getvalue().rstrip()


def follow(lines: Iterable[str], transcript: Transcript) -> None:
    """Read the progress of a build: each step is named once, and is the last where it fails."""
    names: dict[str, str] = {}
    for line in lines:
        step = _STEP.match(line)
        if step and _DIGEST.fullmatch(step[2]):
            continue
        transcript.add(line)
        if step is None:
            continue
        number, text = step[1], step[2]
        if number not in names:
            names[number] = text
            _begin(text, transcript)
        elif text.startswith("ERROR"):
            transcript.instruction = names[number]
        else:
            transcript.progress(f"{names[number]}: {text}")


def _begin(step: str, transcript: Transcript) -> None:
    """Go on to a step; what BuildKit does for itself is no instruction of the Dockerfile."""
    if step.startswith(("[internal]", "building with ")):
        transcript.progress(step)
    else:
        transcript.begin(step)


def _failure(transcript: Transcript) -> GateClosed:
    lines = [line for line in transcript.text.splitlines() if line.strip()]
    told = [line for line in lines if "failed to solve" in line or line.startswith("ERROR: ")]
    reason = _NOISE.sub("", (told or lines or ["nothing"])[-1])
    return transcript.failure(reason, _NEWER_ENGINE if _NEWER.search(reason) else "")
