"""Resource Manager: every project exists, and callers may do there what was not denied."""

import re
from collections.abc import Iterable
from threading import Lock

from google.iam.v1 import iam_policy_pb2

from cloudrun_emulator.core.resource_names import invalid

_SHAPE = re.compile(r"[a-z]\w*(\.[a-zA-Z]\w*){2,}")


class UnknownPermission(ValueError):
    """Not what a permission looks like."""


class Permissions:
    """The permissions that are denied, by name (`run.jobs.create`).

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
        """Return those of the permissions that are not denied, in their order."""
        with self._lock:
            return [permission for permission in permissions if permission not in self._denied]


def possible(permission: str) -> str:
    """The permission; raises UnknownPermission for what can be none."""
    if not _SHAPE.fullmatch(permission):
        raise UnknownPermission(f"got {permission!r}, needs a permission like run.jobs.create")
    return permission


_PROJECT = re.compile(r"projects/[^/]+")
_MOST = 100


class Projects:
    """Answers TestIamPermissions alone.

    Source: https://cloud.google.com/resource-manager/reference/rest/v3/projects/testIamPermissions
    """

    def __init__(self, permissions: Permissions) -> None:
        self._permissions = permissions

    def test_iam_permissions(
        self, request: iam_policy_pb2.TestIamPermissionsRequest
    ) -> iam_policy_pb2.TestIamPermissionsResponse:
        """Return those that are granted; at most 100 may be asked for, none with a wildcard."""
        if not _PROJECT.fullmatch(request.resource):
            raise invalid(f"Expected projects/PROJECT, got '{request.resource}'.")
        if len(request.permissions) > _MOST:
            raise invalid(f"At most {_MOST} permissions, got {len(request.permissions)}.")
        if wild := [name for name in request.permissions if "*" in name]:
            raise invalid(f"Permissions with wildcards are not allowed: {', '.join(wild)}.")
        granted = self._permissions.granted(request.permissions)
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=granted)
