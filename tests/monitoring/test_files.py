"""MonitoringFiles are written for people to review, and never over what people have edited."""

import subprocess
from pathlib import Path

import pytest

from greenrun.model.plan import MonitoringPlan, Plan
from greenrun.reporting.monitoring import FileOutcome, MonitoringFiles, Objectives, generate_files
from greenrun.reporting.monitoring.objectives import figures
from tests.monitoring.conftest import URL

WANTED = {"rules.yml": "for: 5m\n", "dashboard.json": "{}\n"}
NEXT = {"rules.yml": "for: 10m\n", "dashboard.json": "{}\n"}


@pytest.fixture
def files(tmp_path: Path) -> MonitoringFiles:
    return MonitoringFiles(tmp_path / "monitoring")


def keep(
    files: MonitoringFiles, wanted: dict[str, str], *, overwrite: bool = False
) -> dict[str, FileOutcome]:
    return {kept.path.name: kept.outcome for kept in files.keep(wanted, overwrite=overwrite)}


def test_what_is_not_there_is_written(files: MonitoringFiles) -> None:
    assert keep(files, WANTED) == dict.fromkeys(WANTED, FileOutcome.WRITTEN)
    assert {name: (files.folder / name).read_text() for name in WANTED} == WANTED


def test_what_is_the_same_is_left_as_it_is(files: MonitoringFiles) -> None:
    keep(files, WANTED)
    before = {path: path.stat().st_mtime_ns for path in files.folder.iterdir()}
    assert keep(files, WANTED) == dict.fromkeys(WANTED, FileOutcome.SAME)
    assert {path: path.stat().st_mtime_ns for path in files.folder.iterdir()} == before


def test_what_a_release_has_written_is_written_anew(files: MonitoringFiles) -> None:
    keep(files, WANTED)
    assert keep(files, NEXT) == {
        "rules.yml": FileOutcome.WRITTEN,
        "dashboard.json": FileOutcome.SAME,
    }
    assert (files.folder / "rules.yml").read_text() == "for: 10m\n"


def test_what_somebody_has_edited_is_left_and_the_difference_told(files: MonitoringFiles) -> None:
    keep(files, WANTED)
    (files.folder / "rules.yml").write_text("for: 7m\n")
    kept, _ = files.keep(NEXT)
    assert (kept.outcome, str(kept)) == (
        FileOutcome.EDITED,
        "rules.yml: edited by hand, and left so",
    )
    assert kept.difference.splitlines()[-2:] == ["-for: 7m", "+for: 10m"]
    assert (files.folder / "rules.yml").read_text() == "for: 7m\n"


def test_an_edit_stays_one_in_every_later_release(files: MonitoringFiles) -> None:
    keep(files, WANTED)
    (files.folder / "rules.yml").write_text("for: 7m\n")
    keep(files, NEXT)
    assert keep(files, WANTED)["rules.yml"] is FileOutcome.EDITED


def test_a_file_of_somebody_else_is_not_taken_over(files: MonitoringFiles) -> None:
    files.folder.mkdir()
    (files.folder / "rules.yml").write_text("theirs\n")
    assert keep(files, WANTED) == {
        "rules.yml": FileOutcome.EDITED,
        "dashboard.json": FileOutcome.WRITTEN,
    }


def test_an_edit_is_overwritten_where_that_is_wished(files: MonitoringFiles) -> None:
    keep(files, WANTED)
    (files.folder / "rules.yml").write_text("for: 7m\n")
    assert keep(files, NEXT, overwrite=True)["rules.yml"] is FileOutcome.OVERWRITTEN
    assert keep(files, NEXT) == dict.fromkeys(NEXT, FileOutcome.SAME)


def test_who_takes_an_edit_back_has_edited_nothing(files: MonitoringFiles) -> None:
    keep(files, WANTED)
    (files.folder / "rules.yml").write_text("for: 7m\n")
    keep(files, NEXT)
    (files.folder / "rules.yml").write_text(WANTED["rules.yml"])
    assert keep(files, NEXT)["rules.yml"] is FileOutcome.WRITTEN


def test_anybody_can_check_what_was_edited(files: MonitoringFiles) -> None:
    def checked() -> int:
        command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
        return subprocess.run(command, cwd=files.folder, check=False).returncode

    keep(files, WANTED)
    assert checked() == 0
    (files.folder / "rules.yml").write_text("for: 7m\n")
    assert checked() == 1


def test_the_same_plan_gives_the_same_files(
    service: Plan, watched: MonitoringPlan, objectives: Objectives
) -> None:
    once, again = (
        generate_files(service, watched, figures(watched, objectives), URL) for _ in range(2)
    )
    assert once == again
    assert list(once) == ["prometheus.yml", "rules.yml", "dashboard.json"]
