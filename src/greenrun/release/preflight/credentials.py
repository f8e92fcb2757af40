"""Whose credentials these are, and whether they suffice for the whole release (P1.3)."""

from collections.abc import Iterator

from greenrun.release.preflight.context import Doubt, Scene
from greenrun.release.preflight.permissions import needed


def suffice(scene: Scene) -> Iterator[Doubt]:
    """There is an account, it may read the service, and it has every permission."""
    account, place = scene.roles.access.account(), scene.plan.place
    scene.measure("account", account)
    scene.measure("project", f"{place.project}, region {place.region}")
    roles = needed(scene.plan)
    missing = scene.roles.access.missing(tuple(roles))
    scene.measure("permissions", f"{len(roles) - len(missing)} of {len(roles)} that are needed")
    for permission in missing:
        yield Doubt(
            f"permission {permission}: got none for {account}, needs it in {place.project}",
            f"gcloud projects add-iam-policy-binding {place.project} "
            f"--member={_member(account)} --role={roles[permission]}",
        )
    scene.roles.platform.service()


def _member(account: str) -> str:
    """As IAM names it."""
    if account.endswith("gserviceaccount.com"):
        return f"serviceAccount:{account}"
    return f"user:{account}" if "@" in account else "user:ACCOUNT"
