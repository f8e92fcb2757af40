"""Writes what is missing, and never over what stands there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path

from greenrun.model.text import UnreadableFile, read_text_file


@dataclass
class Files:
    """The files of a folder. `kept` were there before, and are as they were."""

    folder: Path
    created: list[str] = field(default_factory=list)
    extended: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def write(self, files: Mapping[str, str], added: Mapping[str, str]) -> None:
        """Create `files`; let others end with what they lack of `added`."""
        for name, text in files.items():
            path = self.folder / name
            if path.exists():
                self.kept.append(name)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            self.created.append(name)
        for name, text in added.items():
            before = self._before(name)
            if lacking := _lacking(before, text):
                (self.folder / name).write_text(before + lacking, "utf-8")
                (self.extended if before else self.created).append(name)

    def diff(self, files: Mapping[str, str], added: Mapping[str, str]) -> Iterator[str]:
        """Tell how each file would differ from what stands there."""
        wanted = {name: (self._before(name), text) for name, text in files.items()}
        for name, text in added.items():
            before = self._before(name)
            wanted[name] = before, before + _lacking(before, text)
        for name, (before, after) in wanted.items():
            lines = before.splitlines(keepends=True), after.splitlines(keepends=True)
            old = f"a/{name}" if (self.folder / name).exists() else "/dev/null"
            yield from unified_diff(*lines, old, f"b/{name}")

    def _before(self, name: str) -> str:
        path = self.folder / name
        if not path.exists():
            return ""
        try:
            return read_text_file(path)
        except UnreadableFile as error:
            raise UnreadableFile(f"{name} with {error.got}", error.needs) from error


def _lacking(before: str, text: str) -> str:
    """The lines that a file has not got; a section of Markdown is there by its heading."""
    head = text.splitlines()[0]
    lines = [line.strip() for line in before.splitlines()]
    if head.startswith("#"):
        missing = "" if head in lines else text
    else:
        missing = "".join(f"{line}\n" for line in text.splitlines() if line not in lines)
    gap = "" if before.endswith("\n") or not before else "\n"
    blank = "\n" if before and head.startswith("#") else ""
    return f"{gap}{blank}{missing}" if missing else ""
