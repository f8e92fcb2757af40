"""The way back from a 50/50 split against one bare UpdateService call.

Both speak to a local cloud in a process of its own, whose instances are programs and no containers,
so that what is compared is the calls. The bare call names the split under a mask and asks for its
operation every 10 ms until it is done; the official client's own polling would wait a second. The
way back makes sure that its lock still holds, reads the service, changes it, sees the split in
effect, writes two lines of the journal to the disk, and proves by ten requests and the request log
who answers. The proof is what a rollback is for, so it is told apart and not left out.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure, middle, of_medians, say
from benchmarks.load import ECHO
from benchmarks.shop import BASELINE, CANDIDATE, PLACE, SERVICE, Shop, local_cloud
from greenrun.adapters.machine import this_process
from greenrun.model.image import Source
from greenrun.model.interfaces import Dependencies, Progress
from greenrun.model.plan import BuildPlan, CanaryPlan, Plan, Probe
from greenrun.model.release_state import ReleaseState, Stage
from greenrun.model.revision import RevisionSettings
from greenrun.model.traffic import Target, TrafficSplit
from greenrun.plugin.terminal.reporter import ScenarioReporter
from greenrun.plugin.terminal.screen import Screen
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.coordination.journal import Journal
from greenrun.release.coordination.lock import Lock
from greenrun.release.prober import Prober
from greenrun.release.rollback import Rollback
from greenrun.steps.wiring.adapters import Adapters

ROUNDS = 60
AIM = "1.20 or less"
PLAN = Plan(
    service=SERVICE,
    environment="local",
    place=PLACE,
    build=BuildPlan(repository="benchmark/shop"),
    settings=RevisionSettings(),
    public=True,
    canary=CanaryPlan(probes=(Probe("GET", "/api/health"),)),
)
STANDING = ReleaseState(
    run="benchmark",
    baseline=BASELINE,
    before=TrafficSplit.all_to(BASELINE).tagged(CANDIDATE, "candidate"),
    candidate=CANDIDATE,
    asked=(
        TrafficSplit(
            (Target(BASELINE, 50), Target(CANDIDATE, 50), Target(CANDIDATE, 0, "candidate"))
        ),
    ),
    stage=Stage.MOVED,
)
IDENTITIES: dict[str, dict[str, str]] = {"a user": {}}


class Trusting(Prober):
    """Takes it for granted that the baseline answers."""

    def answering(self, url: str, probe: Probe) -> frozenset[str]:  # noqa: ARG002 - as a prober is asked
        """The baseline, without asking."""
        return frozenset({BASELINE})


@dataclass(frozen=True, slots=True)
class Round:
    """Milliseconds that each took from an even split."""

    bare: float
    unproven: float
    proven: float


def measure() -> list[Figure]:
    """Many rounds in one run; in each, every way starts from the same split."""
    silence = ScenarioReporter(Screen(lambda _: None, str))
    with local_cloud("in-process") as address, closing(Shop(address, ECHO)) as shop:
        shop.open()
        shop.deploy()
        with closing(Adapters.at_emulator(address, str)) as reach, TemporaryDirectory() as folder:
            dependencies = reach.dependencies(PLAN, Source(Path(folder), ""), silence)
            with _account(dependencies, Path(folder), silence) as guard:
                probers = (Trusting(dependencies, IDENTITIES), Prober(dependencies, IDENTITIES))
                ways = [Rollback(PLAN, STANDING, one, dependencies, guard) for one in probers]
                return _figures([_round(shop, *ways) for _ in range(ROUNDS)])


@contextmanager
def _account(dependencies: Dependencies, folder: Path, progress: Progress) -> Iterator[ChangeGuard]:
    """Under the lock, as a release is."""
    owner = this_process("benchmark")
    lock = Lock(SERVICE, owner, dependencies.leases, dependencies.clock, PLAN.lease_duration)
    journal = Journal(folder / "journal.jsonl", dependencies.clock)
    guard = ChangeGuard(journal, lock, owner.run, progress)
    guard.acquire_lock()
    try:
        yield guard
    finally:
        lock.release()


def _round(shop: Shop, unproven: Rollback, proven: Rollback) -> Round:
    def took(what: Callable[[], object]) -> float:
        shop.share(50)
        began = time.perf_counter()
        what()
        return 1000 * (time.perf_counter() - began)

    bare = took(lambda: shop.share(0))
    return Round(bare, unproven=took(unproven.restore), proven=took(proven.restore))


def _figures(rounds: Sequence[Round]) -> list[Figure]:
    bare, unproven, proven = (
        [getattr(one, name) for one in rounds] for name in ("bare", "unproven", "proven")
    )
    proof = statistics.median(proven) - statistics.median(unproven)
    say(f"  {ROUNDS} rounds; the proof takes {proof:.0f} ms of it")
    against = f"UpdateService {middle(bare, 'ms', digits=1)}"
    return [
        Figure(name, middle(taken, "ms", digits=1), against, of_medians(taken, bare), aim)
        for name, taken, aim in (("rollback", proven, AIM), ("rollback, no proof", unproven, ""))
    ]
