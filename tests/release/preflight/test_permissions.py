"""Credentials suffice for what the plan needs, and for nothing more."""

from dataclasses import replace

import pytest

from greenrun.model.plan import BuildPlan, Plan
from greenrun.model.revision import SecretReference
from greenrun.release.preflight import permissions
from greenrun.release.preflight.context import Context
from greenrun.release.preflight.permissions import Situation, needed
from tests.conftest import World
from tests.fakes import MANIFEST
from tests.release.preflight.conftest import Told


def test_everything_is_granted(told: Told, plan: Plan, context: Context) -> None:
    count = len(needed(plan, Situation()))
    assert told(permissions.suffice) == []
    assert context.measured == [
        "account: somebody@example.com",
        "project: rehearsal, region europe-west1",
        f"permissions: {count} of {count} that are needed",
        "registry: answers for registry.test/shop, latest is not there",
    ]


@pytest.mark.parametrize(
    ("account", "member"),
    [
        ("somebody@example.com", "user:somebody@example.com"),
        ("r@shop.iam.gserviceaccount.com", "serviceAccount:r@shop.iam.gserviceaccount.com"),
        ("nobody (emulator)", "user:ACCOUNT"),
    ],
)
def test_what_is_missing_comes_with_the_role_to_ask_for(
    told: Told, world: World, account: str, member: str
) -> None:
    world.access.name = account
    world.access.lacks = {"run.jobs.create", "logging.logEntries.list"}
    command = "hint: gcloud projects add-iam-policy-binding rehearsal"
    assert told(permissions.suffice) == [
        (
            f"permission run.jobs.create: got none for {account}, needs it in rehearsal; "
            f"{command} --member={member} --role=roles/run.developer"
        ),
        (
            f"permission logging.logEntries.list: got none for {account}, needs it in rehearsal; "
            f"{command} --member={member} --role=roles/logging.viewer"
        ),
    ]


def referring(plan: Plan, **identities: dict[str, str]) -> Plan:
    settings = replace(plan.settings, secrets={"KEY": SecretReference("key")})
    return replace(plan, settings=settings, identities=identities)


def kept_at(plan: Plan, repository: str, keep: int | None = None) -> Plan:
    return replace(plan, build=BuildPlan(repository), keep_images=keep)


def built_elsewhere(plan: Plan) -> Plan:
    return replace(plan, build=replace(plan.build, image=f"{plan.build.repository}:v1"))


OWN = "europe-west1-docker.pkg.dev/rehearsal/app/shop"


@pytest.mark.parametrize(
    ("permission", "without", "needing"),
    [
        ("run.jobs.run", lambda plan: replace(plan, migration=None), lambda plan: plan),
        ("run.services.setIamPolicy", lambda plan: replace(plan, public=False), lambda plan: plan),
        ("run.routes.invoke", lambda plan: plan, lambda plan: replace(plan, public=False)),
        ("secretmanager.versions.get", lambda plan: plan, referring),
        (
            "secretmanager.versions.access",
            lambda plan: referring(plan, user={"a": "KEY"}),
            lambda plan: referring(plan, user={"a": "{KEY}"}),
        ),
        (
            "artifactregistry.repositories.uploadArtifacts",
            lambda plan: kept_at(plan, "europe-west1-docker.pkg.dev/another/app/shop"),
            lambda plan: kept_at(plan, OWN),
        ),
        (
            "artifactregistry.repositories.uploadArtifacts",
            lambda plan: kept_at(plan, "127.0.0.1:5000/rehearsal/shop"),
            lambda plan: kept_at(plan, "gcr.io/rehearsal/shop"),
        ),
        (
            "artifactregistry.repositories.uploadArtifacts",
            lambda plan: built_elsewhere(kept_at(plan, OWN)),
            lambda plan: kept_at(plan, OWN),
        ),
        (
            "artifactregistry.versions.delete",
            lambda plan: kept_at(plan, OWN),
            lambda plan: kept_at(plan, OWN, keep=3),
        ),
    ],
)
def test_only_what_the_plan_needs_is_asked_for(
    plan: Plan, permission: str, without: object, needing: object
) -> None:
    assert callable(without)
    assert callable(needing)
    assert permission not in needed(without(plan), Situation())
    assert permission in needed(needing(plan), Situation())


@pytest.mark.parametrize(
    ("permission", "situations"),
    [
        ("run.services.create", (Situation(first=True),)),
        ("run.services.delete", (Situation(first=True),)),
        ("run.routes.invoke", (Situation(first=True),)),
        ("run.services.setIamPolicy", (Situation(first=True), Situation())),
    ],
)
def test_only_what_will_be_used_is_asked_for(
    plan: Plan, permission: str, situations: tuple[Situation, ...]
) -> None:
    """Who may invoke a service is set only where it is not as it has to be."""
    every = (Situation(first=True), Situation(), Situation(open=True))
    assert tuple(each for each in every if permission in needed(plan, each)) == situations


@pytest.mark.parametrize("opened", [True, False])
def test_who_may_invoke_a_service_that_everybody_may_invoke_is_not_to_be_set(
    told: Told, world: World, *, opened: bool
) -> None:
    world.platform.public = opened
    world.access.lacks = {"run.services.setIamPolicy"}
    assert len(told(permissions.suffice)) == (0 if opened else 1)


def test_an_image_that_was_built_elsewhere_has_to_be_there(
    told: Told, world: World, plan: Plan
) -> None:
    wanted = built_elsewhere(plan)
    assert told(permissions.suffice, wanted) == [
        (
            "image registry.test/shop:v1: got none in the registry, needs the one that is "
            "released; hint: push it there, or correct `build.image` in release.yaml"
        )
    ]
    world.registry.held["registry.test/shop:v1"] = MANIFEST
    assert told(permissions.suffice, wanted) == []
