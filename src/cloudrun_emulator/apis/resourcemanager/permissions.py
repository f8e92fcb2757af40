"""What callers may do: everything but what was denied."""

import re
from collections.abc import Iterable
from threading import Lock

_SHAPE = re.compile(r"[a-z]\w*(\.[a-zA-Z]\w*){2,}")


class UnknownPermission(ValueError):
    """Not what a permission looks like."""


class Permissions:
    """Those that are denied, by name (`run.jobs.create`).

    They are denied where callers ask for them; calls are refused by faults (`PERMISSION_DENIED`).
    """

    def __init__(self) -> None:
        self._denied: set[str] = set()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"Permissions(denied={sorted(self._denied)})"

    def deny(self, permission: str) -> None:
        """Raises UnknownPermission for what can be none."""
        with self._lock:
            self._denied.add(possible(permission))

    def grant(self, permission: str) -> None:
        """Take a denial back. Nothing happens where there is none."""
        with self._lock:
            self._denied.discard(permission)

    def granted(self, permissions: Iterable[str]) -> list[str]:
        """Those of the permissions that are not denied, in their order."""
        with self._lock:
            return [permission for permission in permissions if permission not in self._denied]


def possible(permission: str) -> str:
    """The permission; raises UnknownPermission for what can be none."""
    if not _SHAPE.fullmatch(permission):
        raise UnknownPermission(f"got {permission!r}, needs a permission like run.jobs.create")
    return permission
