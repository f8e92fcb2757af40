"""Interfaces to the machine: instances and an ingress."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from signal import SIGKILL, SIGTERM
from typing import Protocol

STOP_GRACE = timedelta(seconds=10)
"""From SIGTERM to SIGKILL. Source: Cloud Run, container runtime contract."""

KILLED, TERMINATED = 128 + SIGKILL, 128 + SIGTERM
"""Exit codes of what a signal ended."""


class ImageMissing(Exception):
    """No image of that name on this machine."""


class StartRefused(Exception):
    """The machine would not start the container; the message says why (a bad command, say)."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that a volume holds from the start: `mode` as chmod counts it."""

    path: str
    content: bytes = field(repr=False)
    mode: int = 0o444


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume of an instance. Instances that name the same source share what is in it.

    `memory_bytes` is the most that a volume in memory takes; 0 for one on disk. `files` are there
    before the instance starts.
    """

    source: str
    path: str
    read_only: bool = False
    memory_bytes: int = 0
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """One container to start.

    `resource` holds the labels of the monitored resource that its output belongs to, with the
    resource's type under `type` (`cloud_run_revision` or `cloud_run_job`). `environment` has its
    secrets resolved. `port` is None for a task, which listens nowhere. `container` tells apart the
    containers of a revision's instance; where there are several, `name` ends with it.
    """

    name: str
    image: str
    resource: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    port: int | None = None
    cpu: float = 1.0
    memory_bytes: int = 512 * 2**20
    mounts: tuple[Mount, ...] = ()
    container: str = ""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a container wrote; `stream` is `stdout` or `stderr`.

    What the platform says of a container has stream SYSTEM and a `severity` of Cloud Logging.
    """

    time: datetime
    stream: str
    text: str
    severity: str = ""


SYSTEM = "varlog/system"


class Instance(Protocol):
    """A started container."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the container itself, never of a published port.

        A TCP probe through a published Docker port always passes: its proxy accepts, then resets.
        """

    def exit_code(self) -> int | None:
        """None while it runs."""

    def memory_bytes(self) -> int | None:
        """Bytes in use; None where nobody measures that, or it has ended."""

    def lines(self) -> Sequence[LogLine]:
        """The output so far, oldest first; still there after it was stopped."""

    def stop(self, grace: timedelta = STOP_GRACE) -> None:
        """SIGTERM, then SIGKILL after `grace`; and leaves nothing behind. Idempotent."""


class Runtime(Protocol):
    """Starts instances: real containers, or servers of this process behind the same contract."""

    def start(self, spec: InstanceSpec, beside: Instance | None = None) -> Instance:
        """Raise ImageMissing or StartRefused; returns before the container listens.

        With `beside` it shares the network of that one: each finds the other on localhost.
        """

    def close(self) -> None:
        """Stop and remove whatever this runtime made: containers, volumes, networks."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The callers of a private address: `callers` by e-mail, or `anybody` who is somebody.

    They show it by an identity token for the service's own URL, or for one of `audiences`.
    """

    callers: frozenset[str]
    audiences: frozenset[str] = frozenset()
    anybody: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """A public address and the revisions behind it.

    `weights` maps revision names to whole percents adding to 100 (empty: nobody, 404); revisions
    without a backend answer 503. Without a guard, whoever asks is answered. An `internal` one
    answers everybody with 404, since everybody comes from outside here, and tells nobody of it.
    """

    name: str
    weights: Mapping[str, int]
    guard: Guard | None = None
    timeout: timedelta = timedelta(seconds=300)
    internal: bool = False


@dataclass(frozen=True, slots=True)
class ServedRequest:
    """A request that the ingress has finished; `revision` is empty where none was reached.

    What a front end answers by itself, as if there were no service, is none.
    """

    time: datetime
    service: str
    revision: str
    method: str
    url: str
    status: int
    latency: timedelta
    user_agent: str
    response_bytes: int
    trace: str = ""


class Ingress(Protocol):
    """The public side: one loopback address per route."""

    def trust(self, keys: str) -> None:
        """Believe identity tokens that are signed with a key of this JSON Web Key Set.

        Comes before the first route; without it no token is good.
        """

    def apply(
        self,
        service: str,
        routes: Iterable[Route],
        backends: Mapping[str, tuple[str, int]],
        http2: Iterable[str] = (),
    ) -> Mapping[str, str]:
        """Make these the routes of `service`; returns the URL of each route by its name.

        The first is the service's own, whose URL identity tokens are for.
        A route keeps its URL as long as it exists. Returns when the change has taken effect. No
        request is dropped by a change. `backends` maps revision names to instance addresses;
        those that `http2` names want HTTP/2 without TLS, the others HTTP/1.1.
        """

    def remove(self, service: str) -> None:
        """Close the addresses of a service."""

    def requests(self) -> Sequence[ServedRequest]:
        """Every request finished so far, oldest first; at most about 200 ms behind."""

    def close(self) -> None:
        """Stop the ingress and free its ports."""


class Fleet(Protocol):
    """All instances of a cloud: the one place that starts them and remembers what they wrote."""

    def start(self, spec: InstanceSpec, beside: Instance | None = None) -> Instance:
        """As Runtime.start; the instance's output stays readable after it was stopped."""

    def note(self, spec: InstanceSpec, severity: str, text: str) -> None:
        """Say as the platform what became of an instance."""

    def output(self) -> Iterable[tuple[InstanceSpec, LogLine]]:
        """Every line of every instance that was ever started, and what was noted of it."""

    def close(self) -> None:
        """Stop every instance."""
