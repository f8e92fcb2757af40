"""Whether a service is monitored after its release, by what the release was judged by."""

from greenrun.checks.metrics.exposition import Exposition
from greenrun.model.errors import GateClosed
from greenrun.release.release import Release
from greenrun.reporting.monitoring import (
    MonitoringTargets,
    Objectives,
    Publication,
    monitored,
    publish,
)
from greenrun.reporting.monitoring.promql import metric


def publish_objectives(
    release: Release, objectives: Objectives, targets: MonitoringTargets
) -> Publication:
    """Publish the objectives; what a person should know of it is told, and recorded."""
    published = publish(release.plan, objectives, release.service.url, targets, release.guard)
    release.alert_policies = published.policies
    release.dependencies.evidence.attach("published to monitoring", str(published))
    if published.differences:
        release.dependencies.evidence.attach(
            "files that differ", published.differences, "text/x-diff"
        )
    for line in published.worth_telling():
        release.dependencies.progress.present(line)
    return published


def every_alert_has_its_policy(published: Publication, targets: MonitoringTargets) -> None:
    """The platform, asked anew, has a policy for every alert; no alert at all proves nothing.

    One that somebody has edited is theirs: it was told, and closes nothing.
    """
    alerts = [one.alert for one in published.policies]
    missing = [str(alert) for alert in alerts if targets.alerts.find(alert) is None]
    if missing or not alerts:
        found = ", ".join(missing) or "no alert at all"
        raise GateClosed(
            f"alert policies: got none for {found}, needs one for every alert",
            hint="name measures in release.yaml as `monitoring.alerts`, or take the sentence out",
        )


def files_exist(published: Publication) -> None:
    """Every file is there, as it was generated or as somebody has edited it."""
    absent = [str(kept.path) for kept in published.files if not kept.path.is_file()]
    if absent or not published.files:
        found = ", ".join(absent) or "no file at all"
        raise GateClosed(f"files for monitoring: got none at {found}, needs each there")


def publishes_nothing_new(
    release: Release, objectives: Objectives, targets: MonitoringTargets
) -> None:
    """Check that publishing once more finds everything as it is, and changes nothing."""
    again = publish(release.plan, objectives, release.service.url, targets, release.guard)
    if again.changed:
        raise GateClosed(f"publishing again: got {again}, needs everything as it was")


def metrics_are_exposed(release: Release) -> None:
    """The candidate tells every metric that is monitored: a panel of another one stays empty."""
    plan = monitored(release.plan)
    answer = release.prober.ask(f"{release.candidate.url}{plan.metrics_path}")
    if answer.status != 200:
        raise GateClosed(f"metrics at {plan.metrics_path}: got status {answer.status}, needs 200")
    try:
        told = Exposition.parse(answer.body, answer.headers.get("content-type", ""))
    except ValueError as error:
        raise GateClosed(f"metrics at {plan.metrics_path}: got no exposition: {error}") from error
    wanted = {metric(source) for figure in plan.figures for source in figure.sources}
    missing = sorted(name for name in wanted if told.family(name) is None)
    if missing:
        raise GateClosed(
            f"metrics at {plan.metrics_path}: got no {', '.join(missing)}, needs every metric that "
            "is monitored",
            hint="correct `monitoring.figures` in release.yaml, or let the service tell it",
        )
