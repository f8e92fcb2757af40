"""What may be denied."""

import pytest

from cloudrun_emulator.apis.resourcemanager import Permissions, UnknownPermission


@pytest.mark.parametrize(
    "text", ["", "run", "run.jobs", "run.jobs.*", "roles/run.admin", "a b.c.d"]
)
def test_what_can_be_no_permission_is_refused(text: str) -> None:
    with pytest.raises(UnknownPermission, match=r"needs a permission like run\.jobs\.create"):
        Permissions().deny(text)


def test_denials_are_told_by_name() -> None:
    permissions = Permissions()
    permissions.deny("run.jobs.run")
    permissions.deny("iam.serviceAccounts.actAs")
    assert repr(permissions) == "Permissions(denied=['iam.serviceAccounts.actAs', 'run.jobs.run'])"
