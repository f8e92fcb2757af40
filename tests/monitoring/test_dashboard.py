"""The dashboard, read back by Grafana's own types."""

import json
from pathlib import Path

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from greenrun.model.plan import MonitoringPlan, Plan
from greenrun.reporting.monitoring.dashboard import dashboard
from greenrun.reporting.monitoring.objectives import Objectives, figures

GOLDEN = Path(__file__).with_name("golden") / "dashboard.json"


@pytest.fixture
def board(service: Plan, watched: MonitoringPlan, objectives: Objectives) -> str:
    return dashboard(service, figures(watched, objectives))


def steps(board: str) -> dict[str, list[tuple[str, float | None]]]:
    """The colours of each panel, from which value on."""
    return {
        panel["title"]: [
            (step["color"], step["value"])
            for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        ]
        for panel in json.loads(board)["panels"]
    }


def test_the_dashboard_is_the_one_that_was_agreed(board: str) -> None:
    assert board == GOLDEN.read_text()


def test_grafanas_own_types_know_every_key_of_it(board: str) -> None:
    """What they do not know they drop: the same JSON comes back only where they know it all."""
    read = Dashboard.from_json(json.loads(board))
    assert json.loads(JSONEncoder().encode(read)) == json.loads(board)


def test_every_panel_shows_the_limits_of_its_figure(board: str) -> None:
    assert steps(board) == {
        "success rate": [("red", None), ("green", 95)],
        "p95 latency": [("green", None), ("red", 800)],
        "cache hit rate": [("red", None), ("green", 40)],
        "errors": [("green", None)],
        "cache size": [("green", None), ("red", 100)],
    }


def test_panels_stand_beside_each_other_and_none_on_another(board: str) -> None:
    places = [panel["gridPos"] for panel in json.loads(board)["panels"]]
    cells = {(place["x"], place["y"]) for place in places}
    assert cells == {(0, 0), (12, 0), (0, 8), (12, 8), (0, 16)}


def test_one_line_is_drawn_for_each_value_of_the_labels(board: str) -> None:
    legends = {
        panel["title"]: panel["targets"][0]["legendFormat"] for panel in json.loads(board)["panels"]
    }
    assert legends["errors"] == "{{path}} {{status}}"
    assert legends["cache size"] == "cache size"
