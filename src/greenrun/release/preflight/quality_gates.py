"""Quality gates: commands of release.yaml that have to end with 0."""

import re
from collections.abc import Iterator, Sequence

from greenrun.model.errors import ReleaseError
from greenrun.model.interfaces import Ended, Timeout
from greenrun.release.preflight.context import Context, Problem

_COUNTS = re.compile(
    r"\d+ (?:passed|failed|errors?|skipped|xfailed|xpassed|deselected)\b.* in [\d.]+s"
)
_TAIL = 5


def pass_all(context: Context) -> Iterator[Problem]:
    """Each is run, however the others ended; progress tells of it once a second."""
    gates = context.plan.preflight.quality_gates
    if not gates:
        context.measure("quality gates", "none")
    for name, command in gates.items():
        try:
            yield from _judged(context, name, command)
        except ReleaseError as error:
            yield Problem(f"quality gate {name}: {error.message}", error.hint)


def _judged(context: Context, name: str, command: Sequence[str]) -> Iterator[Problem]:
    asked = " ".join(command)
    context.dependencies.progress.report(f"quality gate {name}: {asked}")
    timeout = Timeout(
        context.plan.preflight.quality_gate_timeout, context.dependencies.progress.report
    )
    ended = context.dependencies.commands.run(command, timeout)
    outcome = f"status {ended.status} after {ended.took.total_seconds():.1f} s{_counts(ended)}"
    context.measure(f"quality gate {name}", outcome)
    context.dependencies.evidence.attach(f"quality gate {name}", ended.output)
    if ended.status:
        yield Problem(
            f"quality gate {name}: got {outcome}, needs status 0: {_tail(ended)}",
            f"run `{asked}` and fix what it reports",
        )


def _counts(ended: Ended) -> str:
    """The counts of pytest's closing line: `154 passed, 2 skipped in 3.21s`."""
    found = _COUNTS.findall(ended.output)
    return f" ({found[-1]})" if found else ""


def _tail(ended: Ended) -> str:
    lines = [line.strip() for line in ended.output.splitlines() if line.strip()]
    return " / ".join(lines[-_TAIL:]) or "no output"
