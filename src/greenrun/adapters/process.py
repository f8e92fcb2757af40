"""The process that releases, and whether one that did is gone."""

import os
import socket
from pathlib import Path
from uuid import uuid4

from greenrun.model.lease import LeaseHolder

_PROC = Path("/proc")


def this_process(account: str) -> LeaseHolder:
    """Ourselves, in a run of our own."""
    pid = os.getpid()
    return LeaseHolder(account, socket.gethostname(), pid, uuid4().hex, _lifetime(pid))


def is_gone(owner: LeaseHolder) -> bool:
    """True where it is certain: a process of this very machine that runs no more.

    One that counts in another PID namespace, or before the machine was started anew, cannot be
    seen from here, and nothing is said of it.
    """
    scope, _, started = owner.lifetime.rpartition("/")
    if not started or scope != _scope():
        return False
    return _lifetime(owner.process) != owner.lifetime


def _lifetime(pid: int) -> str:
    """Where and when a process was started: `BOOT/NAMESPACE/TICKS`; empty where it is not there."""
    try:
        # Fields are counted after the name in brackets, which may hold anything: man 5 proc.
        started = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
    return f"{_scope()}/{started}"


def _scope() -> str:
    """This start of the machine, and the PID namespace that we count in."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return ""
