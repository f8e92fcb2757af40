"""Charts by matplotlib, which is imported when the first is drawn: that takes half a second."""

from collections.abc import Sequence

from greenrun.model.canary_step import CanaryStep
from greenrun.model.interfaces import Chart


class MatplotlibCharts:
    """Draws SVG: text stays text, and the same figures make the same bytes."""

    def of_canary(self, steps: Sequence[CanaryStep]) -> Sequence[Chart]:
        """Evidence, latencies and traffic; a chart for which nothing was counted is left out."""
        from greenrun.reporting.charts import evidence, latencies, traffic  # noqa: PLC0415 - most runs draw nothing

        drawn = {
            "canary: evidence over time": evidence.drawn(steps),
            "canary: latencies of both revisions": latencies.drawn(steps),
            "canary: traffic over time": traffic.drawn(steps),
        }
        return [Chart(name, svg) for name, svg in drawn.items() if svg]
