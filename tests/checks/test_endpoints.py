"""What endpoints answer: the log beside a refusal."""

import pytest

from greenrun.checks.http import verification
from greenrun.checks.http.endpoints import ENDPOINTS
from greenrun.model.errors import GateClosed
from greenrun.release.release import Release
from tests.checks.deployed import deploy
from tests.conftest import World


@pytest.fixture
def deployed(release: Release) -> Release:
    return deploy(release)


def test_the_log_of_the_revision_is_kept_beside_a_closed_gate(
    deployed: Release, world: World
) -> None:
    candidate = deployed.candidate
    with pytest.raises(GateClosed, match="GET /nothing as a user"):
        verification.answers(
            deployed, candidate.url, candidate.name, ENDPOINTS.read([["request"], ["GET /nothing"]])
        )
    assert f"log of {candidate.name}" in world.evidence.kept


def test_a_baseline_that_does_not_survive_names_the_way_to_migrate(deployed: Release) -> None:
    with pytest.raises(GateClosed, match="in a later release"):
        verification.baseline_survives(deployed, ENDPOINTS.read([["request"], ["GET /nothing"]]))
