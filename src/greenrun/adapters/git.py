"""The working tree and its repository, through the git command."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from greenrun.model.errors import CallFailed, DeadlineExceeded
from greenrun.model.image import Checkout, Distance
from greenrun.model.text import without_passwords

_WITHIN = timedelta(seconds=60)
# Nobody is there to answer: a question for a password is a refusal.
_UNATTENDED = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes", "LC_ALL": "C"}


class Git:
    """The repository around `folder`.

    Every call raises CallFailed where git says no, and DeadlineExceeded after `within`.
    """

    def __init__(self, folder: Path, *, within: timedelta = _WITHIN) -> None:
        self._folder = folder
        self._within = within

    def checkout(self) -> Checkout:
        """One reading of the working tree; files that git ignores do not count."""
        with_new = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all")
        return Checkout(
            commit=self._told("rev-parse", "HEAD"),
            branch=self._told("branch", "--show-current"),
            changed=_paths(self._run(*with_new).stdout),
            subjects=tuple(self._told("log", "-5", "--format=%s").splitlines()),
        )

    def distance(self, remote: str, branch: str) -> Distance | None:
        """How far HEAD is from a remote's branch, which is fetched; None: no such branch there."""
        if remote not in self._told("remote").splitlines():
            raise CallFailed(
                f"could not compare {self._folder} with {remote}: got no such remote",
                hint=f"git remote add {remote} URL, or correct `preflight.remote`",
            )
        name = f"refs/heads/{branch}"
        if not self._told("ls-remote", remote, name):
            return None
        self._told("fetch", "--quiet", "--no-tags", remote, name)
        counts = self._told("rev-list", "--left-right", "--count", "HEAD...FETCH_HEAD")
        ahead, behind = map(int, counts.split())
        return Distance(ahead, behind)

    def contains(self, commit: str) -> bool:
        """True when the commit (a SHA or the beginning of one) is HEAD or before it."""
        known = self._run("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", fine=(0, 1))
        if known.returncode:
            return False
        asked = self._run("merge-base", "--is-ancestor", known.stdout.strip(), "HEAD", fine=(0, 1))
        return asked.returncode == 0

    def commit(self, paths: Sequence[Path], message: str) -> str:
        """Commit these files and nothing else, whatever is staged; the new commit's SHA."""
        named = [str(path.resolve()) for path in paths]
        self._told("add", "--", *named)
        self._told("commit", "--quiet", "--only", "--message", message, "--", *named)
        return self._told("rev-parse", "HEAD")

    def _told(self, *arguments: str) -> str:
        return self._run(*arguments).stdout.strip()

    def _run(
        self, *arguments: str, fine: tuple[int, ...] = (0,)
    ) -> "subprocess.CompletedProcess[str]":
        asked = f"git {arguments[0]} in {self._folder}"
        try:
            done = subprocess.run(  # noqa: S603 - no shell, no foreign words
                [self._git(), "-C", str(self._folder), *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="backslashreplace",  # a file's name may be any bytes
                check=False,
                env={**os.environ, **_UNATTENDED},
                timeout=self._within.total_seconds(),
            )
        except subprocess.TimeoutExpired as error:
            raise DeadlineExceeded(f"`{asked}`", after=self._within) from error
        if done.returncode not in fine:
            raise _refused(asked, done)
        return done

    def _git(self) -> str:
        git = shutil.which("git")
        if git is None:
            raise CallFailed(
                f"could not read the repository of {self._folder}: got no git command",
                hint="install git",
            )
        return git


def _refused(asked: str, done: "subprocess.CompletedProcess[str]") -> CallFailed:
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    got = without_passwords(" / ".join(said)) or f"status {done.returncode}"
    return CallFailed(
        f"could not {asked}: got {got}",
        hint="release from a git checkout with at least one commit, whose remote can be reached",
    )


def _paths(status: str) -> tuple[str, ...]:
    # An entry is two letters of state, a space and the path, without quotes, up to a zero byte.
    return tuple(entry[3:] for entry in status.split("\0") if entry)
