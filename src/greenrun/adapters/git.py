"""The commit that a release is made of, through the git command."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from greenrun.errors import CallFailed


@dataclass(frozen=True, slots=True)
class Checkout:
    """A working tree. `branch` is empty where none is checked out; `subjects` are newest first."""

    commit: str
    branch: str
    changed: tuple[str, ...]
    subjects: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """True when the tree is what the commit says."""
        return not self.changed


def checkout_at(folder: Path, *, subjects: int = 5) -> Checkout:
    """One reading of the working tree around `folder`; files that git ignores do not count.

    Raises CallFailed where there is no git, no repository or no commit.
    """
    return Checkout(
        commit=_git(folder, "rev-parse", "HEAD").strip(),
        branch=_git(folder, "branch", "--show-current").strip(),
        changed=_paths(_git(folder, "status", "--porcelain=v1", "-z", "--no-renames")),
        subjects=tuple(_git(folder, "log", f"-{subjects}", "--format=%s").splitlines()),
    )


def _paths(status: str) -> tuple[str, ...]:
    # An entry is two letters of state, a space and the path, without quotes, up to a zero byte.
    return tuple(entry[3:] for entry in status.split("\0") if entry)


def _git(folder: Path, *arguments: str) -> str:
    git = shutil.which("git")
    if git is None:
        raise CallFailed(
            f"could not read the commit of {folder}: got no git command", hint="install git"
        )
    command = [git, "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell, no foreign words
    if done.returncode:
        raise CallFailed(
            f"could not read the commit of {folder}: `git {' '.join(arguments)}` "
            f"said {done.stderr.strip()!r}",
            hint="release from a git checkout with at least one commit",
        )
    return done.stdout
