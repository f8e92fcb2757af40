"""A release moves users only forward through gates, and always knows the way back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.model.errors import (
    CallFailed,
    ConcurrentChange,
    DeadlineExceeded,
    GateClosed,
    ManualActionRequired,
    ReleaseError,
)
from greenrun.model.interfaces import HttpResponse
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import Plan, Probe
from greenrun.model.release_state import ReleaseState, Stage
from greenrun.model.revision import RevisionSettings, ServiceSettings
from greenrun.model.service import Service
from greenrun.model.stats import Counts, Outcome
from greenrun.model.traffic import Target, TrafficSplit
from greenrun.release import recovery
from greenrun.release.coordination.journal import Journal
from greenrun.release.release import Release
from tests.conftest import BASELINE, FAILING, HEALTHY, World
from tests.fakes import URL
from tests.fakes.platform import ServiceFields
from tests.stages import begun, deployed, moved, next_run, promoted

OBJECTIVES = Gate(
    (
        Threshold("error rate", "at most", Quantity(5, "%")),
        Threshold("p95 latency", "at most", Quantity(800, "ms")),
    )
)


@pytest.mark.parametrize("tag", ["candidate", "baseline"])
def test_a_tags_url_may_go_on_to_its_earlier_revision_for_a_while(
    release: Release, world: World, plan: Plan, tag: str
) -> None:
    release.plan = replace(plan, canary=replace(plan.canary, probes_per_second=1))
    owner, begun = world.logs.owner, world.clock.now()

    def late(user_agent: str) -> str:
        asked = next(one.url for one in world.web.asked if user_agent in one.headers.values())
        moved = world.clock.now() - begun > timedelta(seconds=20)
        return "shop-earlier" if f"/{tag}" in asked and not moved else owner(user_agent)

    world.logs.owner = late
    deployed(release)
    assert world.clock.now() - begun > timedelta(seconds=20)
    assert f"http://service.test/{tag} still answers by shop-earlier" in world.progress.lines


def test_a_tags_url_that_stays_with_its_earlier_revision_stops_the_release(
    release: Release, world: World
) -> None:
    world.logs.owner = lambda _: BASELINE
    with pytest.raises(DeadlineExceeded) as late:
        deployed(release)
    assert str(late.value) == (
        "waited 120 s for http://service.test/candidate to be answered by "
        f"{release.candidate.name}, last saw: answers from {BASELINE}"
    )


def test_a_candidate_is_deployed_beside_the_baseline_that_serves_everybody(
    release: Release, world: World
) -> None:
    deployed(release)
    assert world.serving == {BASELINE: 100}
    assert release.candidate.url == "http://service.test/candidate"
    assert world.platform.public


def test_a_healthy_candidate_is_promoted_by_its_steps(release: Release, world: World) -> None:
    deployed(release)
    world.metrics.answering[release.candidate.name] = HEALTHY
    assert [step.share for step in release.run_canary(OBJECTIVES)] == [10, 50]
    assert release.promote() == {release.candidate.name}
    assert world.serving == {release.candidate.name: 100}


def test_a_failing_step_closes_the_gate_at_its_first_look(release: Release, world: World) -> None:
    deployed(release)
    world.metrics.answering[release.candidate.name] = FAILING
    before = world.clock.now()
    with pytest.raises(GateClosed) as closed:
        release.run_canary(OBJECTIVES)
    assert closed.value.message == (
        "the canary at 10 %: rolled back after 400 requests: 60 of 200 candidate requests failed, "
        "1 of 200 baseline requests (the platform's metrics)"
    )
    assert world.clock.now() - before == timedelta(seconds=1)
    assert world.serving == {BASELINE: 90, release.candidate.name: 10}
    assert [step.outcome for step in release.steps] == [Outcome.FAIL]


@pytest.mark.parametrize(
    ("candidate", "outcome"), [(Counts(), Outcome.NO_DATA), (Counts(1), Outcome.INCONCLUSIVE)]
)
def test_too_few_requests_are_no_pass(
    release: Release, world: World, candidate: Counts, outcome: Outcome
) -> None:
    deployed(release)
    world.metrics.answering[release.candidate.name] = candidate
    with pytest.raises(GateClosed, match="probes-per-second"):
        release.run_canary(OBJECTIVES)
    assert [step.outcome for step in release.steps] == [outcome]
    assert world.serving == {BASELINE: 90, release.candidate.name: 10}


def test_objectives_that_no_canary_can_judge_move_nobody(release: Release, world: World) -> None:
    deployed(release)
    heap = Gate((Threshold("heap", "at most", Quantity(90, "%")),))
    with pytest.raises(ReleaseError, match="got the measure 'heap', needs `error rate`, `memory`"):
        release.run_canary(heap)
    assert world.serving == {BASELINE: 100}


def answering(status: int) -> HttpResponse:
    return HttpResponse(status, {}, "", timedelta(milliseconds=5))


@pytest.fixture
def pushed(release: Release) -> Release:
    """A release whose probe is what a subscription pushes."""
    probes = (Probe("POST", "/push", json={"message": {}}, statuses=(204,)),)
    release.plan = replace(release.plan, canary=replace(release.plan.canary, probes=probes))
    return deployed(release)


def test_a_candidate_that_answers_a_probe_otherwise_meets_nobody(
    pushed: Release, world: World
) -> None:
    world.web.answers |= {"/push": answering(204), "/candidate/push": answering(405)}
    with pytest.raises(GateClosed) as closed:
        pushed.run_canary(Gate(()))
    assert closed.value.message == (
        f"the probe POST /push of {pushed.candidate.name}: got 405, needs 204"
    )
    assert world.serving == {BASELINE: 100}


def test_a_probe_that_nobody_answers_well_blames_no_candidate(
    pushed: Release, world: World
) -> None:
    world.web.answers |= {"/push": answering(404), "/candidate/push": answering(405)}
    with pytest.raises(ReleaseError) as told:
        pushed.run_canary(Gate(()))
    assert f"got 405, needs 204\nand {BASELINE} answers no better" in str(told.value)
    assert "correct it in `canary.probes`" in told.value.hint
    assert not isinstance(told.value, GateClosed)
    assert world.serving == {BASELINE: 100}


def test_who_answers_is_proven_by_the_first_probe(pushed: Release, world: World) -> None:
    before = len(world.web.asked)
    assert pushed.answering() == {BASELINE}
    sent = {(asked.method, asked.url, str(asked.json)) for asked in world.web.asked[before:]}
    assert sent == {("POST", f"{URL}/push", "{'message': {}}")}


@pytest.fixture
def probing(release: Release) -> Release:
    """A release whose canary sends probes of its own to both revisions."""
    canary = replace(release.plan.canary, probes_per_second=10)
    release.plan = replace(release.plan, canary=canary)
    return release


def test_the_baseline_has_a_url_of_its_own_while_a_canary_probes_it(
    probing: Release, world: World
) -> None:
    deployed(probing)
    candidate = probing.candidate.name
    assert reading(world).actual.tags == {"candidate": candidate, "baseline": BASELINE}
    assert world.serving == {BASELINE: 100}
    probing.promote()
    assert reading(world).actual.tags == {"candidate": candidate}


def test_a_rollback_takes_the_baselines_url_away(probing: Release, world: World) -> None:
    before = reading(world).actual
    deployed(probing)
    probing.raise_share(10)
    probing.roll_back()
    assert reading(world).actual == before


def test_a_url_that_the_baseline_had_before_is_left_to_it(probing: Release, world: World) -> None:
    assert world.platform.state is not None
    split = world.platform.state.actual.tagged(BASELINE, "baseline")
    world.platform.state = replace(world.platform.state, wanted=split, actual=split)
    deployed(probing)
    probing.promote()
    assert reading(world).actual.tags == {
        "candidate": probing.candidate.name,
        "baseline": BASELINE,
    }


def test_somebody_elses_revision_tag_is_not_taken(probing: Release, world: World) -> None:
    assert world.platform.state is not None
    split = world.platform.state.actual.tagged("shop-older", "baseline")
    world.platform.state = replace(world.platform.state, wanted=split, actual=split)
    begun(probing)
    probing.build_image()
    with pytest.raises(ReleaseError, match="got revision tag baseline on shop-older"):
        probing.deploy()
    assert reading(world).actual == split


def test_without_probes_no_revision_tag_is_given_to_the_baseline(
    release: Release, world: World
) -> None:
    deployed(release)
    assert reading(world).actual.tags == {"candidate": release.candidate.name}


def test_a_promotion_that_others_answer_is_none(release: Release, world: World) -> None:
    deployed(release)
    world.logs.answering = lambda: [BASELINE]
    with pytest.raises(GateClosed, match=f"got answers from {BASELINE}"):
        release.promote()
    assert not release.promoted


def test_rolling_back_gives_everybody_to_the_baseline_once(
    release: Release, world: World, journal: Journal
) -> None:
    deployed(release)
    release.raise_share(10)
    assert release.roll_back() is True
    assert world.serving == {BASELINE: 100}
    calls = list(world.platform.calls)
    assert release.roll_back() is False
    assert world.platform.calls == calls
    journal.is_whole()


def test_a_rollback_mends_a_wish_that_never_took_effect(release: Release, world: World) -> None:
    begun(release)
    release.build_image()
    world.platform.unready.add(release.image.reference)
    with pytest.raises(GateClosed, match="is not ready"):
        release.deploy()
    assert release.roll_back() is True
    assert world.platform.state is not None
    assert world.platform.state.wanted == TrafficSplit.all_to(BASELINE)


def test_a_rollback_that_follows_latest_pins_the_baseline_by_name(
    release: Release, world: World
) -> None:
    assert world.platform.state is not None
    latest = TrafficSplit((Target("", 100),))
    world.platform.state = replace(world.platform.state, wanted=latest, actual=latest)
    deployed(release)
    release.roll_back()
    assert world.serving == {BASELINE: 100}


def test_a_rollback_that_is_refused_needs_a_person(release: Release, world: World) -> None:
    deployed(release)
    release.raise_share(10)
    world.platform.refuses.add("split_traffic")
    with pytest.raises(ManualActionRequired, match=f"--to-revisions={BASELINE}=100"):
        release.roll_back()


def test_a_rollback_that_nobody_can_prove_needs_a_person(release: Release, world: World) -> None:
    deployed(release)
    release.raise_share(10)
    world.logs.answering = lambda: [release.candidate.name]
    with pytest.raises(ManualActionRequired, match="got answers from"):
        release.roll_back()


@pytest.mark.parametrize("passed", [True, False])
def test_a_release_that_never_began_has_nothing_to_settle(
    release: Release, world: World, *, passed: bool
) -> None:
    release.acquire_lock()
    assert release.settle(passed=passed) is False
    assert world.platform.calls == ["create"]


@pytest.mark.parametrize(
    ("stage", "passed", "took_back", "ends"),
    [
        (Stage.BEGUN, True, False, Stage.RESTORED),
        (Stage.BEGUN, False, False, Stage.RESTORED),
        (Stage.DEPLOYED, True, True, Stage.RESTORED),
        (Stage.DEPLOYED, False, True, Stage.RESTORED),
        (Stage.MOVED, True, True, Stage.RESTORED),
        (Stage.MOVED, False, True, Stage.RESTORED),
        (Stage.PROMOTED, True, False, Stage.PROMOTED),
        (Stage.PROMOTED, False, True, Stage.RESTORED),
        (Stage.RESTORED, True, False, Stage.RESTORED),
        (Stage.RESTORED, False, False, Stage.RESTORED),
        (Stage.LEFT, True, False, Stage.LEFT),
        (Stage.LEFT, False, False, Stage.LEFT),
    ],
)
def test_settling_leaves_what_came_to_its_end_and_takes_back_all_else(
    release: Release, world: World, stage: Stage, ends: Stage, *, passed: bool, took_back: bool
) -> None:
    reach(release, stage)
    before = world.serving
    assert release.settle(passed=passed) is took_back
    assert world.serving == ({BASELINE: 100} if took_back else before)
    assert release.release_state is not None
    assert release.release_state.stage is ends
    assert next_run(release).acquire_lock() == release.release_state


def reach(release: Release, stage: Stage) -> None:
    """Take a release to a stage, by its own means where it has them."""
    match stage:
        case Stage.BEGUN:
            begun(release)
        case Stage.DEPLOYED:
            deployed(release)
        case Stage.PROMOTED:
            promoted(release)
        case _:
            moved(release)
    if stage is Stage.RESTORED:
        release.roll_back()
    if stage is Stage.LEFT:
        release.guard.write_release_state(replace(release.rollback.release_state, stage=stage))


def test_an_interrupted_promotion_is_taken_back(release: Release, world: World) -> None:
    deployed(release)

    def interrupted() -> list[str]:
        raise KeyboardInterrupt

    answering, world.logs.answering = world.logs.answering, interrupted
    with pytest.raises(KeyboardInterrupt):
        release.promote()
    world.logs.answering = answering
    assert world.serving == {release.candidate.name: 100}
    assert not release.promoted
    assert release.settle(passed=False) is True
    assert world.serving == {BASELINE: 100}


def test_users_come_back_while_the_leases_cannot_be_written(release: Release, world: World) -> None:
    promoted(release)
    world.leases.refuses.add("update")
    assert release.roll_back() is True
    assert world.serving == {BASELINE: 100}
    assert [line for line in world.progress.lines if "could not" in line] == [
        "could not write down where the release stands, going on without: update was refused"
    ]
    assert not release.promoted
    assert release.settle(passed=False) is False


@pytest.mark.parametrize("last", [moved, promoted])
def test_whoever_was_cut_off_for_long_still_brings_users_back(
    release: Release, world: World, last: Callable[[Release], Release]
) -> None:
    last(release)
    world.clock.sleep(timedelta(minutes=2))
    assert release.roll_back()
    assert world.serving == {BASELINE: 100}
    assert not release.promoted


def test_what_was_restored_and_could_not_be_written_is_no_hindrance_to_the_next(
    release: Release, world: World
) -> None:
    moved(release)
    world.leases.refuses.add("update")
    assert release.roll_back() is True
    later = next_run(release)
    world.leases.refuses.clear()
    left = later.acquire_lock()
    assert left is not None
    assert left.stage is Stage.MOVED
    recovery.recover(later, resume=False)
    assert later.find_baseline() == BASELINE


@pytest.mark.parametrize("step", [-timedelta(hours=1), timedelta(hours=1)])
@pytest.mark.parametrize("passed", [True, False])
def test_a_wall_clock_that_steps_changes_nothing_of_a_release(
    release: Release, world: World, step: timedelta, *, passed: bool
) -> None:
    deployed(release)
    world.clock.stepped = step
    release.raise_share(10)
    world.clock.stepped = -step
    release.raise_share(50)
    if passed:
        release.promote()
    assert release.settle(passed=passed) is not passed
    assert world.serving == {release.candidate.name if passed else BASELINE: 100}
    assert [lease.number for lease in world.leases.all()] == [1]
    assert next_run(release).acquire_lock() == release.release_state


def test_nothing_is_asked_for_that_others_would_not_know_of(release: Release, world: World) -> None:
    deployed(release)
    before, calls = world.serving, list(world.platform.calls)
    world.leases.refuses.add("update")
    with pytest.raises(CallFailed, match="update was refused"):
        release.raise_share(10)
    assert (world.serving, world.platform.calls) == (before, calls)


def test_the_next_release_begins_where_the_last_one_ended(release: Release, world: World) -> None:
    promoted(release)
    later = next_run(release)
    last = later.acquire_lock()
    assert later.find_baseline() == release.candidate.name
    assert last == release.release_state
    assert later.release_state == ReleaseState(
        run="the-next-run",
        baseline=release.candidate.name,
        before=TrafficSplit(
            (Target(release.candidate.name, 100), Target(release.candidate.name, 0, "candidate"))
        ),
        generation=reading(world).generation,
    )


def test_applied_migrations_are_known_to_the_next_release(release: Release) -> None:
    begun(release)
    release.guard.write_release_state(
        replace(release.rollback.release_state, migrations=("1_shop", "2_till"))
    )
    release.settle(passed=False)
    later = begun(next_run(release))
    assert later.rollback.release_state.migrations == ("1_shop", "2_till")


def test_a_baseline_is_found_once(release: Release) -> None:
    deployed(release)
    release_state = release.release_state
    assert release.find_baseline() == BASELINE
    assert release.release_state == release_state


@pytest.mark.parametrize(
    "change", [{}, {"wanted": TrafficSplit.all_to("x"), "actual": TrafficSplit.all_to("x")}]
)
def test_nothing_is_asked_for_over_somebody_elses_change(
    release: Release, world: World, change: ServiceFields
) -> None:
    deployed(release)
    world.platform.change_by_somebody(**change)
    before = reading(world)
    with pytest.raises(ConcurrentChange, match="was changed by alice"):
        release.raise_share(10)
    assert reading(world) == before


def reading(world: World) -> Service:
    assert world.platform.state is not None
    return world.platform.state


def test_stages_taken_alone_say_what_they_miss(release: Release) -> None:
    with pytest.raises(ReleaseError, match="run features/ as a whole"):
        release.deploy()
    with pytest.raises(ReleaseError, match="run features/ as a whole"):
        release.raise_share(10)


def test_variables_of_the_baseline_that_would_be_lost_are_named(
    release: Release, world: World
) -> None:
    deployed(release)
    live = world.platform.revisions_by_name[BASELINE]
    richer = replace(live.settings, variables={"LOG_LEVEL": "INFO", "BY_HAND": "1"})
    world.platform.revisions_by_name[BASELINE] = replace(live, settings=richer)
    assert release.candidate.lost_variables(BASELINE) == ("BY_HAND",)


def test_every_change_is_journalled_before_and_after(release: Release, journal: Journal) -> None:
    deployed(release)
    release.raise_share(10)
    release.roll_back()
    told = [(entry.action, entry.state) for entry in journal.entries() if entry.state != "noted"]
    assert told == [
        ("push", "begun"),
        ("push", "done"),
        ("push", "begun"),
        ("push", "done"),
        ("deploy", "begun"),
        ("deploy", "done"),
        ("let everybody invoke", "begun"),
        ("let everybody invoke", "done"),
        ("split traffic", "begun"),
        ("split traffic", "done"),
        ("roll back", "begun"),
        ("roll back", "done"),
    ]


BY_HAND = ServiceSettings(ingress="all", description="by hand", custom_audiences=("one",))
SAID = ServiceSettings(ingress="internal", min=2, custom_audiences=("two",))


@pytest.fixture
def settling(release: Release, world: World) -> Release:
    """A release that says something of the service itself, and has deployed its candidate."""
    world.platform.settings = BY_HAND
    release.plan = replace(release.plan, service_settings=SAID)
    return deployed(release)


def test_settings_of_the_service_change_with_the_promotion_and_not_before(
    settling: Release, world: World
) -> None:
    settling.raise_share(50)
    assert world.platform.settings == BY_HAND
    settling.promote()
    assert world.platform.settings == replace(
        BY_HAND, ingress="internal", min=2, custom_audiences=("one", "two")
    )


def test_settings_of_the_service_come_back_with_its_users(settling: Release, world: World) -> None:
    settling.promote()
    assert settling.roll_back() is True
    assert (world.serving, world.platform.settings) == ({BASELINE: 100}, BY_HAND)


def test_settings_of_the_service_come_back_from_another_machine(settling: Release) -> None:
    settling.promote()
    known = settling.guard.known_release_state
    assert ReleaseState.from_json(known.as_json()) == known
    assert known.service_settings == BY_HAND


def test_settings_that_are_refused_do_not_keep_users_from_coming_back(
    settling: Release, world: World
) -> None:
    settling.promote()
    world.platform.refused_settings = BY_HAND
    assert settling.roll_back() is True
    assert world.serving == {BASELINE: 100}
    told = [line for line in world.progress.lines if "could not" in line]
    assert told == [
        "could not put the service's settings back, going on without: these settings were refused"
    ]


def test_a_service_that_has_other_settings_than_were_said_is_not_promoted(
    settling: Release, world: World
) -> None:
    world.platform.changes_settings = False
    with pytest.raises(GateClosed, match=r"settings of shop: .*ingress: got all, needs internal"):
        settling.promote()
    assert not settling.promoted


def test_a_variable_that_would_be_lost_stops_the_release_before_anything_is_made(
    release: Release, world: World
) -> None:
    live = world.platform.revisions_by_name[BASELINE]
    richer = replace(live.settings, variables={"LOG_LEVEL": "INFO", "BY_HAND": "1"})
    world.platform.revisions_by_name[BASELINE] = replace(live, settings=richer)
    begun(release)
    with pytest.raises(ReleaseError) as refused:
        release.deploy()
    assert refused.value.message == (
        f"variables: the candidate would lose BY_HAND of {BASELINE}, needs each of them kept, or "
        "taken away on purpose"
    )
    assert refused.value.hint == (
        'keep them, with the values that they have:\n  BY_HAND: "..."\n'
        "or take them away:\n  deploy: {remove-env-vars: [BY_HAND]}"
    )
    assert "deploy" not in world.platform.calls


def test_a_value_that_does_not_go_with_the_live_one_stops_the_release(
    release: Release, world: World
) -> None:
    live = world.platform.revisions_by_name[BASELINE]
    settings = replace(live.settings, memory="8Gi", cpu="2")
    world.platform.revisions_by_name[BASELINE] = replace(live, settings=settings)
    release.plan = replace(release.plan, settings=RevisionSettings(cpu="1"))
    begun(release)
    with pytest.raises(ReleaseError, match=r"deploy.memory: got 8Gi .*, needs 128Mi to 4Gi with"):
        release.deploy()


def test_what_is_live_and_breaks_a_rule_of_ours_is_none_of_ours(
    release: Release, world: World
) -> None:
    live = world.platform.revisions_by_name[BASELINE]
    settings = replace(live.settings, memory="8Gi", cpu="1")
    world.platform.revisions_by_name[BASELINE] = replace(live, settings=settings)
    release.plan = replace(release.plan, settings=RevisionSettings(concurrency=5))
    deployed(release)
    made = world.platform.revisions_by_name[release.candidate.name]
    assert made.settings == replace(settings, concurrency=5)


def test_values_that_somebody_set_by_hand_reach_no_evidence(release: Release, world: World) -> None:
    live = world.platform.revisions_by_name[BASELINE]
    settings = replace(live.settings, variables={"LOG_LEVEL": "DEBUG", "BY_HAND": "hunter2"})
    world.platform.revisions_by_name[BASELINE] = replace(live, settings=settings)
    said = RevisionSettings(update_variables={"LOG_LEVEL": "INFO"})
    release.plan = replace(release.plan, settings=said)
    deployed(release)
    assert release.candidate.differences() == ()
    told = "\n".join(map(str, world.evidence.kept.values()))
    assert "hunter2" not in told
    assert "env-vars.BY_HAND: set" in told
    assert "env-vars.LOG_LEVEL: INFO" in told
