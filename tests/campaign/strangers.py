"""Somebody who changes the service in the midst of a release, and what is left of that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from google.cloud import run_v2

from greenrun.model.service import Service
from tests.campaign import promises
from tests.campaign.course import Ending, Outcome, perform, way
from tests.campaign.programs import HEALTHY, reference
from tests.campaign.shop import BEFORE, OLDER, PLACE, SERVICE, Shop

ALICE = "alice@example.com"
DEPLOYS, MOVES, TAGS = "deploys", "moves users", "sets a revision tag"
KINDS = (DEPLOYS, MOVES, TAGS)

_AS_ALICE = (("x-goog-authenticated-user-email", ALICE),)
_NAME = f"{PLACE.parent}/services/{SERVICE}"
_NAMED = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
_TAG = "of-alice"


class Alice:
    """Works with a plain client of Cloud Run, and minds nobody's lock."""

    def __init__(self, shop: Shop) -> None:
        self._services = shop.clients.services
        self._revision = f"{SERVICE}-alice-{uuid4().hex[:8]}"
        self._to = OLDER

    def does(self, kind: str) -> None:
        """Waits for the effect."""
        {DEPLOYS: self.deploy, MOVES: self.move_users, TAGS: self.tag}[kind]()

    def deploy(self) -> None:
        """A revision that nobody is sent to."""
        template = run_v2.RevisionTemplate(self._live.template, revision=self._revision)
        template.containers[0].image = reference(HEALTHY)
        self._update("template", template=template)

    def move_users(self) -> None:
        """All to a revision that is well, and served nobody; revision tags stay."""
        serving = {one.revision for one in self._live.traffic if one.percent}
        self._to = BEFORE if OLDER in serving else OLDER
        tags = [_target(one.revision, 0, one.tag) for one in self._live.traffic if one.tag]
        self._update("traffic", traffic=[_target(self._to, 100), *tags])

    def tag(self) -> None:
        """One more; all else stays."""
        self._update("traffic", traffic=[*self._live.traffic, _target(OLDER, 0, _TAG)])

    def kept(self, kind: str) -> bool:
        """Whether what she did stands."""
        live = self._live
        if kind == DEPLOYS:
            return live.template.revision == self._revision
        if kind == TAGS:
            return (OLDER, _TAG) in {(one.revision, one.tag) for one in live.traffic}
        return {self._to} == {one.revision for one in live.traffic if one.percent}

    @property
    def _live(self) -> run_v2.Service:
        return self._services.get_service(name=_NAME)

    def _update(self, field: str, **changed: Any) -> None:  # noqa: ANN401 - as Service has it
        change = run_v2.Service(name=_NAME, **changed)
        request = run_v2.UpdateServiceRequest(service=change, update_mask={"paths": [field]})
        operation = self._services.update_service(request, metadata=_AS_ALICE)
        operation.result(timeout=20)  # type: ignore[no-untyped-call] # bare there


@dataclass(frozen=True)
class Meeting:
    """What she did before which step of a release, and every promise that was broken then."""

    kind: str
    step: str
    outcome: Outcome
    broken: Sequence[str] = ()

    def __str__(self) -> str:
        told = self.outcome.told.replace("\n", "\n    ")
        head = f"alice {self.kind} before {self.step} -> {self.outcome.ending.value}"
        return "\n  ".join((head, *self.broken, f"it told: {told}"))


def boundaries() -> Sequence[str]:
    """The steps that rest on what the release has found or done."""
    titles = [title for title, _ in way()]
    return titles[titles.index("one serves") :]


def meet(kind: str, step: str, *, strict_etags: bool = True) -> Meeting:
    """A release that she comes between."""
    with Shop.opened(strict_etags=strict_etags) as (_, shop):
        alice, before = Alice(shop), shop.reading

        def between(title: str) -> None:
            if title == step:
                alice.does(kind)

        with shop.releasing("one") as release:
            outcome = perform(release, between=between)
        found = [*promises.users(shop), *_told(outcome, _is_late(step))]
        if not alice.kept(kind):
            found.append(f"what she did is gone: {shop.reading.wanted}")
        if outcome.ending is Ending.NOT_RELEASED:
            found += _left_alone(before, shop.reading, kind)
    return Meeting(kind, step, outcome, found)


def _told(outcome: Outcome, late: bool) -> list[str]:  # noqa: FBT001 - of one caller
    if late and outcome.ending is Ending.RELEASED:
        return []
    if outcome.ending is Ending.RELEASED:
        return ["was released"]
    return [] if ALICE in outcome.told else ["does not tell of her"]


def _left_alone(before: Service, after: Service, kind: str) -> list[str]:
    """Red, and nobody is called: then users are where they were, or where she has sent them."""
    serving = {OLDER: 100} if kind == MOVES else before.resolved.serving
    return [] if after.resolved.serving == serving else [f"users are sent to {after.resolved}"]


def _is_late(step: str) -> bool:
    """Once users are promoted nothing more is asked of the service."""
    titles = [title for title, _ in way()]
    return titles.index(step) > titles.index("promote")


def _target(revision: str, percent: int, tag: str = "") -> run_v2.TrafficTarget:
    return run_v2.TrafficTarget(type_=_NAMED, revision=revision, percent=percent, tag=tag)
