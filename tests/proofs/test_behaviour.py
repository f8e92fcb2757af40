"""What no single answer shows: sessions, conversations, metrics, memory."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from greenrun.errors import GateClosed
from greenrun.ports import Answer, Probe
from greenrun.probing import Prober
from greenrun.proofs import behaviour
from greenrun.proofs.behaviour import Analysis
from greenrun.release import Release
from tests.conftest import World

METRICS = """# TYPE memory_analysis_requests_total counter
memory_analysis_requests_total{outcome="completed"} 3
memory_analysis_requests_total{outcome="skipped"} 1
# TYPE concept_recall gauge
concept_recall 0.5
"""


@pytest.fixture
def deployed(release: Release) -> Release:
    release.claim()
    release.find_baseline()
    release.build_image()
    release.deploy()
    return release


def answers(world: World, path: str, body: str, status: int = 200) -> None:
    world.web.answers[f"/candidate{path}"] = Answer(status, {}, body, timedelta(milliseconds=1))


def test_metrics_are_parsed_and_summed_over_their_labels(deployed: Release, world: World) -> None:
    answers(world, "/api/metrics", METRICS)
    assert behaviour.scrape(deployed) == {"memory_analysis_requests": 4, "concept_recall": 0.5}
    behaviour.metric_families(deployed, 2, ["memory_analysis_", "concept_recall"])


@pytest.mark.parametrize(
    ("fewest", "named"), [(3, ["concept_recall"]), (2, ["memory_preferences_"])]
)
def test_families_that_are_missing(
    deployed: Release, world: World, fewest: int, named: Sequence[str]
) -> None:
    answers(world, "/api/metrics", METRICS)
    with pytest.raises(GateClosed, match="metrics: got 2 families"):
        behaviour.metric_families(deployed, fewest, named)


def test_what_is_no_prometheus_text(deployed: Release, world: World) -> None:
    answers(world, "/api/metrics", "<html>{")
    with pytest.raises(GateClosed, match="needs Prometheus text"):
        behaviour.scrape(deployed)


def test_the_same_answer_in_a_session_is_no_filter(deployed: Release, world: World) -> None:
    answers(world, "/costs", "{}")
    with pytest.raises(GateClosed, match="and the same body"):
        behaviour.session_is_apart(deployed, "/costs", "s")


def test_a_session_is_apart_when_it_is_answered_otherwise(deployed: Release, world: World) -> None:
    answers(world, "/costs", "everybody")
    asked = world.web.ask

    class Filtering:
        def ask(self, probe: Probe) -> Answer:
            answer = asked(probe)
            alone = probe.headers.get("X-Session-Id") == "s"
            return Answer(200, {}, "alone", answer.latency) if alone else answer

        converse = world.web.converse

    world.web = Filtering()  # type: ignore[assignment]  # another web for the same world
    deployed.prober = Prober(world.roles, {"a user": {}})
    behaviour.session_is_apart(deployed, "/costs", "s")


def test_a_conversation_is_answered(deployed: Release) -> None:
    behaviour.converses(deployed, "/ws/s", "hello")


def test_counters_that_did_not_move_are_named() -> None:
    analysis = Analysis(["completed", "skipped"], {"asked": 1, "hits": 1}, {"asked": 3, "hits": 1})
    analysis.answered("completed", "skipped")
    analysis.moved(["asked_total"])
    with pytest.raises(GateClosed, match="hits_total did not move"):
        analysis.moved(["asked_total", "hits_total"])
    with pytest.raises(GateClosed, match="needs \\('completed', 'completed'\\)"):
        analysis.answered("completed", "completed")
