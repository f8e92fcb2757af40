"""The candidate's log: it says what a healthy start says, and no errors; a log is evidence."""

from greenrun.checks.logs.checks import (
    LINES,
    PATTERNS,
    LinearPattern,
    has_lines,
    judged,
    log_as_evidence,
    no_errors,
    none_match,
    pattern,
    stayed_clean,
)

__all__ = [
    "LINES",
    "PATTERNS",
    "LinearPattern",
    "has_lines",
    "judged",
    "log_as_evidence",
    "no_errors",
    "none_match",
    "pattern",
    "stayed_clean",
]
