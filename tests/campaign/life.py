"""Any life of a service: releases good and bad, faults, deaths, other people, and the way back."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cloudrun_emulator.core.time import wait_until
from greenrun.adapters.machine import SystemClock
from greenrun.model.errors import ManualActionRequired, ReleaseError
from greenrun.release import manual
from greenrun.release.release import Release
from tests.campaign import promises
from tests.campaign.course import Ending, Outcome, perform, way
from tests.campaign.faults import CODES, LOST, OPERATION, Fault, Trouble
from tests.campaign.mortal import Killed, MortalJournal
from tests.campaign.programs import CRASH, FAILING, HEALTHY
from tests.campaign.shop import OLDER, Shop
from tests.campaign.strangers import KINDS, Alice, boundaries

if TYPE_CHECKING:
    from greenrun.model.service import Service

_SOON = timedelta(seconds=60)
_CHANGES = ("Services.UpdateService", "Jobs.RunJob", "Jobs.UpdateJob")
_READS = ("Services.GetService", "Revisions.GetRevision", "Jobs.ListJobs")

refused = st.sampled_from((*CODES, LOST))
hindered = st.sampled_from(OPERATION)
ordinals = st.integers(1, 12)
faults = st.one_of(
    st.builds(Fault, st.sampled_from(_CHANGES), st.one_of(refused, hindered), ordinals),
    st.builds(Fault, st.sampled_from(_READS), refused, ordinals),
)
unlocked = st.booleans()


class Life(RuleBasedStateMachine):
    """`before` is the service as it was when it was last at rest; None after other people's work.

    `alive` is False while a release has died and nobody has come after it; `sent_by_hand` is True
    where a person has sent users elsewhere since the last release, which it cannot undo.
    """

    def __init__(self) -> None:
        super().__init__()
        self._closing = ExitStack()
        self.cloud, self.shop = self._closing.enter_context(Shop.opened())
        self.before: Service | None = self.shop.reading
        self.alive, self.sent_by_hand = True, False
        self._runs = self._last = 0

    def teardown(self) -> None:
        self._closing.close()

    @rule(kind=st.sampled_from((HEALTHY, HEALTHY, FAILING, CRASH)), unlock=unlocked)
    def is_released(self, kind: str, *, unlock: bool) -> None:
        outcome = self._released(kind, unlock=unlock)
        self._judge(outcome)
        if self.before:
            healthy = Ending.RELEASED if kind == HEALTHY else Ending.NOT_RELEASED
            assert outcome.ending is healthy, outcome.told

    @rule(fault=faults)
    def is_released_with_a_fault(self, fault: Fault) -> None:
        with Trouble(self.cloud, fault) as trouble:
            outcome = self._released(HEALTHY, between=trouble.begin)
        self._judge(outcome)

    @rule(entries=st.integers(1, 26), kind=st.sampled_from((HEALTHY, FAILING)))
    def dies(self, entries: int, kind: str) -> None:
        def die() -> None:
            raise Killed

        path = self.shop.folder / "journal.jsonl"
        journal = MortalJournal(path, SystemClock(), entries, die)
        try:
            self._judge(self._released(kind, journal=journal))
        except Killed:
            self.alive = False

    @precondition(lambda self: self.alive)
    @rule(kind=st.sampled_from(KINDS), step=st.sampled_from(boundaries()))
    def meets_alice(self, kind: str, step: str) -> None:
        alice = Alice(self.shop)
        self.before = None

        def between(title: str) -> None:
            if title == step:
                alice.does(kind)

        outcome = self._released(HEALTHY, between=between)
        self._judge(outcome)
        if step in outcome.done or outcome.stopped_at == step:
            assert alice.kept(kind)

    @rule(unlock=unlocked)
    def is_rolled_back_by_hand(self, *, unlock: bool) -> None:
        with self._by_hand(unlock=unlock) as release:
            try:
                to = manual.send_back(release, asked_for=True, to="", unlock=unlock)
            except ManualActionRequired:
                assert self.before is None or self.sent_by_hand
                return
            except ReleaseError:
                assert release.guard.last is None
                return
        assert self.shop.answering() == {to}
        self._rests()

    @rule()
    def is_sent_to_an_older_revision(self) -> None:
        """What a person does when all else is in doubt."""
        with self._by_hand(unlock=True) as release:
            manual.send_back(release, asked_for=True, to=OLDER, unlock=True)
        assert self.shop.answering() == {OLDER}
        self._rests()
        self.sent_by_hand = True

    @invariant()
    def users_are_well(self) -> None:
        """Where a faulty candidate's release has died, they are as soon as another comes."""
        if self.alive:
            assert list(promises.users(self.shop)) == []

    def _released(
        self,
        kind: str,
        *,
        unlock: bool = False,
        journal: MortalJournal | None = None,
        between: Callable[[str], object] = str,
    ) -> Outcome:
        with self._release(kind, journal, unlock=unlock) as release:
            return perform(release, way(unlock=unlock), between)

    def _judge(self, outcome: Outcome) -> None:
        """The account agrees with the world."""
        release_state, service = promises.standing_of(self.shop), self.shop.reading
        if outcome.ending is Ending.NEEDS_PERSON:
            assert self.before is None, outcome.told
        elif outcome.ending is Ending.RELEASED:
            assert list(promises.released(self.shop)) == []
            self._rests()
        elif release_state is None or release_state.stage.ended:
            self.alive = True
        if outcome.ending is Ending.NOT_RELEASED and self.alive and self.before:
            assert service.actual.matches(self.before.actual), outcome.told

    def _rests(self) -> None:
        self.alive, self.sent_by_hand, self.before = True, False, self.shop.reading

    @contextmanager
    def _by_hand(self, *, unlock: bool) -> Iterator[Release]:
        with self._release(HEALTHY, unlock=unlock) as release:
            try:
                yield release
            finally:
                release.guard.lock.release()

    @contextmanager
    def _release(
        self, kind: str, journal: MortalJournal | None = None, *, unlock: bool
    ) -> Iterator[Release]:
        """One that can begin: the dead one's claim has lapsed, or is ended by hand."""
        if not unlock:
            wait_until(lambda: self.shop.lapsed, _SOON, "the dead one's claim to look dead")
        wait_until(lambda: _second() > self._last, _SOON, "another second, for another name")
        self._runs += 1
        try:
            with self.shop.releasing(f"run-{self._runs}", kind, journal) as release:
                yield release
        finally:
            self._last = _second()


def _second() -> int:
    return int(SystemClock().now().timestamp())
