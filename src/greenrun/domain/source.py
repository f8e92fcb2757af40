"""What an image is made of: a working tree, as version control knows it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """What an image is made of: a directory, at a commit by its full SHA."""

    directory: Path
    commit: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """A working tree. `branch` is empty where none is checked out; `subjects` are newest first.

    `changed` are paths relative to the tree's root that are not as the commit has them.
    """

    commit: str
    branch: str
    changed: tuple[str, ...]
    subjects: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """True when the tree is what the commit says."""
        return not self.changed


@dataclass(frozen=True, slots=True)
class Distance:
    """Commits between a branch and its twin on a remote."""

    ahead: int
    behind: int
