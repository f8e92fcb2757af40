"""A Grafana dashboard with a panel for each figure, its limits drawn in."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DatasourceVariable,
    ThresholdsConfig,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.timeseries import Panel
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import DataSourceRef, ThresholdsMode
from grafana_foundation_sdk.models.dashboard import Threshold as Step

from greenrun.model.monitoring import Figure, Rate
from greenrun.model.plan import Plan
from greenrun.reporting.monitoring.promql import expression

_WIDTH, _HEIGHT = 12, 8
_UNITS = {"%": "percent", "ms": "ms", "/s": "reqps", "": "short"}
_SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
_GOOD, _BAD = "green", "red"


def dashboard(plan: Plan, figures: Sequence[Figure]) -> str:
    """Its JSON, as Grafana imports it; which Prometheus it reads is chosen there."""
    board = (
        Dashboard(plan.service)
        .uid(f"{plan.service}-{plan.environment}"[:40])
        .description(f"{plan.service} on {plan.environment}, from the objectives of its releases")
        .tags(["greenrun", plan.environment])
        .timezone("browser")
        .refresh("1m")
        .time("now-6h", "now")
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    for number, figure in enumerate(figures, 1):
        board.with_panel(_panel(figure, plan.service).id(number))
    return f"{JSONEncoder(sort_keys=True, indent=2).encode(board.build())}\n"


def _panel(figure: Figure, job: str) -> Panel:
    query = Dataquery().ref_id("A").expr(expression(figure, job, "$__rate_interval"))
    return (
        Panel()
        .title(figure.name)
        .description(_promise(figure))
        .datasource(_SOURCE)
        .unit(_UNITS[figure.reading.unit])
        .min(0)
        .span(_WIDTH)
        .height(_HEIGHT)
        .legend(
            VizLegendOptions()
            .show_legend(bool(_legend(figure)))
            .display_mode(LegendDisplayMode.TABLE)
            .placement(LegendPlacement.BOTTOM)
        )
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .thresholds(
            ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(_steps(figure)),
        )
        .thresholds_style(GraphThresholdsStyleConfig().mode(_style(figure)))
        .with_target(query.legend_format(_legend(figure) or figure.name).datasource(_SOURCE))
    )


def _promise(figure: Figure) -> str:
    limits = (f"needs {one.relation} {one.limit}" for one in figure.thresholds)
    return ", ".join(limits) or "without an objective"


def _steps(figure: Figure) -> list[Step]:
    """Colours from each value on; the first counts from below all others."""
    low = next((one.limit.value for one in figure.thresholds if one.relation == "at least"), None)
    high = next((one.limit.value for one in figure.thresholds if one.relation == "at most"), None)
    steps = [Step(value=None, color=_GOOD if low is None else _BAD)]
    if low is not None:
        steps.append(Step(value=low, color=_GOOD))
    if high is not None:
        steps.append(Step(value=high, color=_BAD))
    return steps


def _style(figure: Figure) -> GraphThresholdsStyleMode:
    drawn = bool(figure.thresholds)
    return GraphThresholdsStyleMode.LINE if drawn else GraphThresholdsStyleMode.OFF


def _legend(figure: Figure) -> str:
    """One line for each value of the labels; empty where there is but one line."""
    by = figure.reading.by if isinstance(figure.reading, Rate) else ()
    return " ".join(f"{{{{{label}}}}}" for label in by)
