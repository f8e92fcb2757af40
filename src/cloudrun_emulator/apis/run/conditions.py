"""Conditions of services and revisions: whether they serve, and why not."""

from collections.abc import Iterable

from google.cloud import run_v2

from cloudrun_emulator.core.protobuf import raw
from cloudrun_emulator.core.time import now

State = run_v2.Condition.State
Reason = int  # of CommonReason or RevisionReason: to a type checker the official enums are int


def condition(
    kind: str,
    state: int,
    reason: Reason | None = None,
    message: str = "",
    severity: int = run_v2.Condition.Severity.SEVERITY_UNSPECIFIED,
) -> run_v2.Condition:
    """Make a condition that came about now."""
    made = run_v2.Condition(
        type_=kind, state=state, message=message, severity=severity, last_transition_time=now()
    )
    if isinstance(reason, run_v2.Condition.RevisionReason):
        made.revision_reason = reason
    elif reason is not None:
        made.reason = run_v2.Condition.CommonReason(reason)
    return made


def revision_pending() -> list[run_v2.Condition]:
    """Conditions of a revision whose instance has not answered yet."""
    return [condition(kind, State.CONDITION_RECONCILING) for kind in ("Ready", "ContainerHealthy")]


def revision_failed(reason: Reason, message: str) -> list[run_v2.Condition]:
    """Conditions of a revision that never served."""
    return [
        condition(kind, State.CONDITION_FAILED, reason, message)
        for kind in ("Ready", "ContainerHealthy")
    ]


def revision_ready(*, receives_traffic: bool) -> list[run_v2.Condition]:
    """Conditions of a revision that serves; without traffic it is Ready, Retired and not Active."""
    healthy = condition("ContainerHealthy", State.CONDITION_SUCCEEDED)
    if receives_traffic:
        ready = condition("Ready", State.CONDITION_SUCCEEDED)
        return [ready, healthy, condition("Active", State.CONDITION_SUCCEEDED)]
    retired = run_v2.Condition.RevisionReason.RETIRED
    ready = condition("Ready", State.CONDITION_SUCCEEDED, retired)
    info = run_v2.Condition.Severity.INFO
    return [ready, healthy, condition("Active", State.CONDITION_FAILED, retired, severity=info)]


def revision_failed_and_retired(revision: run_v2.Revision) -> list[run_v2.Condition]:
    """Conditions of a revision that failed its start, once neither traffic nor a tag means it.

    Ready holds then, though it never served; ContainerHealthy stays False. Source: reports of two
    users, independent of each other: BasedHardware/omi issue 9654, and a note on a candidate that
    was untagged after it had failed, both of 2026 [REP].
    """
    retired = run_v2.Condition.RevisionReason.RETIRED
    return [condition("Ready", State.CONDITION_SUCCEEDED, retired), container_healthy(revision)]


def has_failed(revision: run_v2.Revision) -> bool:
    """Whether it failed its start, retired since or not."""
    return bool(revision.conditions) and (
        container_healthy(revision).state == State.CONDITION_FAILED
    )


def container_healthy(revision: run_v2.Revision) -> run_v2.Condition:
    return next(one for one in revision.conditions if one.type_ == "ContainerHealthy")


def is_ready(revision: run_v2.Revision) -> bool:
    """Whether it can serve: its Ready condition holds, retired or not, and it never failed."""
    return not has_failed(revision) and any(
        one.type_ == "Ready" and one.state == State.CONDITION_SUCCEEDED
        for one in revision.conditions
    )


def updated(
    stood: Iterable[run_v2.Condition], changed: Iterable[run_v2.Condition]
) -> list[run_v2.Condition]:
    """`changed`, where one that says what stood before keeps the time of its transition."""
    before = {one.type_: one for one in stood}
    return [
        before[one.type_] if one.type_ in before and _same(before[one.type_], one) else one
        for one in changed
    ]


def _same(one: run_v2.Condition, other: run_v2.Condition) -> bool:
    return _timeless(one) == _timeless(other)


def _timeless(one: run_v2.Condition) -> bytes:
    copy = run_v2.Condition(one)
    raw(copy).ClearField("last_transition_time")
    return bytes(run_v2.Condition.serialize(copy))


def startup_failure(container: run_v2.Container) -> str:
    """Say why a revision fails whose container did not pass its startup probe.

    The default probe's failure has words of its own. Source: terraform-docs-samples PR 254 [PASTE].
    """
    probe = container.startup_probe
    if "startup_probe" not in container:  # these words are ours
        return f"Container '{container.name}' exited before the instance had started."
    if container.ports and "http_get" not in probe and "grpc" not in probe:
        return _not_listening(container.ports[0].container_port)
    return (
        "The user-provided container failed the configured startup probe checks. "
        "Logs for this revision might contain more information."
    )


def _not_listening(port: int) -> str:
    return (
        "The user-provided container failed to start and listen on the port defined provided by "
        f"the PORT={port} environment variable within the allocated timeout. This can happen when "
        "the container port is misconfigured or if the timeout is too short. The health check "
        "timeout can be extended. Logs for this revision might contain more information."
    )
