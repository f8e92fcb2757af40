"""Projects: every one exists, and tells its callers what they may do in it."""

import re

from google.iam.v1 import iam_policy_pb2

from cloudrun_emulator.apis.resourcemanager.permissions import Permissions
from cloudrun_emulator.core.resource_names import invalid

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
        """Those that were asked for and are granted; at most 100 at a time, without wildcards."""
        if not _PROJECT.fullmatch(request.resource):
            raise invalid(f"Expected projects/PROJECT, got '{request.resource}'.")
        if len(request.permissions) > _MOST:
            raise invalid(f"At most {_MOST} permissions, got {len(request.permissions)}.")
        if wild := [name for name in request.permissions if "*" in name]:
            raise invalid(f"Permissions with wildcards are not allowed: {', '.join(wild)}.")
        granted = self._permissions.granted(request.permissions)
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=granted)
