"""The working tree that an image is made of, as version control knows it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class Source:
    """A directory that an image is made of, at a commit by its full SHA."""

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

    def changed_beside(self, places: Iterable[PurePosixPath]) -> tuple[str, ...]:
        """List changed paths outside these folders and files."""
        aside = tuple(places)
        return tuple(
            path
            for path in self.changed
            if not any(PurePosixPath(path).is_relative_to(place) for place in aside)
        )


@dataclass(frozen=True, slots=True)
class Distance:
    """Commits between a branch and its twin on a remote."""

    ahead: int
    behind: int
