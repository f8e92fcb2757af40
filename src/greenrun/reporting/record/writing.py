"""Writing a record down: beside the report at every release, and for good after a real one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from greenrun.model.errors import ReleaseError
from greenrun.model.plan import REHEARSAL, RecordPlan
from greenrun.model.results import RunSummary, ScenarioResult
from greenrun.release.release import Release
from greenrun.reporting.record import files
from greenrun.reporting.record.archive import Archive
from greenrun.reporting.record.collect import collect_record
from greenrun.reporting.record.record import Record

Redact = Callable[[str], str]
T = TypeVar("T")

_WORDS, _FACTS = "release.md", "release.json"


@dataclass(frozen=True, slots=True)
class Written:
    """A record and its text."""

    record: Record
    document: str


def discard(reports: Path) -> None:
    """Take away the record of an earlier release, so that none is read as this one's."""
    for name in (_WORDS, _FACTS):
        (reports / name).unlink(missing_ok=True)


def write(
    release: Release, reports: Path, results: Sequence[ScenarioResult], redact: Redact
) -> Record:
    """Write the record as far as it is known by now, and keep it as evidence.

    Raises:
        SettingsError: the repository's own template cannot be filled.
        ReleaseError: a part of it could not be written; the others are.
    """
    written = _write(release, reports, results, redact)
    evidence = release.dependencies.evidence
    evidence.attach("record", written.document, "text/markdown")
    evidence.attach("record for machines", written.record.as_json(), "application/json")
    return written.record


def save(
    release: Release, reports: Path, results: Sequence[ScenarioResult], redact: Redact
) -> Record:
    """Write the record at the end of a release; `finish` has the last word.

    Raises:
        SettingsError: the repository's own template cannot be filled.
        ReleaseError: a part of it could not be written; the others are.
    """
    return _write(release, reports, results, redact).record


def is_kept(release: Release, record: Record) -> None:
    """The repository tells of the release. Raises GateClosed, naming the files that do not."""
    Archive(release.plan.record, release.source.directory).expect(record)


def finish(release: Release, reports: Path, status: int) -> str:
    """Add the exit status of the run wherever the record stands, and commit what is kept for good.

    Return why that could not be, else nothing. Nothing happens where nothing was released, and
    nothing is raised: it is the last thing that a run does.
    """
    return _amend(
        reports,
        f"exit status {status}",
        lambda known: _finish(release, reports, known.ended_with(status)),
    )


def sum_up(reports: Path, summary: RunSummary) -> str:
    """Add what the last lines of the run tell, once its report is made; as `finish` otherwise."""
    return _amend(
        reports,
        "the summary",
        lambda known: files.replace(reports / _FACTS, replace(known, summary=summary).as_json()),
    )


def _amend(reports: Path, what: str, action: Callable[[Record], object]) -> str:
    """Act on the record that was written, if any; return why that could not be, else nothing."""
    try:
        if (reports / _FACTS).exists():
            action(Record.from_json((reports / _FACTS).read_text("utf-8")))
    except Exception as error:  # noqa: BLE001 - whatever it is, the run has ended
        reason, _, _ = str(error).partition("\n")
        return f"could not add {what} to {reports / _FACTS}: {reason}"
    return ""


def _finish(release: Release, reports: Path, record: Record) -> None:
    _write_both(record, reports)
    if not record.document:
        return
    plan, directory = release.plan.record, release.source.directory
    kept = Archive(plan, directory).keep(record, _document(record, directory, plan))
    if plan.commit:
        made = release.dependencies.source_control.commit(kept, _message(record))
        release.dependencies.progress.report(f"committed the record as {made[:12]}")


def _write(
    release: Release, reports: Path, results: Sequence[ScenarioResult], redact: Redact
) -> Written:
    plan, directory = release.plan.record, release.source.directory
    record = collect_record(release, results).redacted(redact)
    is_real = record.environment != REHEARSAL
    archive = Archive(plan, directory)
    with _all_attempted() as attempt:
        if is_real:
            record = attempt("find a place for it", partial(_placed, record, archive)) or record
        attempt("write it into reports/", partial(_write_both, record, reports))
        # A rehearsal fills the template, too: what is wrong with it shows before anything moves.
        document = _document(record, directory, plan)
        if is_real:
            attempt("keep it for good", partial(archive.keep, record, document))
    return Written(record, document)


def _document(record: Record, directory: Path, plan: RecordPlan) -> str:
    from greenrun.reporting.record.rendering import by_template  # noqa: PLC0415 - templates take a while

    return by_template(record, directory, plan.template)


def _placed(record: Record, archive: Archive) -> Record:
    return replace(record, document=archive.place(record))


def _write_both(record: Record, reports: Path) -> None:
    """Write the record for machines and the one for people; one that fails stops no other."""
    from greenrun.reporting.record.rendering import as_markdown  # noqa: PLC0415 - templates take a while

    with _all_attempted() as attempt:
        for name, text in ((_FACTS, record.as_json), (_WORDS, partial(as_markdown, record))):
            attempt(f"write {name}", partial(_replace, reports / name, text))


def _replace(path: Path, text: Callable[[], str]) -> None:
    files.replace(path, text())


class Attempt(Protocol):
    """Does one thing; what it raises is kept until all are done."""

    def __call__(self, what: str, action: Callable[[], T]) -> T | None:
        """Return what the action does; None where it failed."""


@contextmanager
def _all_attempted() -> Iterator[Attempt]:
    """Raise one ReleaseError for all attempts that failed, once all were made."""
    failures: list[str] = []
    first: list[Exception] = []

    def attempt(what: str, action: Callable[[], T]) -> T | None:
        try:
            return action()
        except Exception as error:  # noqa: BLE001 - whatever it is, the rest is written
            failures.append(f"could not {what}: {error or type(error).__name__}")
            first.append(error)
            return None

    yield attempt
    if failures:
        raise ReleaseError(f"the record is not whole: {'; '.join(failures)}") from first[0]


def _message(record: Record) -> str:
    told = record.candidate or record.document
    return f"Record the release of {record.service} to {record.environment}: {told}"
