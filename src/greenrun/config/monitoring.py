"""The keys of release.yaml that say what watches the service after its release."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Self

from pydantic import field_validator, model_validator

from greenrun.config import values as are
from greenrun.config.values import LEFT_OUT, NONE, REQUIRED, Section, accepts, written
from greenrun.model import forms
from greenrun.model.forms import HOUR, Form
from greenrun.model.monitoring import ALERTABLE, Figure, Level, Quantile, Rate, Reading, Share
from greenrun.model.plan import MonitoringPlan

_METRIC = r"[a-zA-Z_:][a-zA-Z0-9_:]{0,199}"
_LABEL = r"[a-zA-Z_][a-zA-Z0-9_]{0,99}"
_MATCHER = rf'{_LABEL} ?(=~|!~|!=|=) ?"(\\.|[^"\\\n])*"'
_SELECTOR = forms.text(
    rf"{_METRIC}(\{{({_MATCHER}(, ?{_MATCHER})*)?\}})?",
    'a metric of the service, such as http_requests_total or http_requests_total{status="200"}',
)
_FIGURE_NAME = forms.text(r"[A-Za-z][A-Za-z0-9 _-]{0,62}", "what is shown, in words (`cache size`)")
_LABEL_NAME = forms.text(_LABEL, "a label")
_HOST = forms.text(
    r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(:[0-9]{1,5})?",
    "HOST or HOST:PORT, such as app.example.com",
)
_FILE = forms.text(r"[^\x00-\x1f\x7f]{1,1023}", "the path of a file where Prometheus runs")
_MINUTE = timedelta(minutes=1)
_KINDS = "one of: share with of, quantile with histogram, rate, gauge"


def _selectors(value: object) -> tuple[str, ...] | None:
    named: list[object] = value if isinstance(value, list) else [value]
    fitting = tuple(str(one) for one in named if _SELECTOR.fits(one))
    return fitting if fitting and len(fitting) == len(named) else None


def _minutes(value: object) -> timedelta | None:
    meant = forms.parse_duration(value)
    return meant if meant and not meant % _MINUTE and meant <= 23 * HOUR else None


def _alertable(values: Sequence[object]) -> bool:
    return len(set(map(str, values))) == len(values) and all(one in ALERTABLE for one in values)


Selector = Annotated[str, accepts(_SELECTOR)]
Selectors = Annotated[
    tuple[str, ...], accepts(Form(f"{_SELECTOR.needs}, or a list of such", _selectors))
]
Labels = Annotated[
    tuple[str, ...], accepts(forms.several("a list of labels, such as [status]", _LABEL_NAME))
]
FigureName = Annotated[str, accepts(_FIGURE_NAME)]
Alerts = Annotated[
    tuple[str, ...],
    accepts(forms.sequence(f"a list of {', '.join(ALERTABLE)}, each at most once", _alertable)),
]
Lasting = Annotated[
    timedelta, accepts(Form("a duration in whole minutes from 1m to 23h, such as 5m", _minutes))
]


class FigureSection(Section):
    """A figure of the service's own metrics; its limits stand in the features."""

    share: Selectors | None = LEFT_OUT
    of: Selectors | None = LEFT_OUT
    quantile: Annotated[float, accepts(forms.number(0, 1))] | None = LEFT_OUT
    histogram: Selector | None = LEFT_OUT
    rate: Selector | None = LEFT_OUT
    by: Labels | None = LEFT_OUT
    gauge: Selector | None = LEFT_OUT

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        _ = self.reading
        return self

    @property
    def reading(self) -> Reading:
        """Raises ValueError for keys of no kind, or of more than one."""
        said = set(self.model_fields_set) - {"by"}
        if self.by is not None and said != {"rate"}:
            raise ValueError("`by` beside `rate` only")
        if said == {"share", "of"} and self.share and self.of:
            return Share(self.share, self.of)
        if said == {"quantile", "histogram"} and self.quantile is not None and self.histogram:
            return Quantile(self.histogram, self.quantile)
        if said == {"rate"} and self.rate:
            return Rate(self.rate, self.by or ())
        if said == {"gauge"} and self.gauge:
            return Level(self.gauge)
        raise ValueError(_KINDS)


class MonitoringSection(Section):
    """Dashboards and alerts of the service once it is released."""

    folder: are.RelativePath = "monitoring"
    metrics_path: are.ProbePath = "/metrics"
    scrape_interval: are.Duration = written("30s")
    credentials_file: Annotated[str, accepts(_FILE)] = NONE
    target: Annotated[str, accepts(_HOST)] = NONE
    figures: Mapping[FigureName, FigureSection] = REQUIRED
    alerts: Alerts = written(["error rate", "p99 latency"])
    alert_after: Lasting = written("5m")
    overwrite: are.Flag = False

    @field_validator("figures")
    @classmethod
    def _something_is_shown(
        cls, figures: Mapping[str, FigureSection]
    ) -> Mapping[str, FigureSection]:
        if not figures:
            raise ValueError("at least one figure")
        return figures

    def plan(self) -> MonitoringPlan:
        return MonitoringPlan(
            figures=tuple(Figure(name, section.reading) for name, section in self.figures.items()),
            folder=self.folder,
            metrics_path=self.metrics_path,
            scrape_interval=self.scrape_interval,
            credentials_file=self.credentials_file,
            target=self.target,
            alerts=self.alerts,
            alert_after=self.alert_after,
            overwrite=self.overwrite,
        )
