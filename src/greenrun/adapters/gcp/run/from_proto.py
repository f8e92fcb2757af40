"""Services, revisions and executions as Cloud Run describes them, as values of ours."""

from collections.abc import Iterable
from datetime import UTC

from google.cloud import run_v2

from greenrun.adapters.gcp.run.to_proto import image_of, others_of, settings_of
from greenrun.model.interfaces import Execution
from greenrun.model.revision import Readiness, Revision
from greenrun.model.service import Service
from greenrun.model.traffic import LATEST, Target, TrafficSplit

_Allocation = run_v2.TrafficTargetAllocationType
_LATEST = _Allocation.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
_REVISION = _Allocation.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
_State = run_v2.Condition.State
_INGRESS = {
    run_v2.IngressTraffic.INGRESS_TRAFFIC_ALL: "all",
    run_v2.IngressTraffic.INGRESS_TRAFFIC_INTERNAL_ONLY: "internal",
    run_v2.IngressTraffic.INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER: (
        "internal-and-cloud-load-balancing"
    ),
    run_v2.IngressTraffic.INGRESS_TRAFFIC_NONE: "none",
}
_NO_EFFECT = "greenrun.dev/no-effect"
"""An annotation that a local cloud makes: see docs/local-cloud.md."""


def short(name: str) -> str:
    """The last part of a resource name: `latest_ready_revision` is full, traffic's are short."""
    return name.rpartition("/")[2]


def traffic_of(split: TrafficSplit) -> list[run_v2.TrafficTarget]:
    """Write a split as a service asks for it."""
    return [
        run_v2.TrafficTarget(
            type_=_LATEST if target.revision == LATEST else _REVISION,
            revision=target.revision,
            percent=target.percent,
            tag=target.tag,
        )
        for target in split
    ]


def split_of(
    targets: Iterable[run_v2.TrafficTarget] | Iterable[run_v2.TrafficTargetStatus],
) -> TrafficSplit:
    """Read a wanted split (`traffic`), or the one in effect (`traffic_statuses`)."""
    return TrafficSplit(
        tuple(
            Target(
                LATEST if target.type_ == _LATEST else target.revision, target.percent, target.tag
            )
            for target in targets
        )
    )


def service_of(described: run_v2.Service) -> Service:
    """One reading of a service. No wish at all means everything to the latest revision."""
    return Service(
        name=short(described.name),
        url=described.uri,
        generation=described.generation,
        readiness=_service_readiness(described),
        wanted=split_of(described.traffic) if described.traffic else TrafficSplit.all_to(LATEST),
        actual=split_of(described.traffic_statuses),
        latest_ready=short(described.latest_ready_revision),
        latest_created=short(described.latest_created_revision),
        reason=reason_of(described.terminal_condition),
        tag_urls={item.tag: item.uri for item in described.traffic_statuses if item.tag},
        etag=described.etag,
        changed_by=described.last_modifier,
        changed_at=_moment(described),
        ingress=_INGRESS.get(described.ingress, ""),
        no_effect=tuple(filter(None, described.annotations.get(_NO_EFFECT, "").split(","))),
    )


def revision_of(described: run_v2.Revision) -> Revision:
    """One reading of a revision, as far as its conditions prove that it can serve.

    A revision without traffic is not Active. One that failed its start turns Ready, with reason
    RETIRED, once its tag is gone; ContainerHealthy stays False then, and decides.
    """
    ready = condition_named("Ready", described.conditions)
    healthy = condition_named("ContainerHealthy", described.conditions)
    deciding = healthy if healthy.state == _State.CONDITION_FAILED else ready
    return Revision(
        name=short(described.name),
        image=image_of(described),
        readiness=_readiness(deciding),
        settings=settings_of(described),
        reason=reason_of(deciding),
        message=deciding.message,
        others=others_of(described),
    )


def execution_of(described: run_v2.Execution) -> Execution:
    """An execution that has ended, judged by its counts: a cancelled one answers a response too."""
    completed = condition_named("Completed", described.conditions)
    succeeded = 0 < described.task_count == described.succeeded_count
    told = ": ".join(filter(None, (reason_of(completed), completed.message)))
    return Execution(short(described.name), succeeded, reason="" if succeeded else told)


def describe(conditions: Iterable[run_v2.Condition]) -> str:
    """Conditions in one line, those that hold left out."""
    told = (
        " ".join(filter(None, (item.type_, _readiness(item).value, reason_of(item), item.message)))
        for item in conditions
        if item.type_ and item.state != _State.CONDITION_SUCCEEDED
    )
    return ", ".join(told) or "all conditions hold"


def is_over(condition: run_v2.Condition) -> bool:
    """True once it is decided, well or not."""
    return _readiness(condition) is not Readiness.PENDING


def condition_named(kind: str, conditions: Iterable[run_v2.Condition]) -> run_v2.Condition:
    """The condition of that type; an empty one, which is pending, where there is none yet."""
    return next((item for item in conditions if item.type_ == kind), run_v2.Condition())


def reason_of(condition: run_v2.Condition) -> str:
    """The reason as the platform names it, HEALTH_CHECK_CONTAINER_ERROR say; empty without one."""
    for field in ("reason", "revision_reason", "execution_reason"):
        if field in condition:
            return str(getattr(condition, field).name)
    return ""


def _moment(described: run_v2.Service) -> str:
    """The time of the last change; empty without one: an unset time can arrive as the epoch."""
    told = run_v2.Service.pb(described).update_time.ToDatetime(UTC)
    return told.isoformat() if told.timestamp() else ""


def _readiness(condition: run_v2.Condition) -> Readiness:
    if condition.state == _State.CONDITION_SUCCEEDED:
        return Readiness.READY
    return Readiness.FAILED if condition.state == _State.CONDITION_FAILED else Readiness.PENDING


def _service_readiness(described: run_v2.Service) -> Readiness:
    """After a failure the observed generation stays that of what serves: less than the present."""
    if described.reconciling:
        return Readiness.PENDING
    found = _readiness(described.terminal_condition)
    observed = described.observed_generation >= described.generation
    return found if observed or found is Readiness.FAILED else Readiness.PENDING
