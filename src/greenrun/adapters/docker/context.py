"""What the engine is sent when an image is built from a folder."""

import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from docker.utils import exclude_paths
from docker.utils.build import create_archive

from greenrun.model.errors import CallFailed
from greenrun.model.plan import BuildPlan
from greenrun.model.text import UnreadableFile, read_file

_IGNORING = ".dockerignore"
_LEFT_OUT = (".git", "**/.git", "**/.git/**")
"""Said in each way, as not every reader of patterns lets `**` stand for no folder."""

_OUTSIDE = ".greenrun.Dockerfile"
"""Name of a Dockerfile that stands outside of its context."""

_LARGEST = 1_000_000
"""Bytes of a Dockerfile, or of a file that names what is left out."""


@dataclass(frozen=True, slots=True)
class BuildContext:
    """A folder with a Dockerfile, and the files of the folder that a build never sees.

    Those are what `.dockerignore` names (or `NAME.dockerignore` beside a Dockerfile of that name,
    which counts instead), `.git`, and the paths `aside`, whatever these files say.

    Source: https://docs.docker.com/build/concepts/context/#dockerignore-files
    """

    folder: Path
    dockerfile: Path
    aside: Sequence[Path] = field(default=(), repr=False)

    @property
    def instructions(self) -> bytes:
        """The Dockerfile. Raises UnreadableFile."""
        return read_file(self.dockerfile, at_most=_LARGEST)

    @property
    def patterns(self) -> list[str]:
        """Patterns of what is left out, in the order in which they count."""
        told = self._beside if self._beside.is_file() else self.folder / _IGNORING
        written = read_file(told, at_most=_LARGEST) if told.is_file() else b""
        lines = map(str.strip, written.decode("utf-8-sig", "surrogateescape").splitlines())
        folder = self.folder.resolve()
        paths = (path.resolve() for path in self.aside)
        inside = [path.relative_to(folder) for path in paths if path.is_relative_to(folder)]
        ours = (path.as_posix() for path in inside if path.parts)
        return [*(line for line in lines if line and line[0] != "#"), *_LEFT_OUT, *ours]

    def files(self) -> Iterator[Path]:
        """Every file that the engine is sent."""
        for name in self._names():
            if (self.folder / name).is_file():
                yield self.folder / name

    def archive(self) -> tuple[BinaryIO, str]:
        """A tar of it for engines that are sent one, and where in it the Dockerfile is."""
        names, within = self._names(), self._within
        if within and not self._beside.is_file():
            return self._archived(names), within
        names = [name for name in names if name not in {_IGNORING, within}]
        file = self._archived(names)
        # The engine leaves out what .dockerignore names, so that COPY sees neither of these.
        with tarfile.open(fileobj=file, mode="a") as archive:
            _add(archive, within or _OUTSIDE, self.instructions)
            _add(archive, _IGNORING, f"{'' if within else _OUTSIDE}\n{_IGNORING}\n".encode())
        file.seek(0)
        return file, within or _OUTSIDE

    def _archived(self, names: list[str]) -> BinaryIO:
        """A file that ends when it is closed."""
        return cast("BinaryIO", create_archive(str(self.folder), names, fileobj=TemporaryFile()))

    @property
    def _beside(self) -> Path:
        """The file that says for this Dockerfile alone what is left out."""
        return self.dockerfile.with_name(f"{self.dockerfile.name}{_IGNORING}")

    @property
    def _within(self) -> str:
        """The Dockerfile's path within the folder; empty where it stands elsewhere."""
        path, folder = self.dockerfile.resolve(), self.folder.resolve()
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else ""

    def _names(self) -> list[str]:
        """Relative paths, folders among them. The engine always gets the Dockerfile."""
        kept = self._within or _OUTSIDE
        return sorted(exclude_paths(str(self.folder), self.patterns, dockerfile=kept))


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """One build: what is built, under which name, with which labels; files of secrets by path."""

    plan: BuildPlan
    context: BuildContext
    reference: str
    labels: Mapping[str, str]


@contextmanager
def readable(context: BuildContext) -> Iterator[None]:
    """Raise CallFailed for what cannot be read of a context."""
    try:
        yield
    except (OSError, UnreadableFile) as error:
        raise CallFailed(
            f"could not read what is built in {context.folder}: {error}",
            hint="make it readable, or name it in .dockerignore",
        ) from error


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
