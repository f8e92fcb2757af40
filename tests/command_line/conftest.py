"""The command line as whoever types it sees it, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Ran = subprocess.CompletedProcess[str]
Greenrun = Callable[..., Ran]


@pytest.fixture
def greenrun(tmp_path: Path) -> Greenrun:
    """`greenrun ARGUMENTS...` in a folder of its own, or in `at`; the rest are variables."""

    def run(*arguments: str, at: Path = tmp_path, **variables: str) -> Ran:
        return subprocess.run(
            [sys.executable, "-m", "greenrun_cli", *arguments],
            cwd=at,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run
