"""Runs the benchmarks, or those that are named, and ends with a table of them."""

import argparse
from importlib import import_module

from benchmarks.figures import Figure, say, table

MODULES = {
    "own_time": "benchmarks.own_time",
    "shell": "benchmarks.shell",
    "rollback": "benchmarks.rollback",
    "load": "benchmarks.load",
    "ingress": "benchmarks.ingress",
    "endpoints": "benchmarks.endpoints",
    "scenarios": "benchmarks.many_scenarios",
    "verdict": "benchmarks.verdict",
}


def main() -> None:
    """Each by itself, one after the other; each says what it found as it goes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MODULES)}")
    names = parser.parse_args().names or list(MODULES)
    if unknown := [name for name in names if name not in MODULES]:
        parser.error(f"got {', '.join(unknown)}, needs some of {', '.join(MODULES)}")
    say(f"\n{table([figure for name in names for figure in measured(name)])}")


def measured(name: str) -> list[Figure]:
    """What one benchmark finds."""
    benchmark = import_module(MODULES[name])
    promise, _, _ = (benchmark.__doc__ or "").partition("\n")
    say(f"\n{name}: {promise}")
    return list(benchmark.measure())


if __name__ == "__main__":
    main()
