"""The candidate's log: it says what a healthy start says, and no errors; a log is evidence."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from greenrun.checks.table import Unmeant, filled, listed
from greenrun.model.errors import GateClosed
from greenrun.model.interfaces import LogEntry
from greenrun.model.polling import polls
from greenrun.model.text import writable
from greenrun.release.release import Release

_SEVERE = frozenset({"ERROR", "CRITICAL", "ALERT", "EMERGENCY"})

_SQL_ERROR = re.compile(
    r"\bSQL error\b|\bSQLSTATE\b|\bORA-\d{5}\b|\bno such (?:table|column): |\bdeadlock detected\b"
    r"|\b(?:Operational|Programming|Integrity|Interface|Database)Error\b"
    r"|\b(?:psycopg2?|asyncpg|sqlalchemy|pymysql)\.(?:errors?|exc|exceptions|err)\.\w+"
    r"|\bsqlite3\.\w*Error\b|\brelation \"[^\"]*\" does not exist"
)
_TOLD_AS_ERROR = re.compile(
    r"[\W\d]*(?:T[\d:.,][\W\d]*(?:Z[\W\d]*)?)?(?:ERROR|CRITICAL|FATAL)\b"
    r"|Traceback \(most recent call last\)"
)
"""Where a line has no severity of its own: it begins with one, maybe after the time.

No two neighbours take the same character, so that a line is read in linear time.
"""

_READABLE = 1000
"""Entries of no concern that the evidence holds; all others are in it."""


class LinearPattern:
    """A regular expression of RE2: it searches any text in linear time.

    It has no look-around and no back-references (https://github.com/google/re2/wiki/Syntax).
    Raises ValueError, with the reason, for what is none.
    """

    def __init__(self, text: str) -> None:
        import re2  # noqa: PLC0415 - many releases have no pattern

        options = re2.Options()
        options.log_errors = False
        try:
            self._pattern = re2.compile(text, options)
        except UnicodeEncodeError as error:
            raise ValueError("half a character (a surrogate)") from error
        except re2.error as error:
            (reason,) = error.args
            raise ValueError(reason.decode()) from error

    def search(self, text: str) -> bool:
        """True where a part of the text matches."""
        return self._pattern.search(writable(text)) is not None

    def fullmatch(self, text: str) -> bool:
        """True where the whole of the text matches."""
        return self._pattern.fullmatch(writable(text)) is not None


class Mark(Enum):
    """What an entry means for the candidate."""

    ERROR = "error"
    ALLOWED = "allowed"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """An entry of a log, judged."""

    entry: LogEntry
    mark: Mark

    def __str__(self) -> str:
        return f"{self.mark.value:<8} {self.entry}"


def pattern(cell: str) -> LinearPattern:
    """A regular expression of what may stand in a log. Raises Unmeant."""
    try:
        found = LinearPattern(cell)
    except ValueError as error:
        raise Unmeant(
            f"a regular expression as RE2 reads it ({error}); a backslash before a character of "
            "special meaning makes it a plain one"
        ) from error
    if found.search(""):
        raise Unmeant("a pattern that some lines match, and not every one")
    return found


LINES = listed("lines", "line", filled)
PATTERNS = listed("patterns", "pattern", pattern)


def has_lines(release: Release, lines: Sequence[str]) -> None:
    """Every line stands in the candidate's log, as soon as the log has arrived."""
    for _ in polls(release.dependencies.clock, release.plan.log_timeout):
        entries = release.dependencies.logs.of_revision(release.candidate.name)
        missing = [line for line in lines if not any(line in entry.text for entry in entries)]
        if not missing:
            break
    _keep(release, judged(entries))
    if missing:
        raise GateClosed(
            f"log of {release.candidate.name}: got no line {', '.join(map(repr, missing))} "
            f"within {release.plan.log_timeout.total_seconds():g} s",
        )


def no_errors(release: Release, allowed: Sequence[LinearPattern] = ()) -> None:
    """No entry since the deploy is an error, but for those that match an allowed pattern.

    An empty log is no proof of that. What `has_lines` has found is the start that this judges.
    """
    for _ in polls(release.dependencies.clock, release.plan.log_timeout):
        if entries := release.dependencies.logs.of_revision(release.candidate.name):
            break
    marked = judged(entries, allowed)
    _keep(release, marked)
    errors = [each.entry for each in marked if each.mark is Mark.ERROR]
    if errors:
        raise GateClosed(
            f"log of {release.candidate.name}: got {len(errors)} errors, needs none; the first is\n"
            f"  {errors[0]}"
        )
    if not entries:
        raise GateClosed(f"log of {release.candidate.name}: got nothing, needs a log to judge by")


def stayed_clean(release: Release, allowed: Sequence[LinearPattern] = ()) -> None:
    """No entry until now is an error: our own requests of now are seen in the request log first."""
    release.answering()
    no_errors(release, allowed)


def judged(
    entries: Sequence[LogEntry], allowed: Sequence[LinearPattern] = ()
) -> tuple[Marked, ...]:
    """Each entry with its mark; patterns may match anywhere in the text of an error."""
    return tuple(Marked(entry, _mark(entry, allowed)) for entry in entries)


def _mark(entry: LogEntry, allowed: Sequence[LinearPattern]) -> Mark:
    if not _is_error(entry):
        return Mark.NONE
    known = any(pattern.search(entry.text) for pattern in allowed)
    return Mark.ALLOWED if known else Mark.ERROR


def _is_error(entry: LogEntry) -> bool:
    without_severity = entry.severity == "DEFAULT"
    return bool(
        entry.severity in _SEVERE
        or _SQL_ERROR.search(entry.text)
        or (without_severity and _TOLD_AS_ERROR.match(entry.text))
    )


def _keep(release: Release, marked: Sequence[Marked]) -> None:
    kept = [str(each) for at, each in enumerate(marked) if at < _READABLE or each.mark.value]
    if left_out := len(marked) - len(kept):
        kept.append(f"{left_out} more entries are of no concern")
    text = "\n".join(kept) or "nothing"
    release.dependencies.evidence.attach("log of the candidate", text)


@contextmanager
def log_as_evidence(release: Release, revision: str) -> Iterator[None]:
    """Keep the log of a revision where the gate closes on it."""
    try:
        yield
    except GateClosed:
        log = release.dependencies.logs.of_revision(revision)
        release.dependencies.evidence.attach(f"log of {revision}", "\n".join(map(str, log)))
        raise
