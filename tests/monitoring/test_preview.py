"""What would become of those who watch is told, and nothing is changed for that."""

from dataclasses import replace

import pytest

from greenrun.model.errors import ReleaseError
from greenrun.model.interfaces.alerting import PolicyDifference
from greenrun.model.objective import Gate
from greenrun.model.plan import MonitoringPlan, Plan
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.reporting.monitoring import Objectives, apply_policies, monitored, preview
from greenrun.reporting.monitoring.objectives import alerts
from tests.fakes.watching import MemoryAlerts

RULES = (
    "success rate at least 95 %, p95 latency at most 800 ms, cache hit rate at least 40 %, "
    "cache size at most 100"
)
ERRORS = "alert policy for error rate over 5 % for 5 min"
SLOW = "alert policy for p99 latency over 2000 ms for 5 min"
SILENT = "; notifies nobody until it is given a notification channel"
EDIT = PolicyDifference("enabled", "false", "true")


@pytest.fixture
def platform() -> MemoryAlerts:
    """It refuses whatever would change something."""
    return MemoryAlerts(refuses={"create", "overwrite"})


@pytest.fixture
def released(watched: MonitoringPlan, objectives: Objectives, guard: ChangeGuard) -> MemoryAlerts:
    """As a release before has left it; by now it refuses to change anything."""
    guard.acquire_lock()
    platform = MemoryAlerts()
    apply_policies(alerts(watched, objectives.canary), platform, guard)
    platform.refuses.update({"create", "overwrite"})
    return platform


def test_policies_that_are_missing_would_be_created(
    service: Plan, objectives: Objectives, platform: MemoryAlerts
) -> None:
    assert preview(service, objectives, platform) == (
        (ERRORS, f"would be created{SILENT}"),
        (SLOW, f"would be created{SILENT}"),
        ("alert rules", RULES),
    )
    assert platform.policies == {}


def test_what_is_as_it_has_to_be_is_told_so(
    service: Plan, objectives: Objectives, released: MemoryAlerts
) -> None:
    errors, slow, _ = preview(service, objectives, released)
    assert (errors, slow) == (
        (ERRORS, f"as it has to be{SILENT}"),
        (SLOW, f"as it has to be{SILENT}"),
    )


@pytest.mark.parametrize(
    ("overwrite", "told"),
    [
        (False, "edited by somebody, would be left so"),
        (True, "edited by somebody, would be overwritten"),
    ],
)
def test_what_somebody_has_edited_is_told_with_its_differences(
    service: Plan, objectives: Objectives, released: MemoryAlerts, *, overwrite: bool, told: str
) -> None:
    released.edit("error rate", EDIT)
    plan = replace(service, monitoring=replace(monitored(service), overwrite=overwrite))
    assert preview(plan, objectives, released)[0] == (ERRORS, f"{told}\n  {EDIT}")
    assert released.policies["error rate"].differences == (EDIT,)


def test_what_release_yaml_does_not_ask_for_is_not_told(
    service: Plan, objectives: Objectives, platform: MemoryAlerts
) -> None:
    assert preview(replace(service, monitoring=None), objectives, platform) == ()


def test_figures_without_limits_have_no_rules(
    service: Plan, watched: MonitoringPlan, platform: MemoryAlerts
) -> None:
    shown = replace(service, monitoring=replace(watched, alerts=()))
    found = preview(shown, Objectives(Gate(())), platform)
    assert found == (("alert rules", "none: no figure has a limit"),)


def test_what_could_not_be_published_is_refused_already(
    service: Plan, platform: MemoryAlerts
) -> None:
    with pytest.raises(ReleaseError, match="could not alert by error rate, p99 latency"):
        preview(service, Objectives(Gate(())), platform)
