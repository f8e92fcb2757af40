"""The journal survives, shows what is open, and shows when it was changed."""

from pathlib import Path

import pytest

from greenrun.errors import GateClosed
from greenrun.journal import Journal
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


def test_an_edited_line_shows(path: Path) -> None:
    journal = Journal(path, FakeClock())
    with journal.change("deploy", "shop-1"):
        pass
    path.write_text(path.read_text("utf-8").replace("shop-1", "shop-2", 1), "utf-8")
    with pytest.raises(GateClosed, match=r"journal\.jsonl:2: the line before it was changed"):
        journal.is_whole()


def test_what_an_earlier_run_left_open_is_not_this_ones(path: Path) -> None:
    with Journal(path, FakeClock()).change("deploy", "shop-1"):
        later = Journal(path, FakeClock())
    with later.change("roll back", "shop"):
        pass
    later.entries()
