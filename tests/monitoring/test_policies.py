"""Each alert gets its policy, and what people have edited is theirs."""

from datetime import timedelta

import pytest

from greenrun.model.alert_status import AlertOutcome
from greenrun.model.errors import CallFailed, LockLost
from greenrun.model.interfaces.alerting import PolicyDifference
from greenrun.model.monitoring import Alert
from greenrun.model.objective import Quantity, Threshold
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.coordination.journal import Journal
from greenrun.reporting.monitoring import apply_policies
from tests.fakes.watching import MemoryAlerts

ERRORS = Alert(Threshold("error rate", "at most", Quantity(5, "%")), timedelta(minutes=5))
SLOW = Alert(Threshold("p99 latency", "at most", Quantity(2000, "ms")), timedelta(minutes=5))
EDIT = PolicyDifference("conditions[0].condition_threshold.threshold_value", "0.1", "0.05")


@pytest.fixture
def ours(guard: ChangeGuard) -> ChangeGuard:
    guard.acquire_lock()
    return guard


@pytest.fixture
def alerts() -> MemoryAlerts:
    return MemoryAlerts()


def changes(journal: Journal) -> list[tuple[str, str, str]]:
    told = ((entry.action, entry.subject, entry.state) for entry in journal.entries())
    return [one for one in told if "alert policy" in one[0]]


def test_a_missing_policy_is_created_and_journalled_before_and_after(
    alerts: MemoryAlerts, ours: ChangeGuard, journal: Journal
) -> None:
    (watched,) = apply_policies([ERRORS], alerts, ours)
    assert watched.outcome is AlertOutcome.CREATED
    subject = "error rate over 5 % for 5 min"
    assert changes(journal) == [
        ("create alert policy", subject, "begun"),
        ("create alert policy", subject, "done"),
    ]
    assert str(watched) == (
        "alert policy for error rate over 5 % for 5 min: created; notifies nobody until it is "
        "given a notification channel"
    )


def test_a_second_time_everything_is_left_alone(
    alerts: MemoryAlerts, ours: ChangeGuard, journal: Journal
) -> None:
    apply_policies([ERRORS, SLOW], alerts, ours)
    before = changes(journal)
    again = apply_policies([ERRORS, SLOW], alerts, ours)
    assert [one.outcome for one in again] == [AlertOutcome.SAME, AlertOutcome.SAME]
    assert changes(journal) == before


def test_an_edited_policy_is_left_and_every_difference_told(
    alerts: MemoryAlerts, ours: ChangeGuard
) -> None:
    apply_policies([ERRORS], alerts, ours)
    alerts.edit("error rate", EDIT)
    (watched,) = apply_policies([ERRORS], alerts, ours)
    assert str(watched).splitlines() == [
        "alert policy for error rate over 5 % for 5 min: edited by somebody, and left so",
        "  conditions[0].condition_threshold.threshold_value: got 0.1, needs 0.05",
    ]
    assert alerts.policies["error rate"].differences == (EDIT,)


def test_an_edited_policy_is_overwritten_where_release_yaml_says_so(
    alerts: MemoryAlerts, ours: ChangeGuard, journal: Journal
) -> None:
    apply_policies([ERRORS], alerts, ours)
    alerts.edit("error rate", EDIT)
    (watched,) = apply_policies([ERRORS], alerts, ours, overwrite=True)
    assert (watched.outcome, watched.differences) == (AlertOutcome.OVERWRITTEN, (EDIT,))
    assert alerts.policies["error rate"].differences == ()
    assert alerts.policies["error rate"].channels == ("their mail",)
    begun = next(entry for entry in journal.entries() if entry.action == "overwrite alert policy")
    assert begun.facts == {"policy": "policies/error rate", "fields": str(EDIT)}


def test_nothing_is_changed_without_the_lock(alerts: MemoryAlerts, guard: ChangeGuard) -> None:
    with pytest.raises(LockLost):
        apply_policies([ERRORS], alerts, guard)
    assert alerts.policies == {}


def test_a_refusal_is_journalled_as_failed(
    alerts: MemoryAlerts, ours: ChangeGuard, journal: Journal
) -> None:
    alerts.refuses = {"create"}
    with pytest.raises(CallFailed, match="PERMISSION_DENIED"):
        apply_policies([ERRORS], alerts, ours)
    assert [state for _, _, state in changes(journal)] == ["begun", "failed"]
