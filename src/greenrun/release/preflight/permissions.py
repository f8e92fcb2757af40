"""Permissions that a release needs, and the role to ask for where one is missing.

Source: https://cloud.google.com/iam/docs/roles-permissions
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from greenrun.model.errors import CallFailed
from greenrun.model.plan import Plan
from greenrun.release.preflight.context import Context, Problem
from greenrun.release.preflight.rollback import is_first, is_held

_DEVELOPER, _ADMIN = "roles/run.developer", "roles/run.admin"
_WRITER, _REPOSITORY_ADMIN = "roles/artifactregistry.writer", "roles/artifactregistry.repoAdmin"
_ALERT_EDITOR = "roles/monitoring.alertPolicyEditor"

_ALWAYS = {
    "run.services.get": _DEVELOPER,
    "run.services.update": _DEVELOPER,
    "run.revisions.get": _DEVELOPER,
    "run.revisions.list": _DEVELOPER,
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
_FIRST = {"run.services.create": _DEVELOPER, "run.services.delete": _DEVELOPER}
_SEEING_WHO_MAY_INVOKE = {"run.services.getIamPolicy": "roles/run.viewer"}
_LETTING_EVERYBODY_IN = {"run.services.setIamPolicy": _ADMIN}
_INVOKING = {"run.routes.invoke": "roles/run.invoker"}
_REFERRING = {"secretmanager.versions.get": "roles/secretmanager.viewer"}
_PROBING = {"secretmanager.versions.access": "roles/secretmanager.secretAccessor"}
_PUSHING = {
    "artifactregistry.repositories.uploadArtifacts": _WRITER,
    "artifactregistry.repositories.downloadArtifacts": _WRITER,
}
_PULLING = {"artifactregistry.repositories.downloadArtifacts": "roles/artifactregistry.reader"}
_PURGING = {
    "artifactregistry.tags.delete": _REPOSITORY_ADMIN,
    "artifactregistry.versions.delete": _REPOSITORY_ADMIN,
}
_ALERTING = {
    "monitoring.alertPolicies.list": _ALERT_EDITOR,
    "monitoring.alertPolicies.create": _ALERT_EDITOR,
}
_OVERWRITING = {"monitoring.alertPolicies.update": _ALERT_EDITOR}


@dataclass(frozen=True, slots=True)
class Situation:
    """What is there before a release: whether it is the first, and who may invoke the service."""

    first: bool = False
    open: bool = False


_Needs = tuple[Callable[[Plan, Situation], bool], Mapping[str, str]]


def suffice(context: Context) -> Iterator[Problem]:
    """There is an account, with every permission; service and registry answer it."""
    account, place = context.dependencies.access.account(), context.plan.place
    context.measure("account", account)
    context.measure("project", f"{place.project}, region {place.region}")
    permissions = needed(context.plan, _situation(context))
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
    yield from _registry(context)


def _registry(context: Context) -> Iterator[Problem]:
    """Ask it for what is there already: that it answers, and that what was built elsewhere is."""
    build, registry = context.plan.build, context.dependencies.registry
    found = registry.digest(build.repository, "latest")
    context.measure("registry", f"answers for {build.repository}, latest is {found or 'not there'}")
    if build.image and not is_held(build.image, registry):
        yield Problem(
            f"image {build.image}: got none in the registry, needs the one that is released",
            "push it there, or correct `build.image` in release.yaml",
        )


def _situation(context: Context) -> Situation:
    """In doubt a permission is asked for."""
    first = opened = False
    with suppress(CallFailed):
        first = is_first(context)
        opened = not first and context.dependencies.platform.invokable_by_all()
    return Situation(first, opened)


def needed(plan: Plan, situation: Situation) -> dict[str, str]:
    """Every permission that will be used, each with the predefined role that brings it."""
    return {
        permission: role
        for applies, permissions in _table()
        if applies(plan, situation)
        for permission, role in permissions.items()
    }


def _table() -> Iterator[_Needs]:
    yield lambda _, __: True, {**_ALWAYS, **_SEEING_WHO_MAY_INVOKE}
    yield lambda _, now: now.first, _FIRST
    yield lambda plan, _: plan.migration is not None, _MIGRATING
    yield lambda plan, now: plan.public and not now.open, _LETTING_EVERYBODY_IN
    yield lambda plan, now: not plan.public or now.first, _INVOKING
    yield lambda plan, _: bool(plan.settings.every_secret), _REFERRING
    yield lambda plan, _: _speaks_by_secrets(plan), _PROBING
    yield lambda plan, _: _is_in_project(plan) and not plan.build.image, _PUSHING
    yield lambda plan, _: _is_in_project(plan) and bool(plan.build.image), _PULLING
    yield lambda plan, _: plan.keep_images is not None and _is_in_project(plan), _PURGING
    yield lambda plan, _: bool(plan.monitoring and plan.monitoring.alerts), _ALERTING
    yield lambda plan, _: _overwrites_alerts(plan), _OVERWRITING


def _overwrites_alerts(plan: Plan) -> bool:
    return bool(plan.monitoring and plan.monitoring.alerts and plan.monitoring.overwrite)


def _speaks_by_secrets(plan: Plan) -> bool:
    """True where an identity shows the value of a secret."""
    shown = [text for headers in plan.identities.values() for text in headers.values()]
    return any(f"{{{name}}}" in text for name in plan.settings.every_secret for text in shown)


def _is_in_project(plan: Plan) -> bool:
    """True for a repository of the plan's own project: of another's nothing is known here."""
    host, _, path = plan.build.repository.partition("/")
    googles = host.endswith(("pkg.dev", "gcr.io"))
    project = plan.place.project.replace(":", "/")  # of one with a domain before it
    return googles and path.startswith(f"{project}/")


def _member(account: str) -> str:
    """The account as a member of an IAM policy."""
    if account.endswith("gserviceaccount.com"):
        return f"serviceAccount:{account}"
    return f"user:{account}" if "@" in account else "user:ACCOUNT"
