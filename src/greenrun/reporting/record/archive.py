"""Where records are kept for good: a file each, a row in their index, an entry for successors."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from greenrun.model.errors import GateClosed
from greenrun.model.plan import RecordPlan
from greenrun.reporting.record.files import line_end, replace, text_of
from greenrun.reporting.record.index import with_row
from greenrun.reporting.record.record import Record


class Archive:
    """The records of a repository. A release is known by its run, and stands in it once."""

    def __init__(self, plan: RecordPlan, directory: Path) -> None:
        self._plan = plan
        self._directory = directory

    @property
    def _folder(self) -> Path:
        return self._directory / self._plan.folder

    def place(self, record: Record) -> str:
        """The path of a record's file, relative to the directory: its own, else a free one."""
        return next(
            str(Path(self._plan.folder) / name)
            for name in _names(record)
            if not (self._folder / name).exists() or _mark(record) in text_of(self._folder / name)
        )

    def keep(self, record: Record, document: str) -> tuple[Path, ...]:
        """Write the document, its row and its entries; all files that now tell of the release."""
        from greenrun.reporting.record import rendering  # noqa: PLC0415 - templates take a while

        file = self._directory / record.document
        index = self._folder / "README.md"
        replace(file, f"{document.rstrip()}\n\n{_mark(record)}\n")
        replace(index, with_row(text_of(index), record, file.name))
        notes = [self._directory / name for name in self._plan.changelogs]
        for note in notes:
            link = os.path.relpath(file, note.parent)
            entry = rendering.as_entry(record, f"[{file.stem}]({link})")
            replace(note, with_entry(text_of(note), record, entry))
        return file, index, *notes

    def expect(self, record: Record) -> None:
        """The record, the index and every changelog tell of this release.

        Raises:
            GateClosed: naming the files that do not.
        """
        marked = [record.document, *self._plan.changelogs]
        silent = [name for name in marked if _mark(record) not in text_of(self._directory / name)]
        index = Path(self._plan.folder) / "README.md"
        if f"]({Path(record.document).name})" not in text_of(self._directory / index):
            silent.append(str(index))
        if silent:
            raise GateClosed(
                f"the record of {record.candidate or record.service}: got nothing of it in "
                f"{', '.join(silent)}, needs it there"
            )


def with_entry(notes: str, record: Record, entry: str) -> str:
    """Notes with the entry of one release, at their end or where it is; all else stays as it is."""
    end = line_end(notes)
    begin, over = _mark(record), _mark(record, "end of ")
    told = f"{begin}\n{entry}{over}\n".replace("\n", end)
    before, found, rest = notes.partition(begin)
    _, closed, after = rest.partition(over)
    if found and closed:
        return f"{before}{told.removesuffix(end)}{after}"
    gap = "" if not notes else end if notes.endswith("\n") else 2 * end
    return f"{notes}{gap}{told}"


def _mark(record: Record, what: str = "") -> str:
    return f"<!-- greenrun: {what}run {record.run} -->"


def _names(record: Record) -> Iterator[str]:
    stem = f"{record.started:%Y-%m-%d}-deploy-{_name(record)}"
    yield f"{stem}.md"
    for number in count(2):
        yield f"{stem}-{number}.md"


def _name(record: Record) -> str:
    """The candidate without the service's name; before there is one the image tag, or the time."""
    suffix = record.candidate.removeprefix(f"{record.service}-")
    return suffix or record.image_tag or f"{record.started:%H%M%S}"
