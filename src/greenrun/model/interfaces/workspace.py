"""The machine that a release is made on: its working tree, and commands run there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from greenrun.model.image import Checkout, Distance
from greenrun.model.interfaces.timeout import Timeout


class SourceControl(Protocol):
    """The repository around the working tree. Every call raises CallFailed where git says no."""

    def checkout(self) -> Checkout | None:
        """One reading of the working tree; None where it is no checkout of any commit."""

    def distance(self, remote: str, branch: str) -> Distance | None:
        """How far the commit is from a remote's branch, asked anew; None: no such branch there."""

    def contains(self, commit: str) -> bool | None:
        """True when the commit (a SHA or the beginning of one) is among those of the checkout.

        None where the clone is too shallow to tell.
        """

    def commit(self, paths: Sequence[Path], message: str) -> str:
        """Commit these files and nothing else; the new commit's SHA."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended. `output` is both its streams, as they came."""

    status: int
    took: timedelta
    output: str = field(repr=False)


class Commands(Protocol):
    """Runs commands in the working tree."""

    def run(self, command: Sequence[str], timeout: Timeout) -> Ended:
        """Run to the end, without a shell.

        Raises CallFailed where there is no such command, DeadlineExceeded with its last line (the
        command and all that it started are then ended).
        """


@dataclass(frozen=True, slots=True)
class Leak:
    """Where something stands that looks like a secret; never what it is. `line` counts from 1."""

    file: str
    line: int
    kind: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.kind}"


class Scanner(Protocol):
    """Looks for secrets."""

    def leaks(self, files: Sequence[Path], known: Path | None) -> Sequence[Leak]:
        """What stands in these files, without the findings that the file `known` has accepted."""

    def in_text(self, name: str, text: str) -> Sequence[Leak]:
        """What stands in a text; `name` says where it is from."""
