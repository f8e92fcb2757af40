"""`pytest features/ --env=prod` releases what was rehearsed, and writes down what it did."""

import pytest

from tests.production.production import FIRST, Ended, Production

pytestmark = pytest.mark.docker


def test_a_release_is_rehearsed_and_promoted(first: Ended) -> None:
    assert first.status == 0, first.output
    assert "Released to prod" in first.output
    assert first.record["outcome"] == "released"
    assert first.record["exit_status"] == 0
    assert first.record["baseline"] == FIRST


def test_the_bytes_that_were_rehearsed_are_the_bytes_that_serve(
    production: Production, first: Ended
) -> None:
    record = first.record
    revision = production.dependencies.platform.revision(record["candidate"])
    assert revision is not None
    assert revision.image == f"{production.plan.build.repository}@{record['manifest']}"
    held = production.dependencies.builder.image(record["image_id"])
    assert held is not None
    assert str(held.digest) == record["image_id"]


def test_a_release_leaves_its_record_in_the_repository(
    production: Production, first: Ended
) -> None:
    folder = production.project.folder / "docs/deployments"
    suffix = first.record["candidate"].removeprefix("emergence-app-")
    (page,) = folder.glob(f"*-deploy-{suffix}.md")
    assert page.name in (folder / "README.md").read_text("utf-8")
    assert "pytest features/07-rollback.feature --env=prod" in page.read_text("utf-8")


def test_a_release_gives_every_alert_its_policy(first: Ended) -> None:
    assert {policy["outcome"] for policy in first.record["alert_policies"]} == {"created"}


def test_a_plan_changes_nothing(production: Production, first: Ended, baseline: str) -> None:
    before = len(production.cloud.calls.changes())
    ended = production.release("features/", "--env=prod", "--plan", "--no-html")

    assert ended.status == 0, ended.output
    assert production.cloud.calls.changes()[before:] == []
    assert "Nothing was changed: this is what a release would do" in ended.output
    assert f"100 % {baseline}" in ended.output
    assert "If it fails" in ended.output
    told = " ".join(ended.output.split())
    for policy in first.record["alert_policies"]:
        assert f"alert policy for {policy['alert']} as it has to be" in told
    assert "alert rules success rate at least 95 %, p95 latency at most 8000 ms" in told
