"""Instances that are programs of this process: quick, and without a container engine."""

import shutil
import socket
import traceback
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Lock, Thread
from urllib.parse import quote

from cloudrun_emulator.core.interfaces import (
    KILLED,
    STOP_GRACE,
    ImageMissing,
    Instance,
    InstanceSpec,
    LogLine,
    Mount,
    StartRefused,
)
from cloudrun_emulator.runtime import cleanup
from cloudrun_emulator.runtime.instances import stop_all
from cloudrun_emulator.runtime.programs import PROGRAMS, Process, Program


class InProcessRuntime:
    """Runs programs by image name; a spec's command names another program of the same mapping.

    What follows the name in the command comes before the spec's arguments.

    Limits of cpu and memory do not bind here. The port is chosen by the system, whatever the spec
    says: a program listens on the socket that it is given.
    """

    def __init__(self, programs: Mapping[str, Program] | None = None) -> None:
        """`programs` come on top of PROGRAMS."""
        self._programs = {**PROGRAMS, **(programs or {})}
        self._instances: list[InProcessInstance] = []
        self._volumes = cleanup.scratch_folder("volumes")
        self._lock = Lock()

    def start(self, spec: InstanceSpec, _beside: Instance | None = None) -> "InProcessInstance":
        """Raise ImageMissing or StartRefused; all programs find each other on loopback."""
        program = self._program(spec)
        folders = {mount.path: self._folder(mount) for mount in spec.mounts}
        instance = InProcessInstance(spec, program, folders)
        with self._lock:
            self._instances.append(instance)
        return instance

    def close(self) -> None:
        with self._lock:
            instances, self._instances = self._instances, []
        stop_all(instances, timedelta())
        shutil.rmtree(self._volumes, ignore_errors=True)

    def _program(self, spec: InstanceSpec) -> Program:
        if spec.image not in self._programs:
            raise ImageMissing(f"{spec.image}: no such program; there are {sorted(self._programs)}")
        name = spec.command[0] if spec.command else spec.image
        if name not in self._programs:
            raise StartRefused(f'exec: "{name}": executable file not found')
        return self._programs[name]

    def _folder(self, mount: Mount) -> Path:
        folder = self._volumes / quote(mount.source, safe="")
        folder.mkdir(exist_ok=True)
        for file in mount.files:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_bytes(file.content)
                path.chmod(file.mode)
        return folder


class InProcessInstance:
    """A program on a thread."""

    def __init__(self, spec: InstanceSpec, program: Program, folders: Mapping[str, Path]) -> None:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.address: tuple[str, int] = listener.getsockname()
        self._name = spec.name
        self._program = program
        self._process = Process(
            environment=dict(spec.environment),
            args=(*spec.command[1:], *spec.args),
            socket=listener,
            folders=folders,
        )
        self._exit_code: int | None = None
        self._ended = Lock()
        self._thread = Thread(target=self._run, name=spec.name, daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"InProcessInstance({self._name!r}, exit_code={self._exit_code})"

    def exit_code(self) -> int | None:
        return self._exit_code

    def memory_bytes(self) -> None:
        """A thread has no memory of its own."""

    def lines(self) -> Sequence[LogLine]:
        return tuple(self._process.written)

    def stop(self, grace: timedelta = STOP_GRACE) -> None:
        """A thread cannot be killed: after `grace` its socket is closed and it is left behind."""
        self._process.terminated.set()
        self._thread.join(grace.total_seconds())
        self._process.killed.set()
        self._end(KILLED)

    def _run(self) -> None:
        try:
            self._end(self._program(self._process))
        except Exception:  # noqa: BLE001 - any failure of a program is an exit code, as in a container
            self._process.print(traceback.format_exc(), "stderr")
            self._end(1)

    def _end(self, code: int) -> None:
        with self._ended:
            if self._exit_code is None:
                self._process.socket.close()
                self._exit_code = code
