"""What is not released is taken back: by itself, after a signal, and by the next run."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.production.production import FAULTY, QUICK, Production

pytestmark = pytest.mark.docker


def test_a_faulty_candidate_is_taken_back(production: Production, baseline: str) -> None:
    ended = production.release(*FAULTY)

    assert ended.status == 1, ended.output
    assert production.serving == {baseline: 100}
    assert ended.record["outcome"] == "not released, users served as before"
    assert ended.record["exit_status"] == 1
    (step,) = ended.record["steps"]
    assert step["verdict"] == "fail"
    assert "candidate requests took over" in step["judged"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_release_is_taken_back_at_once(
    number: signal.Signals, production: Production, baseline: str
) -> None:
    with production.releasing(*QUICK) as run:
        run.await_entry("split traffic")
        run.process.send_signal(number)
        ended = run.end()

    assert ended.status == 2, ended.output
    assert production.serving == {baseline: 100}


def test_a_release_that_slept_goes_on(production: Production, baseline: str) -> None:
    with production.releasing(*QUICK) as run:
        run.await_entry("deploy")
        run.sleep()
        ended = run.end()

    assert ended.status == 0, ended.output
    assert production.serving == {ended.record["candidate"]: 100}
    assert ended.record["baseline"] == baseline
    leases = [one for one in production.journal()[run.earlier :] if one["action"] == "lease"]
    assert len(leases) == 2


def test_a_killed_release_is_taken_back_by_the_next(production: Production, baseline: str) -> None:
    with production.releasing(*QUICK) as run:
        run.await_entry("split traffic")
        run.kill()
    assert production.serving != {baseline: 100}
    left = production.candidate_of(run)

    ended = production.release()

    assert ended.status == 0, ended.output
    assert f"found an unfinished release ({left}, users moved); rolling it back" in ended.output
    assert ended.record["baseline"] == baseline
    assert production.serving == {ended.record["candidate"]: 100}


@pytest.mark.usefixtures("baseline")
def test_a_killed_release_can_be_gone_on_with(production: Production) -> None:
    with production.releasing(*QUICK) as run:
        run.await_entry("split traffic")
        run.kill()
    left = production.candidate_of(run)

    ended = production.release(*QUICK, "--resume")

    assert ended.status == 0, ended.output
    assert ended.record["candidate"] == left
    assert production.serving == {left: 100}


def test_what_was_left_can_be_taken_back_at_any_time(production: Production, baseline: str) -> None:
    before = production.service.wanted
    with production.releasing(*QUICK) as run:
        run.await_entry("deploy")
        run.kill()

    ended = production.release("features/07-rollback.feature", "--env=prod", "--no-html")

    assert ended.status == 0, ended.output
    assert "Rolled back on prod" in ended.output
    assert production.serving == {baseline: 100}
    assert production.service.wanted.matches(before)


@pytest.mark.usefixtures("baseline")
def test_two_releases_at_once_are_one(production: Production, tmp_path: Path) -> None:
    elsewhere = replace(production, project=production.project.branch(tmp_path / "elsewhere"))
    with production.releasing(*QUICK) as run:
        run.await_entry("lease", "noted")
        other = elsewhere.release(*QUICK)
        first = run.end()

    assert other.status == 1, other.output
    assert "needs no other release of it" in " ".join(other.output.split()), other.output
    assert first.status == 0, first.output


def test_somebody_elses_change_stops_a_release_and_stays(
    production: Production, baseline: str
) -> None:
    with production.releasing(*QUICK) as run:
        run.await_entry("split traffic")
        production.split_by("alice@example.com", baseline, tag="mine")
        ended = run.end()

    assert ended.status == 10, ended.output
    assert "was changed by alice@example.com" in ended.output
    assert production.service.wanted.tags == {"mine": baseline}
    assert production.serving == {baseline: 100}
