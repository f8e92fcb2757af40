"""1,000 scenarios of three sentences, with Allure: greenrun against pytest-bdd alone."""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import scenarios
from benchmarks.figures import Figure, middle, of_medians, say


def measure() -> list[Figure]:
    """The rounds of benchmarks.scenarios, as lines of the table."""
    with TemporaryDirectory(prefix="greenrun-scenarios-") as folder:
        suite = Path(folder)
        scenarios.write_suite(suite)
        rounds = [_round(suite) for _ in range(1 + scenarios.ROUNDS)]
    plain, ours = zip(*rounds[1:], strict=True)  # the first one has to compile everything
    return [_figure(name, ours, plain) for name in ("wall", "processor")]


def _round(suite: Path) -> tuple[scenarios.Cost, scenarios.Cost]:
    plain = scenarios.cost_of(scenarios.PLAIN, suite)
    ours = scenarios.cost_of(scenarios.GREENRUN, suite)
    say(f"  greenrun {ours.wall:.2f} s, pytest-bdd with allure-pytest {plain.wall:.2f} s")
    return plain, ours


def _figure(
    name: str, ours: tuple[scenarios.Cost, ...], plain: tuple[scenarios.Cost, ...]
) -> Figure:
    now, before = ([getattr(cost, name) for cost in costs] for costs in (ours, plain))
    return Figure(
        benchmark=f"scenarios, {name} time",
        measured=middle(now, "s"),
        against=f"pytest-bdd {middle(before, 's')}",
        ratio=of_medians(now, before),
        aim=f"{scenarios.AIM:.2f} or less" if name == "wall" else "",
    )
