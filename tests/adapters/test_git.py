"""The working tree and its repository, with a real git and real remotes."""

import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from greenrun.adapters.git import Git
from greenrun.model.errors import CallFailed, DeadlineExceeded
from greenrun.model.image import Checkout, Distance


@pytest.fixture(autouse=True)
def _ada(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who may commit, with no settings of this machine."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ada@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def checkout_of(folder: Path) -> Checkout:
    found = Git(folder).checkout()
    assert found is not None
    return found


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    for subject in ("Begin", "Go on", "End"):
        tell(tmp_path, subject)
    return tmp_path


def tell(folder: Path, subject: str) -> str:
    """One more commit; its SHA."""
    (folder / "story.txt").write_text(subject)
    git(folder, "add", "story.txt")
    git(folder, "commit", "--quiet", "--no-verify", "-m", subject)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def twin(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the repository, which is its remote `origin`."""
    folder = tmp_path_factory.mktemp("twin")
    git(repository, "clone", "--quiet", str(repository), str(folder))
    return folder


def test_names_and_subjects_may_be_any_bytes(repository: Path) -> None:
    Path(os.fsdecode(os.fsencode(repository) + b"/gr\xfcn.txt")).write_text("new")
    (repository / "story.txt").write_text("Latin")
    message = repository / ".git/message"
    message.write_bytes("gr\u00fcn".encode("latin-1"))
    git(repository, "commit", "--quiet", "-a", "-F", str(message), "--cleanup=verbatim")
    found = checkout_of(repository)
    assert found.changed == ("gr\\xfcn.txt",)
    assert len(found.subjects) == 4


def test_a_password_in_a_remote_is_not_told(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "https://me:geheim@127.0.0.1:1/shop.git")
    with pytest.raises(CallFailed, match="could not git ls-remote") as failed:
        Git(repository).distance("origin", "main")
    assert "geheim" not in str(failed.value)


def test_a_clean_checkout_is_its_commit(repository: Path) -> None:
    found = checkout_of(repository)
    commit = git(repository, "rev-parse", "HEAD")
    assert found == Checkout(commit, "main", changed=(), subjects=("End", "Go on", "Begin"))
    assert found.clean


def test_changed_and_new_files_make_a_checkout_unclean(repository: Path) -> None:
    (repository / "story.txt").write_text("changed")
    (repository / "néw file.txt").write_text("new")
    (repository / "a" / "folder").mkdir(parents=True)
    (repository / "a" / "folder" / "new.txt").write_text("new")
    found = checkout_of(repository)
    assert not found.clean
    assert sorted(found.changed) == ["a/folder/new.txt", "néw file.txt", "story.txt"]


def test_ignored_files_do_not_count(repository: Path) -> None:
    (repository / ".git" / "info" / "exclude").write_text("*.log\n")
    (repository / "today.log").write_text("x")
    assert checkout_of(repository).clean


def test_no_branch_is_checked_out(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--detach")
    assert checkout_of(repository).branch == ""


def test_no_git_is_a_failed_call_where_there_is_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CallFailed, match="got no git command"):
        Git(tmp_path).checkout()


def test_a_twin_is_in_step_until_either_goes_on(repository: Path, twin: Path) -> None:
    assert Git(twin).distance("origin", "main") == Distance(0, 0)
    tell(twin, "Ours")
    assert Git(twin).distance("origin", "main") == Distance(ahead=1, behind=0)
    tell(repository, "Theirs")
    tell(repository, "Theirs again")
    assert Git(twin).distance("origin", "main") == Distance(ahead=1, behind=2)


def test_asking_for_the_distance_changes_nothing_remote(repository: Path, twin: Path) -> None:
    tell(twin, "Ours")
    before = git(repository, "for-each-ref")
    Git(twin).distance("origin", "main")
    assert git(repository, "for-each-ref") == before


def test_a_branch_that_the_remote_has_not(twin: Path) -> None:
    assert Git(twin).distance("origin", "next") is None


def test_no_remote_is_a_failed_call_with_a_hint(repository: Path) -> None:
    with pytest.raises(CallFailed, match="got no such remote") as told:
        Git(repository).distance("origin", "main")
    assert told.value.hint.startswith("git remote add origin URL")


def test_a_remote_that_does_not_answer_is_a_failed_call(repository: Path, tmp_path: Path) -> None:
    git(repository, "remote", "add", "origin", str(tmp_path / "nowhere"))
    with pytest.raises(CallFailed, match=r"could not git ls-remote in .*nowhere"):
        Git(repository).distance("origin", "main")


def test_a_git_that_hangs_is_given_up(repository: Path, tmp_path: Path) -> None:
    hanging = tmp_path / "hanging"
    hanging.write_text("#!/bin/sh\nexec sleep 3\n")
    hanging.chmod(0o755)
    git(repository, "config", "protocol.ext.allow", "always")
    git(repository, "remote", "add", "origin", f"ext::{hanging}")
    with pytest.raises(DeadlineExceeded, match=r"waited 0\.5 s for `git ls-remote in "):
        Git(repository, within=timedelta(seconds=0.5)).distance("origin", "main")


def test_commits_are_known_by_the_beginning_of_their_sha(repository: Path, twin: Path) -> None:
    first = git(repository, "rev-parse", "HEAD~2")
    theirs = tell(twin, "Theirs")
    git(repository, "fetch", "--quiet", str(twin), "main")
    known = Git(repository)
    assert [known.contains(commit) for commit in (first, first[:7], "HEAD")] == [True] * 3
    assert [known.contains(commit) for commit in (theirs, "0" * 40, "nonsense")] == [False] * 3


def test_a_commit_of_these_files_and_nothing_else(repository: Path) -> None:
    for name in ("record.md", "staged.txt", "other.txt"):
        (repository / name).write_text(name)
    git(repository, "add", "staged.txt")
    (repository / "story.txt").write_text("after the release")
    named = [repository / "record.md", repository / "story.txt"]
    made = Git(repository).commit(named, "Record a release")
    assert made == git(repository, "rev-parse", "HEAD")
    assert git(repository, "show", "--name-only", "--format=%s").splitlines() == [
        "Record a release",
        "",
        "record.md",
        "story.txt",
    ]
    assert git(repository, "status", "--porcelain") == "A  staged.txt\n?? other.txt"


def test_a_commit_of_nothing_new_is_a_failed_call(repository: Path) -> None:
    with pytest.raises(CallFailed, match="could not git commit"):
        Git(repository).commit([repository / "story.txt"], "Again")


def test_a_clone_that_is_shallow_cannot_tell_what_came_before(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    parent = git(repository, "rev-parse", "HEAD~1")
    folder = tmp_path_factory.mktemp("shallow")
    git(repository, "clone", "--quiet", "--depth=1", f"file://{repository}", str(folder))
    known = Git(folder)
    assert [known.contains(commit) for commit in ("HEAD", parent, "0" * 40)] == [True, None, None]
    git(folder, "fetch", "--quiet", "--unshallow")
    assert [known.contains(commit) for commit in ("HEAD", parent, "0" * 40)] == [True, True, False]


def test_a_folder_without_a_repository_is_no_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_DIR", raising=False)
    assert Git(tmp_path).checkout() is None
    monkeypatch.setenv("PATH", "")
    assert Git(tmp_path).checkout() is None


def test_a_repository_without_a_commit_is_no_checkout(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert Git(tmp_path).checkout() is None
