"""Figures as Prometheus computes them.

Source: https://prometheus.io/docs/prometheus/latest/querying/basics/
"""

import json
import re
from collections.abc import Iterable

from greenrun.model.monitoring import Figure, Level, Quantile, Rate, Share

_NAME = re.compile(r"[^{]+")


def expression(figure: Figure, job: str, window: str) -> str:
    """A figure over the last `window` (`5m`), of all targets of one scrape job."""
    match figure.reading:
        case Share(part, whole):
            total = _sum_of_rates(whole, job, window)
            return f"100 * {_sum_of_rates(part, job, window)} / {total}"
        case Quantile(histogram, level):
            buckets = _selector(histogram, job, suffix="_bucket")
            return f"1000 * histogram_quantile({level:g}, sum by (le) (rate({buckets}[{window}])))"
        case Rate(counter, by):
            lines = f"sum by ({', '.join(by)})" if by else "sum"
            return f"{lines} (rate({_selector(counter, job)}[{window}]))"
        case Level(gauge):
            return f"max({_selector(gauge, job)})"


def metric(selector: str) -> str:
    """The metric that a selector names: `requests` of `requests{status="200"}`."""
    found = _NAME.match(selector)
    return found[0] if found else selector


def _sum_of_rates(counters: Iterable[str], job: str, window: str) -> str:
    terms = [f"sum(rate({_selector(counter, job)}[{window}]))" for counter in counters]
    return terms[0] if len(terms) == 1 else f"({' + '.join(terms)})"


def _selector(selector: str, job: str, suffix: str = "") -> str:
    name = metric(selector)
    others = selector.removeprefix(name).strip("{}")
    matchers = ", ".join(filter(None, (f"job={json.dumps(job)}", others)))
    return f"{name}{suffix}{{{matchers}}}"
