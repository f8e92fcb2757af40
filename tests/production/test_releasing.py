"""`pytest features/ --env=prod` releases, and what it does not release it takes back."""


import pytest

from tests.production.production import FIRST, Ended, Production

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def first(production: Production) -> Ended:
    """The first release: rehearsed, pushed, migrated, proven and promoted."""
    return production.release()


@pytest.fixture
def baseline(production: Production, first: Ended) -> str:
    """Who serves everybody before a test's own release."""
    assert first.status == 0, first.output
    ((serving, share),) = production.serving.items()
    assert share == 100
    return serving


def test_a_release_is_rehearsed_and_promoted(production: Production, baseline: str) -> None:
    record = production.record()
    assert record["outcome"] == "released"
    assert record["exit_status"] == 0
    assert record["baseline"] == FIRST
    assert record["candidate"] == baseline


def test_the_bytes_that_were_rehearsed_are_the_bytes_that_serve(
    production: Production, baseline: str
) -> None:
    record = production.record()
    revision = production.roles.platform.revision(baseline)
    assert revision is not None
    assert revision.image == f"{production.plan.build.repository}@{record['manifest']}"
    held = production.roles.builder.image(record["image_id"])
    assert held is not None
    assert str(held.digest) == record["image_id"]


def test_a_release_leaves_its_record_in_the_repository(
    production: Production, baseline: str
) -> None:
    folder = production.project.folder / "docs/deployments"
    suffix = baseline.removeprefix("emergence-app-")
    (page,) = folder.glob(f"*-deploy-{suffix}.md")
    assert page.name in (folder / "README.md").read_text("utf-8")
    assert "pytest features/07-rollback.feature --env=prod" in page.read_text("utf-8")
