"""Users are sent to no revision that neither serves now nor has proven that it starts."""

from datetime import timedelta

import pytest

from greenrun.model.errors import CallFailed, GateClosed, ManualActionRequired
from greenrun.model.interfaces import HttpRequest, HttpResponse
from greenrun.model.plan import START_TAG
from greenrun.model.service import Service
from greenrun.model.traffic import Target, TrafficSplit
from greenrun.release import manual, recovery
from greenrun.release.release import Release
from tests.conftest import BASELINE, World
from tests.fakes import MANIFEST
from tests.stages import deployed, moved, next_run, promoted

PATH = f"/{START_TAG}/"


def reading(world: World) -> Service:
    assert world.platform.state is not None
    return world.platform.state


def answers(world: World, *statuses: int) -> None:
    """What is asked under the tag answers so, the last one for good."""
    left = list(statuses)

    def answer(_: HttpRequest) -> HttpResponse:
        status = left.pop(0) if len(left) > 1 else left[0]
        return HttpResponse(status, {}, "", timedelta(milliseconds=5))

    world.web.answers[PATH] = answer


def asked(world: World) -> int:
    return sum(probe.url.endswith(PATH) for probe in world.web.asked)


def killed_with_everybody_on_the_candidate(release: Release) -> Release:
    """It never proved its promotion; the next run holds the lock."""
    deployed(release).raise_share(100)
    later = next_run(release)
    later.acquire_lock()
    return later


def test_a_baseline_without_users_is_started_and_asked_before_they_are_sent_back(
    release: Release, world: World
) -> None:
    before = reading(world).actual
    later = killed_with_everybody_on_the_candidate(release)
    answers(world, 503, 200)
    recovery.recover(later, resume=False)
    assert asked(world) == 2
    assert (reading(world).wanted, reading(world).actual) == (before, before)
    changes = [entry.action for entry in later.guard.journal.entries() if entry.state == "done"]
    assert changes[-2:] == ["tag", "roll back"]


def test_a_baseline_that_does_not_start_gets_no_user_and_a_person_is_told(
    release: Release, world: World
) -> None:
    later = killed_with_everybody_on_the_candidate(release)
    answers(world, 503)
    with pytest.raises(ManualActionRequired) as told:
        recovery.recover(later, resume=False)
    assert told.value.message == (
        f"shop could not be brought back to {BASELINE}: {BASELINE} cannot serve: got 503 at "
        f"http://service.test/{START_TAG}/, needs it to answer"
    )
    assert world.serving == {release.candidate.name: 100}
    assert later.users_are_elsewhere


def test_what_was_left_under_the_tag_is_nobodys_change(release: Release, world: World) -> None:
    before = reading(world).actual
    later = killed_with_everybody_on_the_candidate(release)
    answers(world, 503)
    with pytest.raises(ManualActionRequired):
        recovery.recover(later, resume=False)
    answers(world, 200)
    again = next_run(later, "another-run")
    again.acquire_lock()
    recovery.recover(again, resume=False)
    assert (reading(world).wanted, reading(world).actual) == (before, before)


def test_that_we_could_not_ask_says_nothing_of_the_revision(release: Release, world: World) -> None:
    later = killed_with_everybody_on_the_candidate(release)

    def unreachable(_: HttpRequest) -> HttpResponse:
        raise CallFailed("no answer")

    world.web.answers[PATH] = unreachable
    recovery.recover(later, resume=False)
    assert world.serving == {BASELINE: 100}
    assert (
        f"could not ask {BASELINE} at http://service.test{PATH}, going on without: no answer"
        in (world.progress.lines)
    )


def test_a_baseline_that_serves_is_not_asked_again(release: Release, world: World) -> None:
    moved(release)
    later = next_run(release)
    later.acquire_lock()
    answers(world, 503)
    recovery.recover(later, resume=False)
    assert asked(world) == 0
    assert world.serving == {BASELINE: 100}


def test_a_gate_that_closes_in_the_same_run_asks_nobody(release: Release, world: World) -> None:
    promoted(release)
    answers(world, 503)
    assert release.settle(passed=False) is True
    assert asked(world) == 0
    assert world.serving == {BASELINE: 100}


def test_a_release_that_is_resumed_brings_users_to_a_baseline_that_answers(
    release: Release, world: World
) -> None:
    deployed(release).raise_share(100)
    later = next_run(release)
    later.build_image()
    later.acquire_lock()
    answers(world, 503, 200)
    recovery.recover(later, resume=True)
    assert asked(world) == 2
    name = release.candidate.name
    assert reading(world).actual == TrafficSplit(
        (Target(BASELINE, 100), Target(name, 0, "candidate"))
    )


def test_the_last_release_is_undone_only_to_a_baseline_that_answers(
    release: Release, world: World
) -> None:
    promoted(release)
    undoing = next_run(release)
    answers(world, 503)
    with pytest.raises(ManualActionRequired, match="cannot serve: got 503"):
        manual.send_back(undoing, asked_for=True, to="", unlock=False)
    assert world.serving == {release.candidate.name: 100}


@pytest.mark.parametrize("target", [BASELINE, str(MANIFEST)])
def test_a_person_sends_nobody_to_a_revision_that_does_not_answer(
    release: Release, world: World, target: str
) -> None:
    promoted(release)
    person = next_run(release)
    answers(world, 500)
    with pytest.raises(GateClosed, match="cannot serve: got 500"):
        manual.send_back(person, asked_for=True, to=target, unlock=False)
    assert world.serving == {release.candidate.name: 100}


@pytest.mark.parametrize("target", [BASELINE, str(MANIFEST)])
def test_a_person_sends_users_to_a_revision_once_it_has_answered(
    release: Release, world: World, target: str
) -> None:
    promoted(release)
    person = next_run(release)
    answers(world, 200)
    name = manual.send_back(person, asked_for=True, to=target, unlock=False)
    assert asked(world) == 1
    assert world.serving == {name: 100}
    assert START_TAG not in reading(world).actual.tags
