"""A release is monitored after it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from greenrun.checks.metrics import monitoring
from greenrun.model.alert_status import AlertOutcome
from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.interfaces import HttpResponse
from greenrun.model.interfaces.alerting import PolicyDifference
from greenrun.model.monitoring import Figure, Level, Share
from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.plan import MonitoringPlan
from greenrun.release.release import Release
from greenrun.reporting.monitoring import MonitoringTargets, Objectives
from tests.conftest import World
from tests.fakes.watching import MemoryAlerts
from tests.stages import begun, deployed

OBJECTIVES = Objectives(Gate((Threshold("error rate", "at most", Quantity(5, "%")),)))
METRICS = """\
# TYPE requests_total counter
requests_total{status="200"} 7
# TYPE cache_size gauge
cache_size 3
"""
FIGURES = (
    Figure("success rate", Share(('requests_total{status="200"}',), ("requests_total",))),
    Figure("cache size", Level("cache_size")),
)


@pytest.fixture
def release(release: Release) -> Release:
    """It says what is watched."""
    plan = MonitoringPlan(FIGURES, metrics_path="/metrics", alerts=("error rate",))
    release.plan = replace(release.plan, monitoring=plan)
    return release


@pytest.fixture
def watchers(tmp_path: Path) -> MonitoringTargets:
    return MonitoringTargets(tmp_path / "home", MemoryAlerts())


def folder(release: Release, watchers: MonitoringTargets) -> Path:
    return watchers.files(release.plan).folder


def alerts_of(watchers: MonitoringTargets) -> MemoryAlerts:
    assert isinstance(watchers.alerts, MemoryAlerts)
    return watchers.alerts


def test_what_was_handed_over_holds_and_holds_again(
    release: Release, watchers: MonitoringTargets
) -> None:
    published = monitoring.publish_objectives(begun(release), OBJECTIVES, watchers)
    monitoring.every_alert_has_its_policy(published, watchers)
    monitoring.files_exist(published)
    monitoring.publishes_nothing_new(release, OBJECTIVES, watchers)
    assert folder(release, watchers) == watchers.home / "monitoring" / release.plan.environment
    assert {path.name for path in folder(release, watchers).iterdir()} == {
        *("prometheus.yml", "rules.yml", "dashboard.json", "SHA256SUMS")
    }


def test_who_watches_is_evidence_and_what_is_new_is_told(
    release: Release, watchers: MonitoringTargets, world: World
) -> None:
    monitoring.publish_objectives(begun(release), OBJECTIVES, watchers)
    created = (
        "alert policy for error rate over 5 % for 5 min: created; notifies nobody until it is "
        "given a notification channel"
    )
    assert created in world.progress.lines
    assert created in str(world.evidence.kept["published to monitoring"])


def test_edits_are_told_line_by_line_and_close_nothing(
    release: Release, watchers: MonitoringTargets, world: World
) -> None:
    monitoring.publish_objectives(begun(release), OBJECTIVES, watchers)
    (folder(release, watchers) / "rules.yml").write_text("theirs\n")
    edit = PolicyDifference("enabled", "false", "true")
    alerts_of(watchers).edit("error rate", edit)

    published = monitoring.publish_objectives(release, OBJECTIVES, watchers)
    monitoring.every_alert_has_its_policy(published, watchers)
    monitoring.files_exist(published)
    monitoring.publishes_nothing_new(release, OBJECTIVES, watchers)
    assert "-theirs" in str(world.evidence.kept["files that differ"]).splitlines()
    assert f"  {edit}" in world.progress.lines
    assert (
        f"{folder(release, watchers) / 'rules.yml'}: edited by hand, and left so"
        in world.progress.lines
    )


def test_what_became_of_the_policies_is_known_to_the_record(
    release: Release, watchers: MonitoringTargets
) -> None:
    """Proving that a second time changes nothing does not change what the first has done."""
    monitoring.publish_objectives(begun(release), OBJECTIVES, watchers)
    monitoring.publishes_nothing_new(release, OBJECTIVES, watchers)
    assert [one.outcome for one in release.alert_policies] == [AlertOutcome.CREATED]


def test_a_policy_that_is_gone_closes_the_gate(
    release: Release, watchers: MonitoringTargets
) -> None:
    published = monitoring.publish_objectives(begun(release), OBJECTIVES, watchers)
    alerts_of(watchers).policies.clear()
    with pytest.raises(GateClosed, match="got none for error rate over 5 % for 5 min, needs one"):
        monitoring.every_alert_has_its_policy(published, watchers)
    with pytest.raises(GateClosed, match=r"(?s)publishing again: got .*created"):
        monitoring.publishes_nothing_new(release, OBJECTIVES, watchers)


def test_no_alert_at_all_is_no_proof(release: Release, watchers: MonitoringTargets) -> None:
    assert release.plan.monitoring
    silent = replace(release.plan.monitoring, alerts=())
    release.plan = replace(release.plan, monitoring=silent)
    published = monitoring.publish_objectives(begun(release), OBJECTIVES, watchers)
    with pytest.raises(GateClosed, match="got none for no alert at all"):
        monitoring.every_alert_has_its_policy(published, watchers)


def test_a_file_that_is_gone_closes_the_gate(release: Release, watchers: MonitoringTargets) -> None:
    published = monitoring.publish_objectives(begun(release), OBJECTIVES, watchers)
    (folder(release, watchers) / "dashboard.json").unlink()
    with pytest.raises(GateClosed, match=r"got none at .*dashboard\.json, needs each there"):
        monitoring.files_exist(published)


def test_nothing_happens_where_release_yaml_does_not_say_what_is_watched(
    release: Release, watchers: MonitoringTargets
) -> None:
    release.plan = replace(release.plan, monitoring=None)
    with pytest.raises(ReleaseError, match=r"release\.yaml does not say what is monitored"):
        monitoring.publish_objectives(begun(release), OBJECTIVES, watchers)
    assert alerts_of(watchers).policies == {}
    assert not watchers.home.exists()


def told(world: World, body: str, status: int = 200) -> None:
    answer = HttpResponse(status, {"content-type": "text/plain"}, body, timedelta(milliseconds=2))
    world.web.answers["/candidate/metrics"] = answer


def test_every_metric_that_is_watched_is_told(release: Release, world: World) -> None:
    told(world, METRICS)
    monitoring.metrics_are_exposed(deployed(release))


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (METRICS.replace("cache_size", "cache_length"), 200, "got no cache_size, needs every"),
        ("", 200, "got no cache_size, requests_total, needs every"),
        ("", 401, "got status 401, needs 200"),
        ("<html>\n", 200, "got no exposition"),
    ],
)
def test_a_panel_that_would_stay_empty_closes_the_gate(
    release: Release, world: World, body: str, status: int, message: str
) -> None:
    told(world, body, status)
    with pytest.raises(GateClosed, match=message):
        monitoring.metrics_are_exposed(deployed(release))
