"""The service as the platform describes it, and what in it forbids a release."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from greenrun.model.revision import Readiness
from greenrun.model.traffic import LATEST, TrafficSplit


@dataclass(frozen=True, slots=True)
class Service:
    """One reading of a service.

    `wanted` is the split that was last asked for, `actual` the one that took effect: after a failed
    update they disagree, and the stale wish would break the next deploy.
    `tag_urls` maps revision tags to their own URLs. `etag` goes back with a change that rests on
    this reading; `changed_by` and `changed_at` (ISO 8601, UTC) tell of the last change.
    `ingress` is whose requests arrive, as gcloud writes it (`all`, `internal`); empty: not told.
    `no_effect` names the flags that a local cloud keeps and does nothing with.
    """

    name: str
    url: str
    generation: int
    readiness: Readiness
    wanted: TrafficSplit
    actual: TrafficSplit
    latest_ready: str
    latest_created: str
    reason: str = ""
    tag_urls: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    changed_by: str = ""
    changed_at: str = ""
    ingress: str = ""
    no_effect: tuple[str, ...] = field(default=(), compare=False)

    @property
    def resolved(self) -> TrafficSplit:
        """The actual split with LATEST replaced by the revision it stands for.

        Nothing serves before the first revision is ready.
        """
        pinned = self.actual.pinned(self.latest_ready)
        return pinned.shared(pinned.serving) if pinned.serving else pinned


def baseline_of(service: Service) -> str:
    """The revision that serves all users, by name.

    Raises:
        ValueError: the service is in no state to start a release from; every reason, one a line.
    """
    doubts = list(_doubts(service))
    if doubts:
        raise ValueError("\n".join(doubts))
    return next(iter(service.resolved.serving))


def _doubts(service: Service) -> Iterator[str]:
    if service.readiness is Readiness.PENDING:
        yield f"{service.name} is being changed by somebody: got reconciling, needs at rest"
        return
    if not service.actual.serving or LATEST in service.resolved.serving:
        yield f"{service.name} serves nobody: got {service.actual}, needs one revision at 100 %"
        return
    if len(service.resolved.serving) > 1:
        yield f"{service.name} is split: got {service.resolved}, needs one revision at 100 %"
    follows_latest = set(service.wanted.serving) <= {LATEST}
    if not service.wanted.agrees_with(service.actual) and not follows_latest:
        yield (
            f"{service.name} was asked for a split that did not take effect: "
            f"got {service.actual}, was asked for {service.wanted}"
        )
