"""Probes carry an identity, are sampled, and find out who answers."""

from datetime import timedelta

import pytest

from greenrun.errors import DeadlineExceeded, GateClosed, ReleaseError
from greenrun.expectations import read_table
from greenrun.ports import Answer
from greenrun.release import Release
from tests.conftest import BASELINE, World
from tests.fakes import URL


def test_a_latency_is_sampled_and_its_warm_up_left_out(release: Release, world: World) -> None:
    release.prober.verify(URL, read_table([["request", "p95 at most"], ["GET /", "100 ms"]]))
    assert len(world.web.asked) == 6


def test_a_request_without_a_latency_is_sent_once(release: Release, world: World) -> None:
    release.prober.verify(URL, read_table([["request"], ["GET /"]]))
    assert len(world.web.asked) == 1


def test_every_broken_endpoint_is_told_at_once(release: Release, world: World) -> None:
    table = read_table([["request"], ["GET /a"], ["GET /"], ["GET /b"]])
    with pytest.raises(GateClosed) as told:
        release.prober.verify(URL, table)
    assert told.value.message == (
        "GET /a as a user: got status 404, needs 200\nGET /b as a user: got status 404, needs 200"
    )
    assert "GET / as a user" in str(world.evidence.kept["requests and answers"])


def test_an_identity_that_nobody_declared(release: Release) -> None:
    with pytest.raises(ReleaseError, match="got identity 'a ghost', needs one of: a user"):
        release.prober.headers("a ghost")


def test_who_answers_is_asked_of_the_request_log(release: Release, world: World) -> None:
    assert release.prober.answering(URL, "/") == {BASELINE}
    agents = {probe.headers["User-Agent"] for probe in world.web.asked}
    assert len(agents) == 1
    assert len(world.web.asked) == 10


def test_a_request_log_that_stays_empty_has_a_deadline(release: Release, world: World) -> None:
    world.logs.answering = list
    begun = world.clock.now()
    with pytest.raises(DeadlineExceeded, match="last saw: 0 of them"):
        release.prober.answering(URL, "/")
    assert world.clock.now() - begun >= timedelta(seconds=60)


def test_credentials_do_not_show_in_what_is_kept(release: Release, world: World) -> None:
    world.web.answers["/"] = Answer(200, {}, "fine", timedelta(milliseconds=1))
    release.prober.verify(URL, read_table([["request"], ["GET /"]]))
    assert "Bearer x" not in str(world.evidence.kept)
    assert "Bearer x" not in repr(world.web.asked)
