"""Healthy releases in a row, as a day in production has them."""

from greenrun.model.objective import Gate, Quantity, Threshold
from greenrun.model.stats import Outcome
from tests.campaign.course import Ending, perform, way
from tests.campaign.running import run
from tests.campaign.shop import Shop

SHOPS, RELEASES = 4, 5
OBJECTIVES = Gate(
    (
        Threshold("error rate", "at most", Quantity(15, "%")),
        Threshold("p95 latency", "at most", Quantity(5000, "ms")),
    )
)


def day(shop_number: int) -> list[tuple[Ending, str, list[Outcome]]]:
    """How each release of a shop went; each takes the place of the one before."""
    with Shop.opened() as (_, shop):
        return [released(shop, f"run-{shop_number}-{number}") for number in range(RELEASES)]


def released(shop: Shop, run_name: str) -> tuple[Ending, str, list[Outcome]]:
    with shop.releasing(run_name) as release:
        outcome = perform(release, way(OBJECTIVES))
        return outcome.ending, outcome.told, [one.outcome for one in release.steps]


def test_twenty_healthy_releases_in_a_row_are_all_released() -> None:
    days = list(run(day, range(SHOPS)))
    healthy = (Ending.RELEASED, "", [Outcome.PASS, Outcome.PASS])
    assert [each for one in days for each in one] == [healthy] * SHOPS * RELEASES
