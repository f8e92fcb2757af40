"""From traffic targets and the IAM policy to routes: who answers, with which share, for whom."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from google.cloud import run_v2
from google.iam.v1 import policy_pb2
from grpc import StatusCode

from cloudrun_emulator.apis.run.conditions import container_healthy, is_ready
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.interfaces import Guard, Route
from cloudrun_emulator.core.protobuf import raw
from cloudrun_emulator.identity.tokens import OWNER

LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class Traffic:
    """The targets of one service, with LATEST (the latest *ready* revision) resolved.

    `revisions` holds every revision of the service by its short name.
    """

    service: str
    targets: tuple[run_v2.TrafficTarget, ...]
    latest: str
    revisions: Mapping[str, run_v2.Revision] = field(repr=False)

    def check(self) -> None:
        """Raise for a target that nobody can answer.

        The code of the first is reported by users of the API, of the second recorded with a
        deploy that failed.
        """
        for name in map(self.revision, self.targets):
            if name not in self.revisions or "delete_time" in self.revisions[name]:
                raise CloudError(
                    StatusCode.INTERNAL,
                    f"Revision '{name}' does not exist or is deleted. "
                    "Update all traffic to route to currently available revisions.",
                )
            if not is_ready(self.revisions[name]):
                why = container_healthy(self.revisions[name]).message
                raise CloudError(StatusCode.FAILED_PRECONDITION, why)

    def revision(self, target: run_v2.TrafficTarget) -> str:
        """The short name of the revision that a target means."""
        return self.latest if target.type_ == LATEST else target.revision

    def reachable(self) -> frozenset[str]:
        """Return the revisions that have a share or a revision tag."""
        return frozenset(map(self.revision, self.targets))

    def shares(self) -> dict[str, int]:
        """Return whole percents by revision, without the revisions that have none."""
        shares: Counter[str] = Counter()
        for target in self.targets:
            shares[self.revision(target)] += target.percent
        return dict(+shares)

    def moved_tags(self, before: "Traffic | None") -> dict[str, str]:
        """Return the tags that meant another revision before, with that one's name."""
        now = self._tags()
        then = before._tags() if before else {}  # noqa: SLF001 - of the same class
        return {tag: then[tag] for tag in now.keys() & then.keys() if now[tag] != then[tag]}

    def routes(self, guard: Guard | None, behind: Mapping[str, str]) -> list[Route]:
        """The service's own route, then one for each revision tag.

        The address of a tag that is `behind` goes to the revision named there.
        """
        shares = self.shares()
        main = Route(self.service, shares, guard, self._timeout(shares))
        tagged = [
            self._tagged(target, guard, behind.get(target.tag, self.revision(target)))
            for target in self.targets
            if target.tag
        ]
        return [main, *tagged]

    def statuses(self, urls: Mapping[str, str]) -> list[run_v2.TrafficTargetStatus]:
        """Return the statuses of targets that serve; only a tagged one has an address."""
        return [
            run_v2.TrafficTargetStatus(
                type_=target.type_,
                revision=target.revision,
                percent=target.percent,
                tag=target.tag,
                uri=urls.get(self._tag_route(target), "") if target.tag else "",
            )
            for target in self.targets
        ]

    def _tags(self) -> dict[str, str]:
        return {target.tag: self.revision(target) for target in self.targets if target.tag}

    def _tagged(self, target: run_v2.TrafficTarget, guard: Guard | None, revision: str) -> Route:
        shares = {revision: 100}
        return Route(self._tag_route(target), shares, guard, self._timeout(shares))

    def _tag_route(self, target: run_v2.TrafficTarget) -> str:
        return f"{target.tag}---{self.service}"

    def _timeout(self, names: Iterable[str]) -> timedelta:
        timeouts = (
            raw(self.revisions[name]).timeout.ToTimedelta()
            for name in names
            if name in self.revisions
        )
        return max(timeouts, default=timedelta(minutes=5))


ROLES = frozenset({"roles/run.invoker", "roles/run.admin"})
"""The predefined ones that hold run.routes.invoke.

Source: https://cloud.google.com/run/docs/reference/iam/roles
"""

EVERYBODY, AUTHENTICATED = "allUsers", "allAuthenticatedUsers"
_ACCOUNTS = ("user:", "serviceAccount:")


def invoker_guard(policy: policy_pb2.Policy, audiences: Iterable[str]) -> Guard | None:
    """Return who may call; None where everybody may. The owner of the project always may.

    Groups and domains are nobody here: it is not known who is in them. Conditions of a binding are
    not looked at.
    """
    members = {
        member for binding in policy.bindings if binding.role in ROLES for member in binding.members
    }
    if EVERYBODY in members:
        return None
    accounts = (name.partition(":")[2] for name in members if name.startswith(_ACCOUNTS))
    return Guard(frozenset({OWNER, *accounts}), frozenset(audiences), AUTHENTICATED in members)
