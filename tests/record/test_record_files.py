"""A file is written whole or not at all."""

from pathlib import Path

import pytest

from greenrun.reporting.record import files


def test_a_file_is_made_with_its_folders(tmp_path: Path) -> None:
    files.replace(tmp_path / "a/b/c.md", "told\r\n")
    assert (tmp_path / "a/b/c.md").read_bytes() == b"told\r\n"
    assert names(tmp_path / "a/b") == ["c.md"]


def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "c.md"
    path.write_text("before")
    path.chmod(0o640)
    files.replace(path, "after")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("after", 0o640)


def test_a_link_still_leads_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "real.md").write_text("before")
    (tmp_path / "link.md").symlink_to("real.md")
    files.replace(tmp_path / "link.md", "after")
    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "real.md").read_text() == "after"


def test_whoever_reads_meanwhile_has_the_old_text_whole(tmp_path: Path) -> None:
    path = tmp_path / "c.md"
    path.write_text("before")
    with path.open() as reader:
        files.replace(path, "after")
        assert reader.read() == "before"


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "c.md").mkdir()
    with pytest.raises(OSError, match="directory"):
        files.replace(tmp_path / "c.md", "after")
    assert names(tmp_path) == ["c.md"]


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]
