"""Traffic: splits, revision tags, and what is refused."""

from collections import Counter

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from tests.contract.caller import Caller, answering, latest, pinned, result

State = run_v2.Condition.State


@pytest.fixture
def split(caller: Caller) -> tuple[str, str]:
    """A public service of two revisions, of which the first serves."""
    caller.create(revision="one", invoker_iam_disabled=True)
    one, two = f"{caller.service_id}-one", f"{caller.service_id}-two"
    caller.update(
        "template,traffic",
        template=caller.template(revision="two"),
        traffic=[pinned(one, 100)],
    )
    return one, two


def test_empty_traffic_means_all_to_latest(caller: Caller, split: tuple[str, str]) -> None:
    service = caller.route()
    assert list(service.traffic) == [latest(100)]
    assert answering(service.uri) == split[1]


def test_a_split_is_divided_by_percent(caller: Caller, split: tuple[str, str]) -> None:
    one, two = split
    service = caller.route(pinned(one, 50), pinned(two, 50))
    with httpx.Client() as client:
        answers = Counter(client.get(service.uri).json()["revision"] for _ in range(100))
    assert set(answers) == {one, two}
    assert 20 <= answers[one] <= 80


def test_targets_of_one_revision_add_up(caller: Caller, split: tuple[str, str]) -> None:
    one, two = split
    service = caller.route(pinned(two, 60), latest(40), pinned(one, 0))
    assert {answering(service.uri) for _ in range(10)} == {two}


def test_an_address_stays_while_traffic_changes(caller: Caller, split: tuple[str, str]) -> None:
    one, two = split
    before = caller.route(pinned(one, 100), pinned(two, 0, "candidate"))
    after = caller.route(pinned(one, 0, "before"), pinned(two, 100, "candidate"))
    assert after.uri == before.uri
    assert after.traffic_statuses[1].uri == before.traffic_statuses[1].uri


def test_only_tagged_targets_have_an_address(caller: Caller, split: tuple[str, str]) -> None:
    one, two = split
    statuses = caller.route(pinned(one, 100), pinned(two, 0, "candidate")).traffic_statuses
    assert [bool(status.uri) for status in statuses] == [False, True]


def test_a_missing_revision_in_traffic_fails_the_operation(
    caller: Caller, split: tuple[str, str]
) -> None:
    one, _ = split
    before = caller.get()
    operation = caller.begin_update("traffic", traffic=[pinned(f"{caller.service_id}-gone", 100)])
    with pytest.raises(
        exceptions.GoogleAPICallError,
        match=f"Revision '{caller.service_id}-gone' does not exist or is deleted",
    ):
        result(operation)
    after = caller.get()
    assert after.terminal_condition.state == State.CONDITION_FAILED
    assert after.traffic_statuses == before.traffic_statuses
    assert answering(after.uri) == one


def test_a_revision_that_failed_takes_no_traffic(caller: Caller, split: tuple[str, str]) -> None:
    one, _ = split
    with pytest.raises(exceptions.GoogleAPICallError):
        caller.update("template", template=caller.template("crash", "three"))
    with pytest.raises(exceptions.GoogleAPICallError, match="is not ready and cannot serve"):
        caller.route(pinned(one, 90), pinned(f"{caller.service_id}-three", 10))
    assert answering(caller.get().uri) == one


@pytest.mark.parametrize(
    ("targets", "why"),
    [
        ([latest(90)], "must add to 100, got 90"),
        ([latest(60), latest(60)], "must add to 100, got 120"),
        ([latest(-10), latest(110)], "from 0 to 100, got -10"),
        ([run_v2.TrafficTarget(percent=100)], "needs a type"),
        ([pinned("", 100)], "names a revision if, and only if"),
        ([latest(100, "Next")], "Invalid revision tag 'Next'"),
        ([latest(100, "next"), latest(0, "next")], "one traffic target only"),
    ],
)
def test_bad_traffic_is_refused(
    caller: Caller, targets: list[run_v2.TrafficTarget], why: str
) -> None:
    with pytest.raises(exceptions.BadRequest, match=why):
        caller.begin_create(traffic=targets)
