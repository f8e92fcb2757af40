"""Proofs of the candidate's log: that it says what a healthy start says, and no errors."""

from collections.abc import Sequence
from datetime import timedelta

from greenrun.errors import GateClosed
from greenrun.ports import LogEntry
from greenrun.release import Release

_ERRORS = frozenset({"ERROR", "CRITICAL", "ALERT", "EMERGENCY"})
_LOOK = timedelta(milliseconds=100)


def has_lines(release: Release, lines: Sequence[str]) -> None:
    """Every line stands in the candidate's log, as soon as the log has arrived."""
    deadline = release.roles.clock.now() + release.plan.log_within
    while missing := _missing(lines, release.candidate.log()):
        if release.roles.clock.now() >= deadline:
            raise GateClosed(
                f"log of {release.candidate.name}: got no line {', '.join(map(repr, missing))} "
                f"within {release.plan.log_within.total_seconds():g} s",
            )
        release.roles.clock.sleep(_LOOK)


def no_errors(release: Release) -> None:
    """No entry of the candidate's log is an error; an empty log is no proof of that."""
    entries = release.candidate.log()
    errors = [entry for entry in entries if _is_error(entry)]
    if errors:
        raise GateClosed(
            f"log of {release.candidate.name}: got {len(errors)} errors, needs none; the first is\n"
            f"  {errors[0]}"
        )
    if not entries:
        raise GateClosed(f"log of {release.candidate.name}: got nothing, needs a log to judge by")


def _missing(lines: Sequence[str], log: Sequence[LogEntry]) -> list[str]:
    return [line for line in lines if not any(line in entry.text for entry in log)]


def _is_error(entry: LogEntry) -> bool:
    return entry.severity in _ERRORS
