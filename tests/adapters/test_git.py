import subprocess
from pathlib import Path

import pytest

from greenrun.adapters.git import Checkout, checkout_at
from greenrun.errors import CallFailed

AUTHOR = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *AUTHOR, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    for subject in ("Begin", "Go on", "End"):
        (tmp_path / "story.txt").write_text(subject)
        git(tmp_path, "add", "story.txt")
        git(tmp_path, "commit", "--quiet", "--no-verify", "-m", subject)
    return tmp_path


def test_a_clean_checkout_is_its_commit(repository: Path) -> None:
    found = checkout_at(repository, subjects=2)
    commit = git(repository, "rev-parse", "HEAD")
    assert found == Checkout(commit, "main", changed=(), subjects=("End", "Go on"))
    assert found.clean


def test_changed_and_new_files_make_a_checkout_unclean(repository: Path) -> None:
    (repository / "story.txt").write_text("changed")
    (repository / "néw file.txt").write_text("new")
    found = checkout_at(repository)
    assert not found.clean
    assert sorted(found.changed) == ["néw file.txt", "story.txt"]


def test_ignored_files_do_not_count(repository: Path) -> None:
    (repository / ".git" / "info" / "exclude").write_text("*.log\n")
    (repository / "today.log").write_text("x")
    assert checkout_at(repository).clean


def test_no_branch_is_checked_out(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--detach")
    assert checkout_at(repository).branch == ""


def test_no_repository_is_a_failed_call(tmp_path: Path) -> None:
    with pytest.raises(CallFailed, match=r"could not read the commit of .*not a git repository"):
        checkout_at(tmp_path)


def test_no_commit_is_a_failed_call(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(CallFailed, match="could not read the commit"):
        checkout_at(tmp_path)


def test_no_git_is_a_failed_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CallFailed, match="got no git command"):
        checkout_at(tmp_path)
