import pytest
from google.cloud import run_v2
from hypothesis import given, settings
from hypothesis import strategies as st

from greenrun.adapters.gcp.run.from_proto import (
    describe,
    execution_of,
    revision_of,
    service_of,
    split_of,
    traffic_of,
)
from greenrun.model.interfaces import Execution
from greenrun.model.revision import Readiness
from greenrun.model.traffic import LATEST, Target, TrafficSplit

Condition = run_v2.Condition
State = run_v2.Condition.State
FULL = "projects/p/locations/r/services/web"

names = st.sampled_from([LATEST, "web-one", "web-two"])
tags = st.sampled_from(["", "candidate", "edge"])
splits = st.lists(st.builds(Target, names, st.integers(0, 100), tags), max_size=5).map(
    lambda targets: TrafficSplit(tuple(targets))
)


@given(splits)
@settings(deadline=None)
def test_a_split_comes_back_as_it_was_asked_for(split: TrafficSplit) -> None:
    assert split_of(traffic_of(split)) == split


@given(splits)
@settings(deadline=None)
def test_the_order_of_targets_makes_no_difference(split: TrafficSplit) -> None:
    tagged = {target.tag: target for target in split if target.tag}
    shares = [target for target in split if not target.tag]
    unambiguous = (*shares, *tagged.values())
    assert TrafficSplit(unambiguous).matches(TrafficSplit(unambiguous[::-1]))


def test_a_tag_that_moved_is_another_effect() -> None:
    split = TrafficSplit((Target("web-one", 100), Target("web-one", 0, "edge")))
    assert not split.matches(split.tagged("web-two", "edge"))


@pytest.mark.parametrize(
    ("reconciling", "observed", "state", "readiness"),
    [
        (False, 3, State.CONDITION_SUCCEEDED, Readiness.READY),
        (True, 3, State.CONDITION_SUCCEEDED, Readiness.PENDING),
        (False, 2, State.CONDITION_SUCCEEDED, Readiness.PENDING),
        (False, 2, State.CONDITION_FAILED, Readiness.FAILED),
        (True, 2, State.CONDITION_FAILED, Readiness.PENDING),
        (False, 3, State.CONDITION_RECONCILING, Readiness.PENDING),
        (False, 0, State.STATE_UNSPECIFIED, Readiness.PENDING),
    ],
)
def test_a_service_is_ready_when_its_present_generation_is(
    *, reconciling: bool, observed: int, state: State, readiness: Readiness
) -> None:
    described = run_v2.Service(
        name=FULL,
        generation=3,
        observed_generation=observed,
        reconciling=reconciling,
        terminal_condition=Condition(type_="Ready", state=state),
    )
    assert service_of(described).readiness is readiness


def test_a_revision_without_traffic_is_ready_though_it_is_retired_and_not_active() -> None:
    retired = Condition.RevisionReason.RETIRED
    described = run_v2.Revision(
        name=f"{FULL}/revisions/web-one",
        containers=[run_v2.Container(image="app:1")],
        conditions=[
            Condition(type_="Active", state=State.CONDITION_FAILED, revision_reason=retired),
            Condition(type_="Ready", state=State.CONDITION_SUCCEEDED, revision_reason=retired),
        ],
    )
    revision = revision_of(described)
    assert (revision.name, revision.readiness) == ("web-one", Readiness.READY)


def test_a_revision_that_failed_is_not_ready_once_it_is_retired() -> None:
    """As recorded: Ready turns True, RETIRED, when the tag goes; ContainerHealthy stays False."""
    reason = Condition.RevisionReason
    described = run_v2.Revision(
        name=f"{FULL}/revisions/web-one",
        containers=[run_v2.Container(image="app:1")],
        conditions=[
            Condition(
                type_="Ready",
                state=State.CONDITION_SUCCEEDED,
                revision_reason=reason.RETIRED,
            ),
            Condition(
                type_="ContainerHealthy",
                state=State.CONDITION_FAILED,
                revision_reason=reason.HEALTH_CHECK_CONTAINER_ERROR,
                message="did not listen",
            ),
        ],
    )
    revision = revision_of(described)
    assert (revision.readiness, revision.reason, revision.message) == (
        Readiness.FAILED,
        "HEALTH_CHECK_CONTAINER_ERROR",
        "did not listen",
    )


@pytest.mark.parametrize(("seconds", "told"), [(0, ""), (1, "1970-01-01T00:00:01+00:00")])
def test_the_epoch_is_no_time_of_a_change(seconds: int, told: str) -> None:
    described = run_v2.Service(name=FULL)
    run_v2.Service.pb(described).update_time.FromSeconds(seconds)
    assert service_of(described).changed_at == told


@pytest.mark.parametrize(
    ("tasks", "succeeded", "expected"),
    [(1, 1, True), (1, 0, False), (3, 2, False), (0, 0, False)],
)
def test_an_execution_is_judged_by_its_counts(
    *, tasks: int, succeeded: int, expected: bool
) -> None:
    described = run_v2.Execution(
        name=f"{FULL}/executions/run-1",
        task_count=tasks,
        succeeded_count=succeeded,
        conditions=[Condition(type_="Completed", state=State.CONDITION_SUCCEEDED)],
    )
    assert execution_of(described) == Execution("run-1", expected)


def test_conditions_are_described_without_those_that_hold() -> None:
    failed = Condition(
        type_="Ready",
        state=State.CONDITION_FAILED,
        message="no image",
        revision_reason=Condition.RevisionReason.HEALTH_CHECK_CONTAINER_ERROR,
    )
    holds = Condition(type_="RoutesReady", state=State.CONDITION_SUCCEEDED)
    assert describe([failed, holds]) == "Ready failed HEALTH_CHECK_CONTAINER_ERROR no image"
    assert describe([holds]) == "all conditions hold"


@pytest.mark.parametrize(
    ("annotation", "flags"), [("gpu,vpc-connector", ("gpu", "vpc-connector")), (None, ())]
)
def test_flags_without_effect_are_read_from_the_annotation_of_a_local_cloud(
    annotation: str | None, flags: tuple[str, ...]
) -> None:
    annotations = {"greenrun.dev/no-effect": annotation} if annotation else {}
    assert service_of(run_v2.Service(annotations=annotations)).no_effect == flags
