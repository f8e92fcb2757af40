"""The way back from a 50/50 split against one bare UpdateService call.

Both speak to a local cloud in a process of its own, whose instances are programs and no containers,
so that what is compared is the calls. The bare call names the split under a mask and asks for its
operation every 10 ms until it is done; the official client's own polling would wait a second. The
way back reads the service, changes it, sees the split in effect, reads it again for the record,
writes two lines of the journal to the disk, and proves by ten requests and the request log who
answers. The proof is what a rollback is for, so it is told apart and not left out.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from google.api_core.future import polling
from google.cloud import run_v2
from google.protobuf import field_mask_pb2

from benchmarks.figures import Figure, middle, of_medians, say
from benchmarks.small_service import BASELINE, IDENTITIES, PLAN, SmallService, small_service
from greenrun.journal import Journal
from greenrun.probing import Prober
from greenrun.way_back import WayBack

ROUNDS = 60
AIM = "1.20 or less"
OFTEN = polling.DEFAULT_POLLING.with_delay(initial=0.01, maximum=0.01).with_timeout(30)
_PINNED = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


class Trusting(Prober):
    """Takes it for granted that the baseline answers."""

    def answering(self, url: str, path: str) -> frozenset[str]:  # noqa: ARG002 - as a prober is asked
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
    with small_service() as service, TemporaryDirectory(prefix="greenrun-rollback-") as folder:
        journal = Journal(Path(folder) / "journal.jsonl", service.roles.clock)
        unproven, proven = (
            WayBack(PLAN, service.before, BASELINE, prober, service.roles, journal)
            for prober in (Trusting(service.roles, IDENTITIES), Prober(service.roles, IDENTITIES))
        )
        return _figures([_round(service, unproven, proven) for _ in range(ROUNDS)])


def _round(service: SmallService, unproven: WayBack, proven: WayBack) -> Round:
    def took(what: Callable[[], object]) -> float:
        service.share_evenly()
        began = time.perf_counter()
        what()
        return 1000 * (time.perf_counter() - began)

    bare = took(lambda: _update(service))
    return Round(bare, unproven=took(unproven.take), proven=took(proven.take))


def _update(service: SmallService) -> None:
    """One call with the official client, to its operation's end."""
    target = run_v2.TrafficTarget(type_=_PINNED, revision=BASELINE, percent=100)
    wanted = run_v2.Service(name=f"{PLAN.place.parent}/services/{PLAN.service}", traffic=[target])
    update = service.clients.services.update_service(
        service=wanted, update_mask=field_mask_pb2.FieldMask(paths=["traffic"])
    )
    update.result(polling=OFTEN)  # type: ignore[no-untyped-call] # bare there


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
