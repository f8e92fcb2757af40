"""Quality gates: commands of release.yaml that have to end with 0 (P1.7)."""

import re
from collections.abc import Iterator, Sequence

from greenrun.model.errors import ReleaseError
from greenrun.model.interfaces import Ended, Timeout
from greenrun.release.preflight.context import Doubt, Scene

_COUNTS = re.compile(
    r"\d+ (?:passed|failed|errors?|skipped|xfailed|xpassed|deselected)\b.* in [\d.]+s"
)
_TAIL = 5


def pass_all(scene: Scene) -> Iterator[Doubt]:
    """Each is run, however the others ended; progress tells of it once a second."""
    gates = scene.plan.preflight.quality_gates
    if not gates:
        scene.measure("quality gates", "none")
    for name, command in gates.items():
        try:
            yield from _judged(scene, name, command)
        except ReleaseError as error:
            yield Doubt(f"quality gate {name}: {error.message}", error.hint)


def _judged(scene: Scene, name: str, command: Sequence[str]) -> Iterator[Doubt]:
    asked = " ".join(command)
    scene.dependencies.progress.report(f"quality gate {name}: {asked}")
    timeout = Timeout(scene.plan.preflight.gates_within, scene.dependencies.progress.report)
    ended = scene.dependencies.commands.run(command, timeout)
    outcome = f"status {ended.status} after {ended.took.total_seconds():.1f} s{_counts(ended)}"
    scene.measure(f"quality gate {name}", outcome)
    scene.dependencies.evidence.attach(f"quality gate {name}", ended.output)
    if ended.status:
        yield Doubt(
            f"quality gate {name}: got {outcome}, needs status 0: {_tail(ended)}",
            f"run `{asked}` and mend what it says",
        )


def _counts(ended: Ended) -> str:
    """What pytest's closing line says: `154 passed, 2 skipped in 3.21s`."""
    found = _COUNTS.findall(ended.output)
    return f" ({found[-1]})" if found else ""


def _tail(ended: Ended) -> str:
    lines = [line.strip() for line in ended.output.splitlines() if line.strip()]
    return " / ".join(lines[-_TAIL:]) or "it said nothing"
