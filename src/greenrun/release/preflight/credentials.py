"""Whose credentials these are, and whether they suffice for the whole release (P1.3)."""

from collections.abc import Iterator

from greenrun.release.preflight.context import Doubt, Scene
from greenrun.release.preflight.permissions import needed


def suffice(scene: Scene) -> Iterator[Doubt]:
    """There is an account, it may read the service, and it has every permission."""
    account, place = scene.dependencies.access.account(), scene.plan.place
    scene.measure("account", account)
    scene.measure("project", f"{place.project}, region {place.region}")
    dependencies = needed(scene.plan)
    missing = scene.dependencies.access.missing(tuple(dependencies))
    scene.measure(
        "permissions", f"{len(dependencies) - len(missing)} of {len(dependencies)} that are needed"
    )
    for permission in missing:
        yield Doubt(
            f"permission {permission}: got none for {account}, needs it in {place.project}",
            f"gcloud projects add-iam-policy-binding {place.project} "
            f"--member={_member(account)} --role={dependencies[permission]}",
        )
    scene.dependencies.platform.service()


def _member(account: str) -> str:
    """As IAM names it."""
    if account.endswith("gserviceaccount.com"):
        return f"serviceAccount:{account}"
    return f"user:{account}" if "@" in account else "user:ACCOUNT"
