"""One run of features at a time in a directory: its report and its journals are shared."""

import fcntl
import os
from collections.abc import Iterator
from functools import partial

import pytest


def acquire_lock(config: pytest.Config) -> Iterator[str]:
    """Hold the directory until this process has ended, however it ends; complain where it is held.

    The directory itself is locked, so that nothing is left behind.
    """
    held = os.open(config.rootpath, os.O_RDONLY | os.O_CLOEXEC)
    config.add_cleanup(partial(os.close, held))
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield "another run of features is under way in this directory"
        yield "wait for its end, or stop it (`pgrep -af pytest` tells which): it takes users back"
