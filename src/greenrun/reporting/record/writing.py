"""Writing a record down: beside the report at every release, and for good after a real one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from greenrun.model.plan import REHEARSAL
from greenrun.model.results import ScenarioResult
from greenrun.release.release import Release
from greenrun.reporting.record import files, rendering
from greenrun.reporting.record.archive import Archive
from greenrun.reporting.record.facts import Record
from greenrun.reporting.record.gathering import gathered

Redact = Callable[[str], str]

_WORDS, _FACTS = "release.md", "release.json"


@dataclass(frozen=True, slots=True)
class Written:
    """A record, its text, and the files of the repository that now tell of the release."""

    record: Record
    document: str
    kept: tuple[Path, ...] = ()


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
    """
    written = _write(release, reports, results, redact)
    evidence = release.dependencies.evidence
    evidence.attach("record", written.document, "text/markdown")
    evidence.attach("record for machines", written.record.as_json(), "application/json")
    return written.record


def save(
    release: Release, reports: Path, results: Sequence[ScenarioResult], redact: Redact
) -> Record:
    """Write the record at the end of a release, and commit it where the plan says so.

    Raises:
        SettingsError: the repository's own template cannot be filled.
        CallFailed: git refused the commit; everything is written by then.
    """
    written = _write(release, reports, results, redact)
    if written.kept and release.plan.record.commit:
        made = release.dependencies.source_control.commit(written.kept, _message(written.record))
        release.dependencies.progress.report(f"committed the record as {made[:12]}")
    return written.record


def is_kept(release: Release, record: Record) -> None:
    """The repository tells of the release. Raises GateClosed, naming the files that do not."""
    Archive(release.plan.record, release.source.directory).expect(record)


def finish(reports: Path, status: int) -> None:
    """Add the exit status of the run to both twins. Nothing happens where nothing was released."""
    if (reports / _FACTS).exists():
        known = Record.from_json((reports / _FACTS).read_text("utf-8"))
        _write_twins(known.ended_with(status), reports)


def _write(
    release: Release, reports: Path, results: Sequence[ScenarioResult], redact: Redact
) -> Written:
    plan, directory = release.plan.record, release.source.directory
    record = gathered(release, results, release.dependencies.clock.now()).redacted(redact)
    is_real = record.environment != REHEARSAL
    archive = Archive(plan, directory)
    if is_real:
        record = replace(record, document=archive.place(record))
    _write_twins(record, reports)
    # A rehearsal fills the template, too: what is wrong with it shows before anything moves.
    document = rendering.by_template(record, directory, plan.template)
    kept = archive.keep(record, document) if is_real else ()
    return Written(record, document, kept)


def _write_twins(record: Record, reports: Path) -> None:
    files.replace(reports / _FACTS, record.as_json())
    files.replace(reports / _WORDS, rendering.as_markdown(record))


def _message(record: Record) -> str:
    told = record.candidate or record.document
    return f"Record the release of {record.service} to {record.environment}: {told}"
