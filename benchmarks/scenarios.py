"""1,000 scenarios of three sentences, with Allure: greenrun against pytest-bdd alone."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

FEATURES, SCENARIOS_EACH, NOUNS, ROUNDS, AIM = 40, 25, 10, 5, 0.5

DEFINITIONS = """
from pytest_bdd import given, parsers, then, when


@given("the {noun} is there", target_fixture="{noun}")
def _():
    return []


@when(parsers.parse("{{count:d}} requests reach the {noun}"))
def _(count, {noun}):
    {noun}.extend(range(count))


@then(parsers.parse("the {noun} has answered {{count:d}} requests"))
def _(count, {noun}):
    assert len({noun}) == count
"""

SCENARIO = """
  Scenario: The {noun} answers {count} requests
    Given the {noun} is there
    When {count} requests reach the {noun}
    Then the {noun} has answered {count} requests
"""

ENGINES = ["-p", "pytest_bdd.plugin", "-p", "allure_pytest.plugin"]
PLAIN = [*ENGINES, "test_features.py", "--alluredir", "reports/allure-results"]
GREENRUN = [*ENGINES, "-p", "greenrun.plugin", "features", "--no-html"]


@dataclass(frozen=True)
class Cost:
    """What one run took, in seconds; `processor` leaves out waiting for disks and for others."""

    wall: float
    processor: float


def main() -> None:
    """Run both in alternation; write all their times and the ratios of the medians."""
    with TemporaryDirectory(prefix="greenrun-scenarios-") as folder:
        write_suite(Path(folder))
        rounds = [
            (cost_of(PLAIN, Path(folder)), cost_of(GREENRUN, Path(folder)))
            for _ in range(1 + ROUNDS)
        ]
    plain, ours = zip(*rounds[1:], strict=True)  # the first one has to compile everything
    say(f"{FEATURES * SCENARIOS_EACH} scenarios of 3 sentences, with Allure results")
    for measure in ("wall", "processor"):
        before = [getattr(cost, measure) for cost in plain]
        now = [getattr(cost, measure) for cost in ours]
        ratio = statistics.median(now) / statistics.median(before)
        say(f"  {measure:<9} pytest-bdd, allure-pytest {shown(before)}")
        say(f"  {measure:<9} greenrun                  {shown(now)}")
        say(f"  {measure:<9} ratio {ratio:.2f} (aim {AIM:.2f} or less)")


def write_suite(folder: Path) -> None:
    """Write features, their step definitions, and the module that pytest-bdd alone needs."""
    nouns = [f"service{number}" for number in range(NOUNS)]
    steps = "".join(DEFINITIONS.format(noun=noun) for noun in nouns)
    (folder / "conftest.py").write_text(steps)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_features.py").write_text(
        "from pytest_bdd import scenarios\n\nscenarios('features')\n"
    )
    (folder / "features").mkdir()
    for number in range(FEATURES):
        scenarios = "".join(
            SCENARIO.format(noun=nouns[count % NOUNS], count=count)
            for count in range(SCENARIOS_EACH)
        )
        text = f"Feature: Services answer, part {number}\n{scenarios}"
        (folder / "features" / f"{number:02}.feature").write_text(text)


def cost_of(arguments: Sequence[str], folder: Path) -> Cost:
    """Run pytest once; the run has to be green."""
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    surroundings = os.environ | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
    }
    shutil.rmtree(folder / "reports", ignore_errors=True)
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(  # noqa: S603, this Python
        command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False
    )
    took, after = time.perf_counter() - began, os.times()
    expected = f"{FEATURES * SCENARIOS_EACH} passed"
    if done.returncode or expected not in done.stdout:
        raise SystemExit(f"{' '.join(command)}: needs {expected}, got\n{done.stdout[-2000:]}")
    processor = after.children_user + after.children_system
    return Cost(took, processor - before.children_user - before.children_system)


def shown(times: Sequence[float]) -> str:
    """Each time and their median, in seconds."""
    each = " ".join(f"{seconds:6.2f}" for seconds in times)
    return f"{each} s, median {statistics.median(times):.2f} s"


def say(line: str) -> None:
    """Write a line at once, because a round takes a while."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
