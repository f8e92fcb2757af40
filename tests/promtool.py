"""Debian's promtool, as setup/promtool leaves it."""

import shutil
import subprocess
from pathlib import Path

UNPACKED = Path(__file__).parents[1] / ".setup" / "prometheus" / "usr" / "bin" / "promtool"


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run it to its end; its own verdict is the exit status."""
    program = shutil.which("promtool") or str(UNPACKED)
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
