"""A process that releases and dies: ADDRESS FOLDER KIND ENTRIES.

It kills itself as soon as the journal has so many more entries; with 0 it lives until it is killed.
"""

import os
import signal
import sys
from pathlib import Path

from greenrun.adapters.machine import SystemClock
from tests.campaign.course import perform
from tests.campaign.mortal import MortalJournal
from tests.campaign.shop import Shop


def main(address: str, folder: str, kind: str, entries: str) -> None:
    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with Shop.at(address, Path(folder)) as shop:
        journal = MortalJournal(Path(folder) / "journal.jsonl", SystemClock(), int(entries), die)
        with shop.releasing("dying", kind, journal) as release:
            outcome = perform(release)
    sys.stdout.write(f"{outcome.ending.value}\n{outcome.told}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
