"""Evidence that goes with a closed gate: what the revision said at the time."""

from collections.abc import Iterator
from contextlib import contextmanager

from greenrun.model.errors import GateClosed
from greenrun.release.release import Release


@contextmanager
def witness(release: Release, revision: str) -> Iterator[None]:
    """Keep the log of a revision where the gate closes on it."""
    try:
        yield
    except GateClosed:
        log = release.dependencies.logs.of_revision(revision)
        release.dependencies.evidence.attach(f"log of {revision}", "\n".join(map(str, log)))
        raise
