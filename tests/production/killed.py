"""Releases killed at random moments: users are then at the baseline or at a proven candidate."""

import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

import click

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.docker import DockerRuntime
from tests.production.production import QUICK, Production
from tests.registry import registry
from tests.rehearsal.project import Project

WAY_BACK = ("features/07-rollback.feature", "--env=prod", "--no-html")
LONGEST = 12.0  # seconds, about what a release without its rehearsal takes


@dataclass(frozen=True)
class Kill:
    """What came of one: the last that the journal told, and who serves everybody afterwards."""

    after: float
    last: str
    outcome: str

    def __str__(self) -> str:
        return f"killed after {self.after:5.1f} s, at {self.last:<28} {self.outcome}"


def kill_one(production: Production, after: float) -> Kill:
    """Kill a release after so many seconds, and let the next command put things right.

    Raises AssertionError where users are anywhere else than before, or at what was promoted.
    """
    ((baseline, _),) = production.serving.items()
    with production.releasing(*QUICK) as run:
        ended = _wait(run.process.poll, after)
        run.kill()
    entries = production.journal()[run.earlier :]
    last = f"{entries[-1]['action']} {entries[-1]['state']}" if entries else "nothing"
    promoted = [one["subject"] for one in entries if one["action"] == "promoted"]
    if promoted:
        assert production.serving == {promoted[-1]: 100}
        return Kill(after, "its end" if ended else last, "released")
    if not any(one["action"] == "release state" for one in entries):
        assert production.serving == {baseline: 100}
        return Kill(after, last, "not begun")
    back = production.release(*WAY_BACK)
    assert back.status in {0, 1}, back.output
    assert production.serving == {baseline: 100}, back.output
    return Kill(after, last, "restored")


def _wait(ended: object, seconds: float) -> bool:
    """True where it ended by itself before."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if callable(ended) and ended() is not None:
            return True
        time.sleep(0.05)
    return False


def main(count: int) -> None:
    """Print each kill as it is done, and how many came out which way."""
    with (
        TemporaryDirectory() as folder,
        registry() as address,
        LocalCloud(DockerRuntime(), EnvoyIngress()) as cloud,
    ):
        name = f"greenrun-test-{token_hex(4)}/emergence-app"
        project = Project.new(Path(folder, "project"), name)
        with Production.start(project, cloud, address) as production:
            assert production.release().status == 0
            moments = random.Random(count)
            kills = []
            for _ in range(count):
                kills.append(kill_one(production, moments.uniform(0.5, LONGEST)))
                click.echo(str(kills[-1]))
            click.echo(dict(Counter(kill.outcome for kill in kills)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
