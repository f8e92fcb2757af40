"""A release stands in the archive once, beside all that was there before."""

from dataclasses import replace
from pathlib import Path

import pytest

from greenrun.model.errors import GateClosed
from greenrun.model.plan import RecordPlan
from greenrun.reporting.record.archive import Archive, with_entry
from greenrun.reporting.record.files import text_of
from greenrun.reporting.record.record import AS_BEFORE, Record
from tests.record.samples import RELEASE, STOPPED

PLAN = RecordPlan(folder="docs/deployments", changelogs=("SYNC.md", "notes/for-you.md"))
MARK = "<!-- greenrun: run 20261121-080000-7f3a -->"
OVER = "<!-- greenrun: end of run 20261121-080000-7f3a -->"
AGAIN = replace(RELEASE, run="another")


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(PLAN, tmp_path)


def keep(archive: Archive, record: Record, document: str = "# Told\n") -> Record:
    placed = replace(record, document=archive.place(record))
    archive.keep(placed, document)
    return placed


def files(folder: Path) -> dict[str, str]:
    """Every file below a folder, with its text."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): text_of(path) for path in found}


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (RELEASE, "2026-11-21-deploy-20261121-080000.md"),
        (replace(RELEASE, candidate=""), "2026-11-21-deploy-shop-20261121-075500.md"),
        (STOPPED, "2026-11-21-deploy-080000.md"),
    ],
)
def test_a_record_is_named_for_its_day_and_candidate(
    archive: Archive, record: Record, name: str
) -> None:
    assert archive.place(record) == f"docs/deployments/{name}"


def test_a_record_is_kept_with_its_row_and_its_entries(archive: Archive, tmp_path: Path) -> None:
    placed = replace(RELEASE, document=archive.place(RELEASE))
    kept = archive.keep(placed, "# Told\n\n")
    found = files(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in kept] == [
        placed.document,
        "docs/deployments/README.md",
        "SYNC.md",
        "notes/for-you.md",
    ]
    assert set(found) == {str(path.relative_to(tmp_path)) for path in kept}
    assert found[placed.document] == f"# Told\n\n{MARK}\n"
    assert found["SYNC.md"].startswith(f"{MARK}\n## 2026-11-21 08:00:00 UTC: release of shop")
    assert f"]({placed.document})\n{OVER}\n" in found["SYNC.md"]
    assert f"](../{placed.document})\n{OVER}\n" in found["notes/for-you.md"]
    archive.expect(placed)


def test_writing_it_again_replaces_and_adds_nothing(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "SYNC.md").write_text("people's words")
    keep(archive, RELEASE)
    first = files(tmp_path)
    with (tmp_path / "SYNC.md").open("a") as file:
        file.write("said since\n")
    keep(archive, replace(RELEASE, outcome=AS_BEFORE), "# Told again")
    second = files(tmp_path)
    assert second.keys() == first.keys()
    assert second["docs/deployments/2026-11-21-deploy-20261121-080000.md"] == (
        f"# Told again\n\n{MARK}\n"
    )
    assert second["SYNC.md"] == first["SYNC.md"].replace("Released", AS_BEFORE.capitalize()) + (
        "said since\n"
    )
    index = second["docs/deployments/README.md"]
    assert index == first["docs/deployments/README.md"].replace(" released ", f" {AS_BEFORE} ")


def test_a_second_release_of_the_same_name_gets_a_number(archive: Archive) -> None:
    first, second = keep(archive, RELEASE), keep(archive, AGAIN)
    assert second.document == "docs/deployments/2026-11-21-deploy-20261121-080000-2.md"
    assert [archive.place(RELEASE), archive.place(AGAIN)] == [first.document, second.document]
    archive.expect(first)
    archive.expect(second)


@pytest.mark.parametrize(
    ("notes", "gap"), [("", ""), ("words\n", "\n"), ("words", "\n\n"), ("a\r\nb\r\n", "\r\n")]
)
def test_an_entry_goes_to_the_end_of_notes(notes: str, gap: str) -> None:
    end = "\r\n" if "\r\n" in notes else "\n"
    told = f"{MARK}\n- said\n{OVER}\n".replace("\n", end)
    assert with_entry(notes, RELEASE, "- said\n") == notes + gap + told


def test_bytes_of_no_encoding_survive(archive: Archive, tmp_path: Path) -> None:
    people = b"caf\xe9 \xff\r\n"
    (tmp_path / "SYNC.md").write_bytes(people)
    keep(archive, RELEASE)
    assert (tmp_path / "SYNC.md").read_bytes().startswith(people + b"\r\n<!-- greenrun")


def test_what_tells_nothing_of_a_release_is_named(archive: Archive, tmp_path: Path) -> None:
    placed = keep(archive, RELEASE)
    (tmp_path / "SYNC.md").write_text("somebody has emptied this\n")
    (tmp_path / "docs/deployments/README.md").unlink()
    with pytest.raises(GateClosed, match=r"got nothing of it in SYNC\.md, docs/deployments/README"):
        archive.expect(placed)
