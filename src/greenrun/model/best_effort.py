"""What is nice to have: its failure is told once, and stops nothing that users wait for."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_LOG = logging.getLogger("greenrun")
_TOLD: set[str] = set()


@contextmanager
def best_effort(task: str) -> Iterator[None]:
    """Keep any exception of the block from whoever called, and log it, once in the same words.

    For evidence, progress and charts: a full disk or a closed terminal is no reason to leave users
    where they are. KeyboardInterrupt and its like go through.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, it stops nothing
        told = f"could not {task}: {type(error).__name__}: {error}"
        if told not in _TOLD:
            _TOLD.add(told)
            _LOG.warning(told)
