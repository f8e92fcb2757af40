"""What is asked of the candidate's log, and the log of a revision as evidence."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from greenrun.checks.logs import levels
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
        missing = [line for line in lines if not any(_has(entry, line) for entry in entries)]
        if not missing:
            break
    _keep(release, judged(entries))
    if missing:
        raise GateClosed(
            f"log of {release.candidate.name}: got no line {', '.join(map(repr, missing))} "
            f"within {release.plan.log_timeout.total_seconds():g} s",
        )


def _has(entry: LogEntry, line: str) -> bool:
    """Return True where the line stands in the text, or in JSON as it writes it."""
    return line in entry.text or json.dumps(line, ensure_ascii=False)[1:-1] in entry.text


def no_errors(
    release: Release, allowed: Sequence[LinearPattern] = (), *, says_something: bool = True
) -> None:
    """No entry since the deploy is an error, but for those that match an allowed pattern.

    An empty log is no proof of that, unless nobody knows that the service `says_something`. What
    `has_lines` has found is the start that this judges.
    """
    entries = _arrived(release)
    marked = judged(entries, allowed)
    _keep(release, marked)
    errors = [each.entry for each in marked if each.mark is Mark.ERROR]
    _refuse(release, "errors", errors)
    if says_something:
        _expect_some(release, entries)


def stayed_clean(release: Release, allowed: Sequence[LinearPattern] = ()) -> None:
    """No entry until now is an error: our own requests of now are seen in the request log first."""
    release.answering()
    no_errors(release, allowed)


def none_match(release: Release, unwanted: Sequence[LinearPattern]) -> None:
    """No entry since the deploy matches any of these patterns, whatever its level."""
    entries = _arrived(release)
    _keep(release, judged(entries))
    found = [each for each in entries if any(one.search(each.text) for one in unwanted)]
    _refuse(release, "unwanted lines", found)
    _expect_some(release, entries)


def _arrived(release: Release) -> Sequence[LogEntry]:
    """Return what the candidate has said, as soon as that is something."""
    for _ in polls(release.dependencies.clock, release.plan.log_timeout):
        if entries := release.dependencies.logs.of_revision(release.candidate.name):
            break
    return entries


def _refuse(release: Release, what: str, found: Sequence[LogEntry]) -> None:
    if found:
        raise GateClosed(
            f"log of {release.candidate.name}: got {len(found)} {what}, needs none; the first is\n"
            f"  {found[0]}"
        )


def _expect_some(release: Release, entries: Sequence[LogEntry]) -> None:
    if not entries:
        raise GateClosed(f"log of {release.candidate.name}: got nothing, needs a log to judge by")


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
        or (without_severity and levels.is_error(entry.text))
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
