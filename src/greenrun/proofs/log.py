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
    while missing := [line for line in lines if not _stands(line, release.startup_log())]:
        if release.roles.clock.now() >= deadline:
            raise GateClosed(
                f"log of {release.candidate}: got no line {', '.join(map(repr, missing))} "
                f"within {release.plan.log_within.total_seconds():g} s",
            )
        release.roles.clock.sleep(_LOOK)


def no_errors(release: Release) -> None:
    """No entry of the candidate's log is an error; an empty log is no proof of that."""
    entries = release.roles.logs.of_revision(release.candidate)
    errors = [entry for entry in entries if _is_error(entry)]
    if errors:
        raise GateClosed(
            f"log of {release.candidate}: got {len(errors)} errors, needs none; the first is\n"
            f"{errors[0]}"
        )
    if not entries:
        raise GateClosed(f"log of {release.candidate}: got nothing, needs a log to judge by")


def _stands(line: str, log: Sequence[str]) -> bool:
    return any(line in text for text in log)


def _is_error(entry: LogEntry) -> bool:
    return entry.severity in _ERRORS
