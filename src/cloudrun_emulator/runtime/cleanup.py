"""Owners of containers, networks and folders, so that nothing outlasts a cloud that was killed."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import docker
from docker.errors import APIError, DockerException, NotFound

OWNER_LABEL = "greenrun.cloud"
"""On every container, volume and network of a cloud; its value is the owner, as text."""

ENGINE_PATIENCE = timedelta(seconds=10)
"""For one answer of the engine; one that is locked up gives none."""

_SCRATCH = "greenrun-cloud."


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told apart from a later one of the same id by the time it started.

    `started` is in ticks since boot, `namespace` the inode of the PID namespace that `pid` counts
    in; both are 0 where there is no /proc.
    """

    pid: int
    started: int
    namespace: int

    def __str__(self) -> str:
        return f"{self.pid}-{self.started}-{self.namespace}"

    @classmethod
    def parse(cls, text: str) -> "Owner":
        """Raise ValueError for what `str` did not write."""
        pid, started, namespace = map(int, text.split("-"))
        return cls(pid, started, namespace)

    @classmethod
    def of(cls, pid: int) -> "Owner":
        """Raise ProcessLookupError when no such process runs."""
        os.kill(pid, 0)
        return cls(pid, _start_ticks(pid), _namespace())

    def is_gone(self) -> bool:
        """Return False for a process in another PID namespace, which cannot be seen from here."""
        if self.namespace != _namespace():
            return False
        try:
            return Owner.of(self.pid) != self
        except ProcessLookupError:
            return True
        except PermissionError:
            return False


def this_process() -> Owner:
    return Owner.of(os.getpid())


def scratch_folder(purpose: str) -> Path:
    """Make a folder for files of this process; remove those of processes that are gone."""
    remove_scratch_folders()
    return Path(tempfile.mkdtemp(prefix=f"{_SCRATCH}{this_process()}.{purpose}."))


def remove_scratch_folders() -> None:
    """Remove the scratch folders of processes that are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*"):
        with contextlib.suppress(ValueError):
            owner = Owner.parse(folder.name.removeprefix(_SCRATCH).partition(".")[0])
            if owner.is_gone():
                shutil.rmtree(folder, ignore_errors=True)


def remove_from_engine(engine: docker.DockerClient) -> None:
    """Remove the containers, volumes and networks of processes that are gone."""
    for container in engine.containers.list(all=True, filters={"label": OWNER_LABEL}, sparse=True):
        if _is_orphan(container.attrs["Labels"]):
            with _already_going():
                container.remove(force=True, v=True)
    for volume in engine.volumes.list(filters={"label": OWNER_LABEL}):
        if _is_orphan(volume.attrs["Labels"]):
            with _already_going():
                volume.remove(force=True)
    for network in engine.networks.list(filters={"label": OWNER_LABEL}):
        if _is_orphan(network.attrs["Labels"]):
            with _already_going():
                network.remove()


def clean_up() -> None:
    """Remove whatever clouds left behind whose process is gone; those that live keep theirs.

    What an engine does not let go of in ENGINE_PATIENCE is left to the next start.
    """
    remove_scratch_folders()
    with contextlib.suppress(DockerException, OSError), _engine() as engine:
        remove_from_engine(engine)


def _engine() -> contextlib.closing[docker.DockerClient]:
    return contextlib.closing(docker.from_env(timeout=int(ENGINE_PATIENCE.total_seconds())))


def _is_orphan(labels: dict[str, str]) -> bool:
    try:
        return Owner.parse(labels[OWNER_LABEL]).is_gone()
    except ValueError:
        return False


@contextlib.contextmanager
def _already_going() -> Iterator[None]:
    """Another start may be cleaning up the same: what is gone or going is as good as removed."""
    try:
        yield
    except NotFound:
        return
    except APIError as error:
        if error.status_code not in {HTTPStatus.CONFLICT, HTTPStatus.FORBIDDEN}:
            raise


def _start_ticks(pid: int) -> int:
    """Fields 3 and 22 of /proc/PID/stat (man 5 proc); the name in field 2 may hold anything.

    A zombie has ended, even where nobody ever collects it.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0
    state, *fields = stat.rpartition(")")[2].split()
    if state in {"Z", "X"}:
        raise ProcessLookupError(f"process {pid} has ended")
    return int(fields[22 - 4])


def _namespace() -> int:
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except FileNotFoundError:
        return 0
