"""What a program sees of the container that it believes to run in."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from cloudrun_emulator.core.interfaces import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Variables, arguments, folders by mount path, one socket, and the two signals of an end.

    `socket` is bound and does not listen yet: connections are refused until the program calls
    `listen`. After `terminated` a program has its grace to return; `killed` grants none.
    """

    environment: Mapping[str, str]
    args: tuple[str, ...]
    socket: socket.socket
    folders: Mapping[str, Path]
    terminated: Event = field(default_factory=Event)
    killed: Event = field(default_factory=Event)
    written: list[Line] = field(default_factory=list)

    def print(self, text: str, stream: str = "stdout") -> None:
        now = datetime.now(UTC)
        self.written.extend(Line(now, stream, line) for line in text.splitlines())


Program = Callable[[Process], int]
"""Runs until its work is done or it is terminated; returns the exit code."""
