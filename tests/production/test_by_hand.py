"""Rollback by hand: one command each, verified, and in the record."""

import httpx
import pytest

from greenrun.model.errors import LockLost
from tests.production.production import Production

pytestmark = pytest.mark.docker

BY_HAND = ("features/07-rollback.feature", "--env=prod", "--no-html")


def test_a_revision_by_name(production: Production, baseline: str) -> None:
    before = production.older_than(baseline)
    ended = production.release(*BY_HAND, f"--to={before}")

    assert ended.status == 0, ended.output
    assert production.serving == {before: 100}
    assert ended.record["outcome"] == f"sent every user to {before}"


def test_an_image_by_digest(production: Production, baseline: str) -> None:
    revision = production.dependencies.platform.revision(baseline)
    assert revision is not None
    manifest = revision.image.partition("@")[2]
    ended = production.release(*BY_HAND, f"--to={manifest}")

    assert ended.status == 0, ended.output
    ((serving, _),) = production.serving.items()
    assert serving != baseline
    anew = production.dependencies.platform.revision(serving)
    assert anew is not None
    assert (anew.image, anew.settings) == (revision.image, revision.settings)


def test_a_revision_that_is_not_there(production: Production, baseline: str) -> None:
    ended = production.release(*BY_HAND, "--to=emergence-app-nowhere")

    assert ended.status == 1, ended.output
    assert "has no revision emergence-app-nowhere: the newest are" in ended.output
    assert production.serving == {baseline: 100}


def test_the_last_release_is_undone_and_its_candidate_deleted(
    production: Production, baseline: str
) -> None:
    released = production.release()
    assert released.status == 0, released.output
    candidate = released.record["candidate"]

    ended = production.release(*BY_HAND, "--delete-candidate")

    assert ended.status == 0, ended.output
    assert production.serving == {baseline: 100}
    assert production.dependencies.platform.revision(candidate) is None


def test_somebody_elses_lock_is_refused_and_can_be_ended(
    production: Production, baseline: str
) -> None:
    before = production.older_than(baseline)
    with production.locked_by("alice@example.com") as lease:
        refused = production.release(*BY_HAND, f"--to={before}")
        ended = production.release(*BY_HAND, f"--to={before}", "--unlock")
        with pytest.raises(LockLost):
            lease.check()

    assert refused.status == 1, refused.output
    assert "alice@example.com" in refused.output
    assert "--unlock" in refused.output
    assert ended.status == 0, ended.output
    assert production.serving == {before: 100}


def test_scaled_to_zero_in_an_emergency(production: Production, baseline: str) -> None:
    ended = production.release(*BY_HAND, "--scale-to-zero")

    assert ended.status == 0, ended.output
    assert httpx.get(f"{production.service.url}/api/health").status_code == 503
    production.scale_by_load()
    assert production.serving == {baseline: 100}
