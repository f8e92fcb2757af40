"""A process that races for the lock of `web`: ADDRESS PROJECT NAME SECONDS_TO_LIVE.

Says `ready`; starts with a line on its standard input; says `held` or `refused: WHY`; lets go with
the next line, or dies with the lock.
"""

import sys
from contextlib import closing
from datetime import timedelta

from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.adapters.gcp.run.leases import CloudRunLeases
from greenrun.adapters.machine import SystemClock
from greenrun.model.errors import LockHeld
from greenrun.model.plan import Location
from greenrun.release.coordination.lock import Lock
from tests.release.lock.contenders import owner


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main(address: str, project: str, name: str, seconds_to_live: str) -> None:
    with closing(GoogleClients(Endpoints.all_at(address))) as clients:
        place = Location(project, "europe-west1")
        leases = CloudRunLeases(clients, place, "web", lambda: "in-process/echo")
        live = timedelta(seconds=float(seconds_to_live))
        lock = Lock("web", owner(name), leases, SystemClock(), live)
        say("ready")
        sys.stdin.readline()
        try:
            lock.acquire()
        except LockHeld as refusal:
            say(f"refused: {refusal.message}")
            return
        lock.write(f"begun by {name}")
        say("held")
        sys.stdin.readline()
        lock.release()


if __name__ == "__main__":
    main(*sys.argv[1:])
