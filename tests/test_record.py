"""The record tells people and machines the same."""

import json
from pathlib import Path

import pytest

from greenrun import record
from greenrun.errors import GateClosed
from greenrun.release import Release
from tests.conftest import BASELINE, World


def test_a_released_candidate_is_told_whole(release: Release, world: World, tmp_path: Path) -> None:
    release.find_baseline()
    release.build_image()
    release.deploy()
    release.promote()
    written = record.write(release, tmp_path)
    written.is_complete()
    told = json.loads((tmp_path / "release.json").read_text("utf-8"))
    assert (told["outcome"], told["baseline"]) == ("released", BASELINE)
    assert told["candidate"] == release.candidate.name
    assert f"--to-revisions={BASELINE}=100" in told["way_back"]
    assert f"| candidate | {release.candidate.name} |" in str(world.evidence.kept["record"])


def test_a_release_that_was_stopped_early_has_its_record(release: Release, tmp_path: Path) -> None:
    written = record.write(release, tmp_path)
    assert written.outcome == "not released, users served as before"
    written.is_complete()


def test_a_release_without_its_facts_is_no_record(release: Release, tmp_path: Path) -> None:
    release.promoted = True
    with pytest.raises(GateClosed, match="record: got no image, baseline, candidate, way_back"):
        record.write(release, tmp_path).is_complete()
