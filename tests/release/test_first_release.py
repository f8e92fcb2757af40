"""A first release: private until it is proven, without a canary, and deleted on the way back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.checks import drill, image, release_state, service
from greenrun.checks.http import verification
from greenrun.model.errors import (
    CallFailed,
    DeadlineExceeded,
    GateClosed,
    ManualActionRequired,
    ReleaseError,
)
from greenrun.model.interfaces import HttpRequest, HttpResponse, NewRevision, Timeout
from greenrun.model.objective import Gate
from greenrun.model.plan import IDENTITY_TOKEN, Plan
from greenrun.model.release_state import FIRST_TAG, ReleaseState, Stage
from greenrun.model.revision import ServiceSettings
from greenrun.model.traffic import Target, TrafficSplit
from greenrun.release import manual, recovery
from greenrun.release.migrate import Migration
from greenrun.release.prober import Prober
from greenrun.release.release import Release
from tests.conftest import World
from tests.release.test_migrate import Image
from tests.stages import begun, deployed, next_run, promoted

PASS = {"X-Serverless-Authorization": "Bearer token"}
IDENTITIES = {"nobody": {}, "a user": {"authorization": "Bearer x"}, IDENTITY_TOKEN: PASS}
NAME = "shop-20261121-080000"
CREATED = TrafficSplit(
    (Target(NAME, 100), Target(NAME, 0, "candidate"), Target(NAME, 0, FIRST_TAG))
)


@pytest.fixture
def world(world: World) -> World:
    """No service; one that is there lets in who shows a token, or everybody once it is open."""
    world.platform.state, world.platform.public = None, False
    world.platform.revisions_by_name.clear()
    world.platform.calls.clear()

    def answer(request: HttpRequest) -> HttpResponse:
        let_in = world.platform.public or PASS.items() <= request.headers.items()
        return HttpResponse(200 if let_in else 403, {}, "{}", timedelta(milliseconds=1))

    world.web.answers = dict.fromkeys(("/", "/candidate/"), answer)
    return world


@pytest.fixture
def release(release: Release) -> Release:
    release.prober = Prober(release.dependencies, IDENTITIES)
    return release


def following(release: Release) -> Release:
    """The next run, which holds the lock."""
    later = next_run(release)
    later.prober = Prober(release.dependencies, IDENTITIES)
    later.acquire_lock()
    return later


def test_it_is_told_and_nothing_is_created_yet(release: Release, world: World) -> None:
    begun(release)
    assert (release.baseline, release.is_first) == ("", True)
    assert world.platform.calls == []
    assert world.progress.lines[-1] == "shop does not exist yet: first release"
    release_state.one_serves(release)
    release_state.baseline_answers(release)


def test_settings_that_do_nothing_on_this_machine_are_named_when_they_come(
    release: Release, world: World
) -> None:
    world.platform.no_effect = ("gpu", "key")
    begun(release)
    deployed(release)
    told = [line for line in world.progress.lines if "effect" in line]
    assert told == ["no effect here: gpu, key"]
    world.platform.no_effect = ("gpu", "key", "min")
    promoted(release)
    told = [line for line in world.progress.lines if "effect" in line]
    assert told == ["no effect here: gpu, key", "no effect here: min"]


def test_migrations_run_before_the_service_is_created_and_may_contract(
    release: Release, world: World
) -> None:
    begun(release)
    release.build_image()
    release.push_image()
    brought = Image(world.logs, {"1": "pending"}, contracting={"1"})
    world.platform.executions = brought.run
    assert release.migrate() == (Migration("1", applied=True, contracts=True),)
    assert world.platform.state is None
    assert release.guard.known_release_state.contracted is False
    verification.baseline_survives(release, ())
    service.served_by(release, release.baseline)


def test_the_candidate_is_proven_by_token_while_nobody_is_let_in(
    release: Release, world: World
) -> None:
    deployed(release)
    assert world.platform.state is not None
    assert world.platform.state.wanted == CREATED
    assert world.platform.public is False
    assert release.prober.headers("nobody") == PASS
    assert release.prober.headers("a user") == {**PASS, "authorization": "Bearer x"}
    assert release.prober.ask(release.candidate.url + "/", identity="nobody").status == 200
    service.served_by(release, release.baseline)
    service.reachable(release)
    service.variables_kept(release)
    assert world.progress.lines[-2:] == [
        "shop lets nobody in yet: first release",
        "no baseline whose variables could be lost: first release",
    ]


def test_who_fills_the_header_of_the_token_is_heard_as_he_is(release: Release) -> None:
    own = {"x-serverless-authorization": "Bearer mine"}
    release.prober = Prober(release.dependencies, {**IDENTITIES, "a robot": own})
    deployed(release)
    assert release.prober.headers("a robot") == own


def test_somebody_who_lets_everybody_in_before_it_is_proven_closes_the_gate(
    release: Release, world: World
) -> None:
    deployed(release)
    world.platform.public = True
    with pytest.raises(GateClosed, match="got everybody, needs nobody until its first release"):
        service.reachable(release)


def test_it_has_no_canary_and_says_so(release: Release, world: World) -> None:
    deployed(release)
    drill.all_passed(release, release.run_canary(Gate(())))
    assert world.progress.lines[-1] == "no canary: first release, nobody to compare with"
    assert "split_traffic" not in world.platform.calls


def test_a_candidate_that_does_not_answer_its_probes_is_not_promoted(
    release: Release, world: World
) -> None:
    deployed(release)
    world.web.answers["/candidate/"] = HttpResponse(503, {}, "", timedelta(milliseconds=1))
    with pytest.raises(GateClosed, match=f"the probe GET / of {NAME}: got 503, needs a status"):
        release.run_canary(Gate(()))


def test_its_promotion_lets_everybody_in(release: Release, world: World) -> None:
    promoted(release)
    assert release.promoted
    assert world.platform.public
    assert release.prober.headers("nobody") == {}
    assert world.platform.state is not None
    assert world.platform.state.wanted == TrafficSplit(CREATED.targets[:2])
    service.served_by(release, release.candidate.name)
    service.no_traffic(release, release.baseline)
    service.reachable(release)
    image.kept(release, release.candidate.name)
    assert release.settle(passed=True) is False
    changes = [entry.action for entry in release.guard.journal.entries() if entry.state == "begun"]
    assert changes[-3:] == ["create", "let everybody invoke", "split traffic"]


def test_what_would_open_or_hide_the_service_is_set_by_its_promotion(
    release: Release, world: World
) -> None:
    said = ServiceSettings(invoker_iam_check=False, ingress="internal", description="A shop")
    release.plan = replace(release.plan, public=False, service_settings=said)
    deployed(release)
    assert world.platform.settings == ServiceSettings(description="A shop")
    assert release.prober.headers("nobody") == PASS
    service.reachable(release)

    def answer(request: HttpRequest) -> HttpResponse:
        let_in = world.platform.invokable_by_all() or PASS.items() <= request.headers.items()
        return HttpResponse(200 if let_in else 403, {}, "", timedelta(milliseconds=1))

    world.web.answers["/"] = answer
    release.promote()
    assert world.platform.settings == said
    assert release.prober.headers("nobody") == {}
    assert world.platform.public is False


def test_a_private_service_is_promoted_without_letting_everybody_in(
    release: Release, world: World, plan: Plan
) -> None:
    release.plan = replace(plan, public=False)
    release.prober = Prober(release.dependencies, {**IDENTITIES, "a user": PASS})
    promoted(release)
    assert world.platform.public is False
    assert release.prober.headers("nobody") == {}
    service.reachable(release)


def test_a_grant_that_is_not_known_yet_is_waited_for(release: Release, world: World) -> None:
    deployed(release)
    answer, begun_at = world.web.answers["/"], world.clock.now()
    assert callable(answer)

    def late(request: HttpRequest) -> HttpResponse:
        if world.clock.now() - begun_at < timedelta(seconds=30):
            return HttpResponse(403, {}, "", timedelta(milliseconds=1))
        return answer(request)

    world.web.answers["/"] = late
    release.promote()
    assert release.promoted


def test_a_refusal_of_the_services_own_is_nothing_to_wait_for(
    release: Release, world: World
) -> None:
    world.web.answers = dict.fromkeys(
        ("/", "/candidate/"), HttpResponse(403, {}, "", timedelta(milliseconds=1))
    )
    promoted(release)
    assert release.promoted


def test_a_grant_that_never_works_stops_the_release(release: Release, world: World) -> None:
    deployed(release)

    def answer(request: HttpRequest) -> HttpResponse:
        let_in = PASS.items() <= request.headers.items()
        return HttpResponse(200 if let_in else 403, {}, "", timedelta(milliseconds=1))

    world.web.answers["/"] = answer
    with pytest.raises(DeadlineExceeded, match="to let everybody in, last saw: 403"):
        release.promote()
    assert release.users_are_elsewhere
    assert release.settle(passed=False) is True
    assert world.platform.state is None
    assert release.users_are_elsewhere is False


def stillborn(release: Release) -> Release:
    begun(release)
    release.build_image()
    release.push_image()
    platform = release.dependencies.platform
    platform.unready.add(release.image.reference)  # type: ignore[attr-defined]  # the fake's own
    with pytest.raises(GateClosed):
        release.deploy()
    platform.unready.clear()  # type: ignore[attr-defined]  # likewise
    return release


def asked_alone(release: Release) -> Release:
    """Written down, and killed before it was asked for."""
    begun(release)
    release.guard.write_ahead(CREATED, stage=Stage.DEPLOYED, candidate=NAME)
    return release


def opened(release: Release) -> Release:
    """Everybody was let in, and nothing proven."""
    deployed(release)
    release.guard.update_release_state(stage=Stage.MOVED)
    release.dependencies.platform.let_all_invoke()
    return release


def about_to_open(release: Release) -> Release:
    """Written down that users are let in, and killed before they were."""
    deployed(release)
    release.guard.update_release_state(stage=Stage.MOVED)
    return release


UNFINISHED = {
    "begun": begun,
    "asked for": asked_alone,
    "never ready": stillborn,
    "created": deployed,
    "about to be opened": about_to_open,
}


@pytest.mark.parametrize("die", UNFINISHED.values(), ids=UNFINISHED)
def test_what_did_not_pass_is_deleted_and_twice_is_once(
    release: Release, world: World, die: Callable[[Release], Release]
) -> None:
    exists = die(release).dependencies.platform.service() is not None
    assert release.settle(passed=False) is exists
    assert ("shop is deleted again: first release, as before" in world.progress.lines) is exists
    assert world.platform.state is None
    service.restored(release, release.baseline)
    assert release.roll_back() is False
    assert world.platform.calls.count("remove_service") == exists
    release.guard.journal.is_whole()
    assert "remove_job shop-migration" in world.platform.calls


@pytest.mark.parametrize("die", UNFINISHED.values(), ids=UNFINISHED)
def test_what_a_killed_one_has_left_is_deleted_by_the_next_which_is_the_first_again(
    release: Release, world: World, die: Callable[[Release], Release]
) -> None:
    die(release)
    later = following(release)
    recovery.recover(later, resume=False)
    release_state.nothing_unfinished(later)
    assert world.platform.state is None
    told = str(world.evidence.kept["what was left"])
    assert told.startswith("an unfinished first release (")
    assert told.endswith("what it had created was deleted")
    promoted(later)
    assert (later.is_first, later.promoted) == (True, True)


def unmarked(release: Release) -> Release:
    """Everything was done but the proof of who answers."""
    opened(release)
    split = TrafficSplit(CREATED.targets[:2])
    release.guard.write_ahead(split)
    platform, within = release.dependencies.platform, Timeout(timedelta(seconds=1))
    release.drift.remember(platform.split_traffic(split, release.drift.last_seen, within))
    return release


@pytest.mark.parametrize("die", [opened, unmarked])
def test_what_users_were_let_in_to_is_never_deleted_by_a_later_run(
    release: Release, world: World, die: Callable[[Release], Release]
) -> None:
    die(release)
    later = following(release)
    recovery.recover(later, resume=False)
    release_state.nothing_unfinished(later)
    assert str(world.evidence.kept["what was left"]).endswith(
        "users had been let in, and shop stays theirs"
    )
    assert later.find_baseline() == release.candidate.name
    assert later.settle(passed=False) is False
    assert world.serving == {release.candidate.name: 100}


@pytest.mark.parametrize("die", [opened, unmarked])
def test_in_its_own_run_it_is_deleted_all_the_same(
    release: Release, world: World, die: Callable[[Release], Release]
) -> None:
    """Within moments: what did not pass serves nobody."""
    die(release)
    assert release.settle(passed=False) is True
    assert world.platform.state is None


@pytest.mark.parametrize("die", [opened, unmarked])
def test_by_hand_it_is_deleted_by_leave_alone_once_users_were_let_in(
    release: Release, world: World, die: Callable[[Release], Release]
) -> None:
    die(release)
    with pytest.raises(ReleaseError, match="its last release was the first"):
        manual.send_back(next_run(release), asked_for=True, to="", unlock=False)
    assert world.serving == {release.candidate.name: 100}


@pytest.mark.parametrize("die", [stillborn, deployed])
def test_what_no_lock_and_no_journal_tell_is_told_by_the_service(
    release: Release, world: World, die: Callable[[Release], Release]
) -> None:
    die(release)
    later = next_run(release)
    world.leases.kept.clear()
    release.guard.journal.path.unlink()
    left = later.acquire_lock()
    assert left is not None
    assert (left.is_first, left.candidate) == (True, release.candidate.name)
    recovery.recover(later, resume=False)
    assert world.platform.state is None


@pytest.mark.parametrize("die", [*UNFINISHED.values(), opened], ids=[*UNFINISHED, "opened"])
def test_a_killed_one_can_be_gone_on_with(
    release: Release, world: World, die: Callable[[Release], Release]
) -> None:
    die(release)
    is_kept = die in {deployed, about_to_open, opened}
    later = following(release)
    later.build_image()
    later.push_image()
    recovery.recover(later, resume=True)
    assert later.find_baseline() == ""
    assert later.deployed is is_kept
    later.deploy()
    later.promote()
    assert (later.promoted, world.platform.public) == (True, True)
    assert world.platform.calls.count("create") == (2 if die is stillborn else 1)


def test_a_service_that_somebody_else_created_meanwhile_is_theirs(
    release: Release, world: World
) -> None:
    begun(release)
    release.build_image()
    release.push_image()
    theirs = NewRevision("shop-theirs", "other", release.plan.settings)
    world.platform.create(theirs, Timeout(timedelta(seconds=1)))
    world.platform.refuses.add("create")
    with pytest.raises(CallFailed):
        release.deploy()
    assert release.settle(passed=False) is False
    assert world.serving == {"shop-theirs": 100}


def test_a_service_that_somebody_has_deployed_to_since_is_left_to_them(
    release: Release, world: World
) -> None:
    deployed(release)
    world.platform.change_by_somebody(latest_created="shop-theirs")
    ours = world.platform.revisions_by_name[release.candidate.name]
    world.platform.revisions_by_name["shop-theirs"] = replace(ours, name="shop-theirs")
    with pytest.raises(ManualActionRequired) as left:
        release.settle(passed=False)
    assert str(left.value) == (
        "shop was created by this release, and has shop-theirs by alice since: it was left as it "
        "is\nhint: speak with alice; then say who shall serve:\n"
        "  pytest features/07-rollback.feature --env=local --to=REVISION"
    )
    assert world.platform.state is not None


def test_what_cannot_be_deleted_needs_a_person(release: Release, world: World) -> None:
    deployed(release)
    world.platform.refuses.add("remove_service")
    with pytest.raises(ManualActionRequired) as left:
        release.settle(passed=False)
    assert str(left.value) == (
        "shop could not be deleted again: remove_service was refused\nhint: delete it by hand:\n"
        "  gcloud run services delete shop --project=rehearsal --region=europe-west1"
    )


def test_by_hand_a_promoted_one_is_deleted_only_by_leave(release: Release, world: World) -> None:
    promoted(release)
    later = next_run(release)
    with pytest.raises(ReleaseError, match="its last release was the first") as refused:
        manual.send_back(later, asked_for=True, to="", unlock=False)
    assert "--delete-candidate" in refused.value.hint
    assert world.serving == {release.candidate.name: 100}
    again = next_run(later)
    manual.send_back(again, asked_for=True, to="", unlock=False, delete=True)
    service.restored(again, "")
    assert manual.remove_taken_back(again) == release.candidate.name
    service.gone(again, release.candidate.name)
    assert again.manual_changes == ["deleted the service that the first release had created"]


def test_by_hand_an_unfinished_one_is_deleted(release: Release, world: World) -> None:
    deployed(release)
    later = next_run(release)
    manual.send_back(later, asked_for=True, to="", unlock=False)
    assert world.platform.state is None


def test_a_person_who_names_it_settles_it_as_a_service_like_any_other(
    release: Release, world: World
) -> None:
    deployed(release)
    name = release.candidate.name
    manual.send_back(next_run(release), asked_for=True, to=name, unlock=False)
    assert world.platform.state is not None
    assert FIRST_TAG not in world.platform.state.wanted.tags
    later = following(release)
    recovery.recover(later, resume=False)
    assert later.find_baseline() == name


def test_the_release_after_it_has_a_baseline(release: Release) -> None:
    promoted(release)
    later = following(release)
    assert recovery.roll_back_unfinished(later) == "no release was left unfinished"
    assert later.find_baseline() == release.candidate.name
    assert later.is_first is False


def test_its_state_is_read_again_as_it_was_written() -> None:
    state = ReleaseState("r", "", TrafficSplit(), candidate=NAME, asked=(CREATED,))
    assert ReleaseState.from_json(state.as_json()) == state
    assert state.promise == "delete the service"
