"""Prometheus' files: how the service is scraped, and when people are alerted by it.

Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

from greenrun.model.monitoring import Figure
from greenrun.model.objective import Threshold
from greenrun.model.plan import MonitoringPlan, Plan
from greenrun.reporting.monitoring.promql import expression

_WINDOW = "5m"
_BEYOND = {"at most": (">", "too high"), "at least": ("<", "too low")}


def scrape_job(plan: Plan, monitoring: MonitoringPlan, url: str) -> str:
    """A file that is a configuration by itself, or one of another's `scrape_config_files`.

    `url` is where the platform serves. The bearer token is in a file of Prometheus' machine.
    """
    service = urlsplit(url)
    job: dict[str, Any] = {
        "job_name": plan.service,
        "scheme": "https" if monitoring.target else service.scheme,
        "metrics_path": monitoring.metrics_path,
        "scrape_interval": _duration(monitoring.scrape_interval),
    }
    if monitoring.credentials_file:
        job["authorization"] = {
            "type": "Bearer",
            "credentials_file": monitoring.credentials_file,
        }
    target = monitoring.target or service.netloc
    job["static_configs"] = [{"targets": [target], "labels": labels(plan)}]
    return _yaml({"scrape_configs": [job]})


def alert_rules(plan: Plan, monitoring: MonitoringPlan, figures: Sequence[Figure]) -> str:
    """A rule for each limit of a figure; without any, a file without rules."""
    rules = [
        _rule(plan, monitoring, figure, threshold)
        for figure in figures
        for threshold in figure.thresholds
    ]
    return _yaml({"groups": [{"name": plan.service, "rules": rules}]})


def labels(plan: Plan) -> Mapping[str, str]:
    """What tells the service's series from those of others."""
    return {
        "service": plan.service,
        "environment": plan.environment,
        "project": plan.place.project,
        "region": plan.place.region,
    }


def _rule(
    plan: Plan, monitoring: MonitoringPlan, figure: Figure, threshold: Threshold
) -> Mapping[str, Any]:
    sign, word = _BEYOND[threshold.relation]
    unit = f" {threshold.limit.unit}".rstrip()
    seen = f'{{{{ $value | printf "%.4g" }}}}{unit}'
    return {
        "alert": "".join(_words(plan.service, figure.name, word)),
        "expr": f"{expression(figure, plan.service, _WINDOW)} {sign} {threshold.limit.value:.10g}",
        "for": _duration(monitoring.alert_after),
        "labels": {"severity": "warning", **labels(plan)},
        "annotations": {
            "summary": f"{figure.name} of {plan.service} is {word}",
            "description": f"got {seen}, needs {threshold.relation} {threshold.limit}",
        },
    }


def _words(*texts: str) -> Iterator[str]:
    for text in texts:
        for word in text.replace("-", " ").replace("_", " ").split():
            yield word[:1].upper() + word[1:]


def _duration(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"


def _yaml(content: object) -> str:
    from ruamel.yaml import YAML  # noqa: PLC0415 - takes a while

    yaml, text = YAML(), StringIO()
    yaml.width = 1000
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(content, text)
    return text.getvalue()
