"""Own time of a warm rehearsal, as a share of its wall time.

Own time is the processor time of everything that greenrun starts on its side: pytest, the local
cloud, Envoy, git, Allure. What remains of the wall time is waiting: for the Docker engine, for the
service in its containers, and for the bake. A bake lasts until the evidence suffices, which nobody
can hasten, so the processor time used in it (probes, and Envoy passing them on) is told apart and
left out of the share. Both processors count in full where two work at once, so
the share is rather too high; pauses between two looks are not in it, see the benchmark `shell`.
"""

import json
import resource
import statistics
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise

from benchmarks.figures import Figure, middle, say
from benchmarks.processes import Meter, Used
from benchmarks.project import Project, project
from greenrun.config import load_plan

ROUNDS = 3
AIM = "under 0.10"
_PROGRAMS = {
    "cloud --json": "local cloud",
    "envoy": "Envoy",
    "allure": "Allure",
    "pytest": "pytest",
}


@dataclass(frozen=True, slots=True)
class Spent:
    """Where one rehearsal spent its time, in seconds; `own` by program, outside the bake."""

    wall: float
    min_duration: float
    used_in_bake: float
    own: Used

    @property
    def total(self) -> float:
        """Seconds that are ours."""
        return sum(self.own.values())

    @property
    def share(self) -> float:
        """The part of the wall time that is ours."""
        return self.total / self.wall

    def __str__(self) -> str:
        by_program = ", ".join(f"{name} {seconds:.2f}" for name, seconds in self.own.items())
        waiting = self.wall - self.min_duration - self.total
        return (
            f"{self.wall:.2f} s: bake {self.min_duration:.2f} "
            f"({self.used_in_bake:.2f} of a processor in it), own {self.total:.2f} "
            f"({by_program}), waiting {waiting:.2f}; own {self.share:.0%}"
        )


def measure() -> list[Figure]:
    """Rehearse some times, and see who worked."""
    with project() as copy:
        short = [_rehearsed(copy, copy.rehearsal) for _ in range(ROUNDS)]
        whole = [_rehearsed(copy, copy.whole_rehearsal)]
    return [_figure("own time, no drills", short), _figure("own time, whole", whole)]


def _figure(name: str, rounds: Sequence[Spent]) -> Figure:
    for spent in rounds:
        say(f"  {name}: {spent}")
    own, wall = [spent.total for spent in rounds], [spent.wall for spent in rounds]
    ratio = statistics.median(spent.share for spent in rounds)
    return Figure(name, middle(own, "s"), f"wall {middle(wall, 's')}", ratio, AIM)


def _rehearsed(copy: Project, command: Sequence[str]) -> Spent:
    before = _processor_time()
    begun = time.time()
    process = subprocess.Popen(  # noqa: S603 - this Python, no shell
        command, cwd=copy.folder, env=copy.surroundings, stdout=subprocess.DEVNULL
    )
    with process, Meter(process.pid) as meter:
        if process.wait():
            raise SystemExit(f"the rehearsal ended with {process.returncode}")
    wall, total = time.time() - begun, _processor_time() - before
    bakes = list(_bakes(copy, since=begun))
    in_bake = [meter.used_between(*min_duration) for min_duration in bakes]
    return Spent(
        wall=wall,
        min_duration=sum((end - begin).total_seconds() for begin, end in bakes),
        used_in_bake=sum(sum(used.values()) for used in in_bake),
        own=_by_program(meter, total, in_bake),
    )


def _processor_time() -> float:
    """Of all processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _by_program(meter: Meter, total: float, in_bake: Sequence[Used]) -> Used:
    """Outside the bake. `short-lived` is what had ended before a sample saw it."""
    own: Used = defaultdict(float)
    for command, seconds in meter.used().items():
        baking = sum(used.get(command, 0.0) for used in in_bake)
        own[_program(command)] += seconds - baking
    own["short-lived"] += max(0.0, total - sum(meter.used().values()))
    return own


def _program(command: str) -> str:
    return next((name for part, name in _PROGRAMS.items() if part in command), "short-lived")


def _bakes(copy: Project, *, since: float) -> Iterator[tuple[datetime, datetime]]:
    """From each split that gave the candidate a part of the users, until it was given more."""
    steps = len(load_plan(copy.folder, "local").canary.steps)
    splits = [one for one in _splits(copy) if one[1].timestamp() > since]
    for (_, done), (begun, _) in islice(pairwise(splits), steps):
        yield done, begun


def _splits(copy: Project) -> Iterator[tuple[datetime, datetime]]:
    """When each change of the split began, and when it was done."""
    journal, begun = copy.folder / "reports" / "journal-local.jsonl", None
    for line in journal.read_text().splitlines():
        entry = json.loads(line)
        if entry["action"] != "split traffic":
            continue
        at = datetime.fromisoformat(entry["time"])
        if entry["state"] == "done" and begun is not None:
            yield begun, at
        begun = at
