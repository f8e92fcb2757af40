"""What endpoints answer: the log beside a refusal, and sessions that are apart."""

from itertools import count

import pytest

from greenrun.checks.http import checks, read_table
from greenrun.model.errors import GateClosed
from greenrun.model.interfaces import HttpRequest
from greenrun.release.release import Release
from tests.conftest import World
from tests.proofs.deployed import answer, candidate_answers, deploy

PATH = "/costs"


@pytest.fixture
def deployed(release: Release) -> Release:
    return deploy(release)


def session_of(probe: HttpRequest) -> str:
    return probe.headers.get("X-Session-Id", "everybody")


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


def test_a_session_is_apart_when_it_is_answered_otherwise(deployed: Release, world: World) -> None:
    candidate_answers(world, PATH, lambda probe: answer(session_of(probe)))
    checks.session_is_apart(deployed, PATH, "s")


def test_everybody_may_be_answered_anew_as_they_use_the_service(
    deployed: Release, world: World
) -> None:
    numbers = count()

    def costs(probe: HttpRequest) -> object:
        return session_of(probe) if "X-Session-Id" in probe.headers else next(numbers)

    candidate_answers(world, PATH, lambda probe: answer(costs(probe)))
    checks.session_is_apart(deployed, PATH, "s")


def test_the_same_answer_in_a_session_is_no_filter(deployed: Release, world: World) -> None:
    candidate_answers(world, PATH, answer({}))
    with pytest.raises(GateClosed, match="got the same body, needs another than outside any"):
        checks.session_is_apart(deployed, PATH, "s")


def test_an_answer_that_always_changes_proves_no_filter(deployed: Release, world: World) -> None:
    numbers = count()
    candidate_answers(world, PATH, lambda _: answer(next(numbers)))
    with pytest.raises(GateClosed, match="got two answers, needs the same twice"):
        checks.session_is_apart(deployed, PATH, "s")


def test_a_session_that_is_refused_is_not_apart(deployed: Release, world: World) -> None:
    candidate_answers(
        world, PATH, lambda probe: answer("", 403 if session_of(probe) == "s" else 200)
    )
    with pytest.raises(GateClosed, match="got status 200, 403, needs 200"):
        checks.session_is_apart(deployed, PATH, "s")
