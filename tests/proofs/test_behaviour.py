"""What endpoints answer: the log beside a refusal."""

import pytest

from greenrun.checks.http import checks, read_table
from greenrun.model.errors import GateClosed
from greenrun.release.release import Release
from tests.conftest import World
from tests.proofs.deployed import deploy


@pytest.fixture
def deployed(release: Release) -> Release:
    return deploy(release)


def test_the_log_of_the_revision_is_kept_beside_a_closed_gate(
    deployed: Release, world: World
) -> None:
    candidate = deployed.candidate
    with pytest.raises(GateClosed, match="GET /nothing as a user"):
        checks.answers(
            deployed, candidate.url, candidate.name, read_table([["request"], ["GET /nothing"]])
        )
    assert f"log of {candidate.name}" in world.evidence.kept


def test_a_baseline_that_does_not_survive_names_the_way_to_migrate(deployed: Release) -> None:
    with pytest.raises(GateClosed, match="in a later release"):
        checks.baseline_survives(deployed, read_table([["request"], ["GET /nothing"]]))
