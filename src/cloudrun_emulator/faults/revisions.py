"""Faults of a revision that starts: ready late, never ready, or failed for a reason."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

from google.cloud import run_v2

from cloudrun_emulator.apis.run.conditions import Reason
from cloudrun_emulator.apis.run.services.launcher import LaunchFailed
from cloudrun_emulator.faults.fault import Fault

_COMMON = run_v2.Condition.CommonReason
_REVISION = run_v2.Condition.RevisionReason

REASONS: Mapping[str, Reason] = {
    "PROGRESS_DEADLINE_EXCEEDED": _COMMON.PROGRESS_DEADLINE_EXCEEDED,
    "CONTAINER_MISSING": _COMMON.CONTAINER_MISSING,
    "CONTAINER_PERMISSION_DENIED": _COMMON.CONTAINER_PERMISSION_DENIED,
    "CONTAINER_IMAGE_UNAUTHORIZED": _COMMON.CONTAINER_IMAGE_UNAUTHORIZED,
    "SECRETS_ACCESS_CHECK_FAILED": _COMMON.SECRETS_ACCESS_CHECK_FAILED,
    "INTERNAL": _COMMON.INTERNAL,
    "HEALTH_CHECK_CONTAINER_ERROR": _REVISION.HEALTH_CHECK_CONTAINER_ERROR,
    "MIN_INSTANCES_NOT_PROVISIONED": _REVISION.MIN_INSTANCES_NOT_PROVISIONED,
}

_GLANCE = timedelta(milliseconds=50)
"""Pause of a revision that is held, between two looks whether anybody still waits for it."""


class RevisionEffect(ABC):
    """Stands between a revision and its first instance."""

    @abstractmethod
    def before_start(
        self, fault: "Fault[RevisionEffect]", name: str, abandoned: Callable[[], bool]
    ) -> None:
        """Return when the instance may start; raise LaunchFailed where it will not."""


@dataclass(frozen=True)
class ReadyDelayed(RevisionEffect):
    """Its instance starts later; without a delay, when the fault is lifted."""

    delay: timedelta = timedelta.max

    def before_start(self, fault: Fault[Any], name: str, abandoned: Callable[[], bool]) -> None:
        _hold(fault, name, self.delay, abandoned)


@dataclass(frozen=True)
class RevisionFails(RevisionEffect):
    """No instance starts: the revision fails with this reason, at once or later."""

    reason: Reason
    delay: timedelta = timedelta()

    def before_start(self, fault: Fault[Any], name: str, abandoned: Callable[[], bool]) -> None:
        if not _hold(fault, name, self.delay, abandoned):
            raise LaunchFailed(name, self.reason, f"Fault: {fault}")


def _hold(fault: Fault[Any], name: str, longest: timedelta, abandoned: Callable[[], bool]) -> bool:
    """Wait so long, or until it is lifted; whether it is. Raises LaunchFailed once abandoned."""
    begun = monotonic()
    while monotonic() - begun < longest.total_seconds():
        if abandoned():
            raise LaunchFailed(name, _COMMON.PROGRESS_DEADLINE_EXCEEDED, f"Fault: {fault}")
        if fault.hold(_GLANCE):
            return True
    return False
