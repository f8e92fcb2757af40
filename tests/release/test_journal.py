"""The journal survives, shows what is open, and shows when it was changed."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.release.coordination.journal import Journal
from tests.fakes import FakeClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def test_a_change_stands_before_and_after(path: Path) -> None:
    journal = Journal(path, FakeClock())
    with journal.change("deploy", "shop-1", image="x"):
        assert [entry.state for entry in Journal(path, FakeClock()).entries()] == ["begun"]
    assert [entry.state for entry in journal.entries()] == ["begun", "done"]
    journal.is_whole()


def test_a_change_that_fails_says_so(path: Path) -> None:
    journal = Journal(path, FakeClock())
    with pytest.raises(KeyboardInterrupt), journal.change("deploy", "shop-1"):
        raise KeyboardInterrupt
    assert journal.entries()[-1].facts == {"error": "KeyboardInterrupt"}


def test_a_change_without_an_end_shows(path: Path) -> None:
    journal = Journal(path, FakeClock())
    with journal.change("deploy", "shop-1"), pytest.raises(GateClosed, match="deploy shop-1"):
        journal.is_whole()


def test_a_journal_of_nothing_proves_nothing(path: Path) -> None:
    with pytest.raises(GateClosed, match="no change at all"):
        Journal(path, FakeClock()).is_whole()


@pytest.fixture
def three(path: Path) -> Path:
    """A journal of three lines."""
    journal = Journal(path, FakeClock())
    with journal.change("deploy", "shop-1"):
        journal.note("ready", "shop-1")
    return path


def line(number: int, path: Path) -> str:
    return path.read_text("utf-8").splitlines()[number - 1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: [lines[0].replace("shop-1", "shop-2"), *lines[1:]], 2),
        (lambda lines: [lines[0], lines[1].replace("ready", "failed"), lines[2]], 3),
        (lambda lines: [lines[0], lines[2]], 2),
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[1], lines[0], lines[2]], 1),
        (lambda lines: [lines[0], "no JSON", lines[2]], 2),
        (lambda lines: [lines[0], "", *lines[1:]], 2),
        (lambda lines: [*lines, "[]"], 4),
        (lambda lines: [*lines, "null"], 4),
        (lambda lines: [*lines, "{}"], 4),
        (lambda lines: [*lines, lines[2]], 4),
        (lambda lines: [*lines[:2], lines[2].replace('"facts"', '"fact"')], 3),
        (lambda lines: [*lines[:2], lines[2].replace('"facts": {}', '"facts": [1]')], 3),
        (lambda lines: [*lines[:2], lines[2].replace('"shop-1"', "7")], 3),
        (lambda lines: [*lines[:2], lines[2].replace("shop-1", r"\ud800")], 3),
        (lambda lines: [*lines[:2], "[" * 100_000], 3),
    ],
)
def test_a_changed_line_is_told_with_its_number(
    three: Path, change: Callable[[list[str]], list[str]], told: int
) -> None:
    lines = change(three.read_text("utf-8").splitlines())
    three.write_text("".join(f"{each}\n" for each in lines), "utf-8")
    journal = Journal(three, FakeClock())
    expected = f"journal.jsonl:{told}: this line, or the one before it, was changed"
    with pytest.raises(ReleaseError) as refused:
        journal.entries()
    assert refused.value.message == expected
    with pytest.raises(GateClosed) as closed:
        journal.is_whole()
    assert closed.value.message == f"journal: {expected}"
    assert closed.value.hint == refused.value.hint


def test_a_line_that_is_no_text_any_more_is_told_with_its_number(three: Path) -> None:
    three.write_bytes(three.read_bytes().replace(b"ready", b"re\xffdy"))
    with pytest.raises(ReleaseError, match=r"journal\.jsonl:2: this line"):
        Journal(three, FakeClock()).entries()


@pytest.mark.parametrize("kept", [1, 40, -1])
def test_a_torn_last_line_is_cut_off(three: Path, kept: int) -> None:
    whole = Journal(three, FakeClock()).entries()
    with three.open("a", encoding="utf-8") as file:
        file.write(line(3, three)[:kept])
    journal = Journal(three, FakeClock())
    assert journal.entries() == whole
    journal.note("ready", "shop-2")
    assert [entry.subject for entry in journal.entries()] == ["shop-1"] * 3 + ["shop-2"]


def test_a_file_that_is_one_torn_line_is_begun_anew(path: Path) -> None:
    path.write_text('{"time": "2026-11-', "utf-8")
    journal = Journal(path, FakeClock())
    assert journal.entries() == ()
    journal.note("ready", "shop-1")
    assert len(journal.entries()) == 1


def test_what_is_told_may_have_lines_and_letters_of_any_kind(path: Path) -> None:
    journal, text = Journal(path, FakeClock()), "one\ntwo\u2028\x85\x1cthree \N{BEETLE}"
    journal.note("note", text, text=text)
    journal.note("note", text, text=text)
    assert [(one.subject, one.facts) for one in journal.entries()] == [(text, {"text": text})] * 2


def test_what_utf8_cannot_write_is_told_by_a_question_mark(path: Path) -> None:
    journal = Journal(path, FakeClock())
    journal.note("note", "\ud800", text="a \udfff")
    (entry,) = Journal(path, FakeClock()).entries()
    assert (entry.subject, entry.facts) == ("?", {"text": "a ?"})


def test_changes_of_a_killed_run_show_as_open(path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    journal = Journal(path, FakeClock())
    assert [(one.action, one.subject, one.state) for one in journal.entries()] == [
        ("deploy", "shop-1", "begun"),
        ("deploy", "shop-1", "done"),
        ("split traffic", "shop", "begun"),
    ]


KILLED = """
import os, signal, sys
from pathlib import Path
from greenrun.adapters.machine import SystemClock
from greenrun.release.coordination.journal import Journal

journal = Journal(Path(sys.argv[1]), SystemClock())
with journal.change("deploy", "shop-1"):
    pass
with journal.change("split traffic", "shop"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_an_earlier_run_left_open_is_not_this_ones(path: Path) -> None:
    with Journal(path, FakeClock()).change("deploy", "shop-1"):
        later = Journal(path, FakeClock())
        with later.change("roll back", "shop"):
            pass
        later.is_whole()


def test_the_same_change_twice_needs_two_ends(path: Path) -> None:
    journal = Journal(path, FakeClock())
    with journal.change("deploy", "shop-1"):
        with journal.change("deploy", "shop-1"):
            pass
        with pytest.raises(GateClosed, match="got deploy shop-1 without an end"):
            journal.is_whole()
    journal.is_whole()
