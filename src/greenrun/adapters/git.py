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

    def checkout(self) -> Checkout | None:
        """One reading of the working tree; files that git ignores do not count."""
        if not self._is_in_a_repository:
            return None
        head = self._run("rev-parse", "--verify", "--quiet", "HEAD", fine=(0, 1))
        if head.returncode:
            return None
        with_new = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all")
        return Checkout(
            commit=head.stdout.strip(),
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

    def contains(self, commit: str) -> bool | None:
        """True when the commit (a SHA or the beginning of one) is HEAD or before it.

        None where a shallow clone has too little of the history to tell.
        """
        known = self._run("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", fine=(0, 1))
        if known.returncode == 0 and self._is_before_head(known.stdout.strip()):
            return True
        return None if self._told("rev-parse", "--is-shallow-repository") == "true" else False

    def _is_before_head(self, commit: str) -> bool:
        asked = self._run("merge-base", "--is-ancestor", commit, "HEAD", fine=(0, 1))
        return asked.returncode == 0

    def commit(self, paths: Sequence[Path], message: str) -> str:
        """Commit these files and nothing else, whatever is staged; the new commit's SHA."""
        named = [str(path.resolve()) for path in paths]
        self._told("add", "--", *named)
        self._told("commit", "--quiet", "--only", "--message", message, "--", *named)
        return self._told("rev-parse", "HEAD")

    @property
    def _is_in_a_repository(self) -> bool:
        """True where git has something to say, or would if it were installed."""
        folder = self._folder.resolve()
        around = ((each / ".git").exists() for each in (folder, *folder.parents))
        return "GIT_DIR" in os.environ or any(around)

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
