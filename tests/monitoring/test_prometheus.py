"""What Prometheus itself says of the files that are generated for it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from greenrun.model.plan import MonitoringPlan, Plan
from greenrun.reporting.monitoring.objectives import Objectives, figures
from greenrun.reporting.monitoring.prometheus import alert_rules, scrape_job
from greenrun.reporting.monitoring.promql import expression
from tests.monitoring.conftest import URL
from tests.promtool import promtool

GOLDEN = Path(__file__).with_name("golden")


@pytest.fixture
def rules(service: Plan, watched: MonitoringPlan, objectives: Objectives) -> str:
    return alert_rules(service, watched, figures(watched, objectives))


def test_the_scrape_job_is_the_one_that_was_agreed(service: Plan, watched: MonitoringPlan) -> None:
    assert scrape_job(service, watched, URL) == (GOLDEN / "prometheus.yml").read_text()


def test_the_rules_are_those_that_were_agreed(rules: str) -> None:
    assert rules == (GOLDEN / "rules.yml").read_text()


def test_prometheus_takes_the_scrape_job(
    service: Plan, watched: MonitoringPlan, tmp_path: Path
) -> None:
    """The file with the token is looked for, too; the token itself is in no file of ours."""
    token = tmp_path / "shop.token"
    token.write_text("hunter2")
    job = scrape_job(service, replace(watched, credentials_file=str(token)), URL)
    assert "hunter2" not in job

    (tmp_path / "prometheus.yml").write_text(job)
    checked = promtool("check", "config", str(tmp_path / "prometheus.yml"))
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_service_that_asks_for_no_token_is_sent_none(
    service: Plan, watched: MonitoringPlan, tmp_path: Path
) -> None:
    job = scrape_job(service, replace(watched, credentials_file=""), "http://127.0.0.1:8080")
    assert "authorization" not in job
    assert "scheme: http\n" in job
    assert "- 127.0.0.1:8080\n" in job

    (tmp_path / "prometheus.yml").write_text(job)
    assert promtool("check", "config", str(tmp_path / "prometheus.yml")).returncode == 0


def test_a_target_of_its_own_is_asked_over_https(service: Plan, watched: MonitoringPlan) -> None:
    job = scrape_job(service, replace(watched, target="shop.example.com"), "http://127.0.0.1:80")
    assert "scheme: https\n" in job
    assert "- shop.example.com\n" in job


def test_prometheus_takes_the_rules(rules: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(rules)
    checked = promtool("check", "rules", "--lint-fatal", str(tmp_path / "rules.yml"))
    assert checked.returncode == 0, checked.stderr
    assert "4 rules found" in checked.stdout


def test_prometheus_takes_the_expression_of_every_panel(
    watched: MonitoringPlan, tmp_path: Path
) -> None:
    """Grafana fills in the window of a panel; here it is a minute."""
    records = [
        {"record": f"panel:{number}", "expr": expression(figure, "shop", "1m")}
        for number, figure in enumerate(watched.figures)
    ]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": records}]}))
    checked = promtool("check", "rules", str(file))
    assert checked.returncode == 0, checked.stderr
    assert "5 rules found" in checked.stdout


def played(errors: int, minute: int, *, fires: bool) -> str:
    """A test of promtool's: 100 requests a minute, so many of them errors, and what fires when."""
    given = {"200": 100 - errors, "500": errors}
    series = [
        {
            "series": f'requests_total{{job="shop", instance="a", status="{status}"}}',
            "values": f"0+{count}x40",
        }
        for status, count in given.items()
    ]
    others = {
        "series": 'requests_total{job="another", instance="b", status="500"}',
        "values": "0+100x40",
    }
    firing = {
        "exp_labels": {
            "severity": "warning",
            "service": "shop",
            "environment": "prod",
            "project": "shop-project",
            "region": "europe-west1",
        },
        "exp_annotations": {
            "summary": "success rate of shop is too low",
            "description": f"got {100 - errors} %, needs at least 95 %",
        },
    }
    expected = {
        "eval_time": f"{minute}m",
        "alertname": "ShopSuccessRateTooLow",
        "exp_alerts": [firing] if fires else [],
    }
    test = {
        "interval": "1m",
        "input_series": [*series, others],
        "alert_rule_test": [expected],
    }
    return json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]})


@pytest.mark.parametrize(
    ("errors", "minute", "fires"), [(6, 11, True), (6, 4, False), (5, 30, False), (4, 30, False)]
)
def test_more_than_5_percent_of_errors_for_5_minutes_fires_and_nothing_less(
    rules: str, tmp_path: Path, errors: int, minute: int, *, fires: bool
) -> None:
    (tmp_path / "rules.yml").write_text(rules)
    (tmp_path / "test.yml").write_text(played(errors, minute, fires=fires))
    told = promtool("test", "rules", str(tmp_path / "test.yml"))
    assert told.returncode == 0, told.stdout + told.stderr
