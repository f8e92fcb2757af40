"""What a rehearsal has on this machine, and what of it remains."""

import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import docker

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.runtime.cleanup import OWNER_LABEL, Owner

GONE_WITHIN = timedelta(seconds=30)
LISTENING = "0A"
"""The state of a listening socket in /proc/net/tcp (man 5 proc)."""


def everything_of(engine: docker.DockerClient, cloud: Owner) -> list[str]:
    """Containers, volumes, networks, folders and processes of one cloud; dead ones too."""
    mine: dict[str, str | list[str] | bool] = {"label": f"{OWNER_LABEL}={cloud}"}
    return [
        *(
            f"container {it.id}"
            for it in engine.containers.list(all=True, filters=mine, sparse=True)
        ),
        *(f"volume {it.name}" for it in engine.volumes.list(filters=mine)),
        *(f"network {it.name}" for it in engine.networks.list(filters=mine)),
        *(f"folder {it}" for it in Path(tempfile.gettempdir()).glob(f"*.{cloud}.*")),
        *(f"process {pid}" for pid in processes_of(cloud)),
    ]


def processes_of(cloud: Owner) -> list[int]:
    """The cloud's own process, and Envoy, whose files are in a folder named for the cloud."""
    serving = [] if cloud.is_gone() else [cloud.pid]
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            if f".{cloud}.".encode() in command:
                serving.append(int(folder.name))
    return serving


def ports_of(cloud: Owner) -> set[str]:
    """Where the processes of a cloud listen, as `ADDRESS:PORT INODE` in the kernel's spelling."""
    sockets = {inode for pid in processes_of(cloud) for inode in _sockets(pid)}
    return {line for line in listening() if line.split()[1] in sockets}


def listening() -> set[str]:
    """Every listening TCP socket of this machine."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {f"{row[1]} {row[9]}" for row in rows if row[3] == LISTENING}


def await_nothing_of(engine: docker.DockerClient, cloud: Owner) -> None:
    """Raise TimeoutError, which lists it, when something remains."""

    def is_clean() -> bool:
        return not everything_of(engine, cloud)

    try:
        wait_until(is_clean, GONE_WITHIN, "")
    except TimeoutError:
        raise AssertionError(f"remains: {everything_of(engine, cloud)}") from None


def _sockets(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                name = str(descriptor.readlink())
                if name.startswith("socket:["):
                    found.add(name.removeprefix("socket:[").removesuffix("]"))
    return found
