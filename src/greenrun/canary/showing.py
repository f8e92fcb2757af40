"""Charts of a canary in the report, drawn once nobody waits for the way back any more."""

from collections.abc import Sequence

from greenrun.model.canary_step import CanaryStep
from greenrun.model.interfaces import Dependencies, Evidence


class Showing:
    """Remembers beneath which sentence the charts belong; they can be drawn when that is over."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._roles = dependencies
        self._place: Evidence | None = None

    def choose_place(self) -> None:
        """The charts belong beneath what is running now."""
        self._place = self._roles.evidence.here()

    def draw(self, steps: Sequence[CanaryStep]) -> None:
        """Keep the charts there, once; whatever fails in that changes nothing of the release."""
        place, self._place = self._place, None
        if place is None:
            return
        try:
            for chart in self._roles.charts.of_canary(steps):
                place.attach(chart.name, chart.svg, "image/svg+xml")
        except Exception as error:  # noqa: BLE001, see above
            place.attach("charts of the canary", f"could not be drawn: {error!r}")
