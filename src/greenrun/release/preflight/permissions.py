"""Permissions that a release needs, and the role to ask for where one is missing.

Source: https://cloud.google.com/iam/docs/roles-permissions
"""

from collections.abc import Callable, Iterator, Mapping

from greenrun.model.plan import Plan
from greenrun.release.preflight.context import Context, Problem

_DEVELOPER, _ADMIN = "roles/run.developer", "roles/run.admin"
_WRITER, _REPOSITORY_ADMIN = "roles/artifactregistry.writer", "roles/artifactregistry.repoAdmin"
_ALERT_EDITOR = "roles/monitoring.alertPolicyEditor"

_ALWAYS = {
    "run.services.get": _DEVELOPER,
    "run.services.update": _DEVELOPER,
    "run.revisions.get": _DEVELOPER,
    "run.revisions.list": _DEVELOPER,
    "run.revisions.delete": _DEVELOPER,
    "run.operations.get": _DEVELOPER,
    "run.jobs.create": _DEVELOPER,
    "run.jobs.get": _DEVELOPER,
    "run.jobs.list": _DEVELOPER,
    "run.jobs.update": _DEVELOPER,
    "run.jobs.delete": _DEVELOPER,
    "iam.serviceAccounts.actAs": "roles/iam.serviceAccountUser",
    "logging.logEntries.list": "roles/logging.viewer",
    "monitoring.timeSeries.list": "roles/monitoring.viewer",
}
_MIGRATING = {
    "run.jobs.run": _DEVELOPER,
    "run.executions.get": _DEVELOPER,
    "run.executions.list": _DEVELOPER,
}
_PUBLIC = {"run.services.getIamPolicy": _ADMIN, "run.services.setIamPolicy": _ADMIN}
_PRIVATE = {"run.routes.invoke": "roles/run.invoker"}
_REFERRING = {"secretmanager.versions.get": "roles/secretmanager.viewer"}
_PROBING = {"secretmanager.versions.access": "roles/secretmanager.secretAccessor"}
_PUSHING = {
    "artifactregistry.repositories.uploadArtifacts": _WRITER,
    "artifactregistry.repositories.downloadArtifacts": _WRITER,
}
_PURGING = {
    "artifactregistry.tags.delete": _REPOSITORY_ADMIN,
    "artifactregistry.versions.delete": _REPOSITORY_ADMIN,
}
_ALERTING = {
    "monitoring.alertPolicies.list": _ALERT_EDITOR,
    "monitoring.alertPolicies.create": _ALERT_EDITOR,
}
_OVERWRITING = {"monitoring.alertPolicies.update": _ALERT_EDITOR}

_Needs = tuple[Callable[[Plan], bool], Mapping[str, str]]


def suffice(context: Context) -> Iterator[Problem]:
    """There is an account, it may read the service, and it has every permission."""
    account, place = context.dependencies.access.account(), context.plan.place
    context.measure("account", account)
    context.measure("project", f"{place.project}, region {place.region}")
    permissions = needed(context.plan)
    missing = context.dependencies.access.missing(tuple(permissions))
    context.measure(
        "permissions", f"{len(permissions) - len(missing)} of {len(permissions)} that are needed"
    )
    for permission in missing:
        yield Problem(
            f"permission {permission}: got none for {account}, needs it in {place.project}",
            f"gcloud projects add-iam-policy-binding {place.project} "
            f"--member={_member(account)} --role={permissions[permission]}",
        )
    context.dependencies.platform.service()


def needed(plan: Plan) -> dict[str, str]:
    """Every permission that this plan needs, each with the predefined role that brings it."""
    return {
        permission: role
        for applies, permissions in _table()
        if applies(plan)
        for permission, role in permissions.items()
    }


def _table() -> Iterator[_Needs]:
    yield lambda _: True, _ALWAYS
    yield lambda plan: plan.migration is not None, _MIGRATING
    yield lambda plan: plan.public, _PUBLIC
    yield lambda plan: not plan.public, _PRIVATE
    yield lambda plan: bool(plan.settings.secrets), _REFERRING
    yield lambda plan: bool(plan.settings.secrets and plan.identities), _PROBING
    yield _pushes_into_project, _PUSHING
    yield lambda plan: plan.keep_images is not None and _pushes_into_project(plan), _PURGING
    yield lambda plan: bool(plan.monitoring and plan.monitoring.alerts), _ALERTING
    yield _overwrites_alerts, _OVERWRITING


def _overwrites_alerts(plan: Plan) -> bool:
    return bool(plan.monitoring and plan.monitoring.alerts and plan.monitoring.overwrite)


def _pushes_into_project(plan: Plan) -> bool:
    """True for a repository of the plan's own project: of another's nothing is known here."""
    host, _, path = plan.build.repository.partition("/")
    googles = host.endswith(("pkg.dev", "gcr.io"))
    return googles and path.startswith(f"{plan.place.project}/")


def _member(account: str) -> str:
    """The account as a member of an IAM policy."""
    if account.endswith("gserviceaccount.com"):
        return f"serviceAccount:{account}"
    return f"user:{account}" if "@" in account else "user:ACCOUNT"
