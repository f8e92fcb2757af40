"""The reference service's own sentence: a session that is apart."""

from itertools import count

import pytest

from greenrun.model.errors import GateClosed
from greenrun.model.interfaces import HttpRequest
from greenrun.release.release import Release
from steps.sessions import check_session_is_apart
from tests.checks.deployed import answer, candidate_answers, deploy
from tests.conftest import World

PATH = "/costs"


@pytest.fixture
def deployed(release: Release) -> Release:
    return deploy(release)


def session_of(request: HttpRequest) -> str:
    return request.headers.get("X-Session-Id", "none")


def test_a_session_is_apart_when_it_is_answered_otherwise(deployed: Release, world: World) -> None:
    candidate_answers(world, PATH, lambda probe: answer(session_of(probe)))
    check_session_is_apart(deployed, PATH, "s")


def test_everybody_may_be_answered_anew_as_they_use_the_service(
    deployed: Release, world: World
) -> None:
    numbers = count()

    def costs(probe: HttpRequest) -> object:
        return session_of(probe) if "X-Session-Id" in probe.headers else next(numbers)

    candidate_answers(world, PATH, lambda probe: answer(costs(probe)))
    check_session_is_apart(deployed, PATH, "s")


def test_the_same_answer_in_a_session_is_no_filter(deployed: Release, world: World) -> None:
    candidate_answers(world, PATH, answer({}))
    with pytest.raises(GateClosed, match="got the same body, needs another than other sessions"):
        check_session_is_apart(deployed, PATH, "s")


def test_an_answer_that_always_changes_proves_no_filter(deployed: Release, world: World) -> None:
    numbers = count()
    candidate_answers(world, PATH, lambda _: answer(next(numbers)))
    with pytest.raises(GateClosed, match="got two answers, needs the same twice"):
        check_session_is_apart(deployed, PATH, "s")


def test_a_session_that_is_refused_is_not_apart(deployed: Release, world: World) -> None:
    candidate_answers(
        world, PATH, lambda probe: answer("", 403 if session_of(probe) == "s" else 200)
    )
    with pytest.raises(GateClosed, match="got status 200, 403, needs 200"):
        check_session_is_apart(deployed, PATH, "s")


def test_a_filter_that_only_tells_some_session_from_none_is_no_filter(
    deployed: Release, world: World
) -> None:
    candidate_answers(world, PATH, lambda probe: answer("X-Session-Id" in probe.headers))
    with pytest.raises(GateClosed, match="got the same body, needs another than other sessions"):
        check_session_is_apart(deployed, PATH, "s")
