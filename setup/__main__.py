"""Brings what a rehearsal needs to this machine: `python -m greenrun.setup [PART...]`."""

import os
import subprocess
import sys
from pathlib import Path

from greenrun.plugin.allure.report import tools_of_user

PARTS = ("engine", "base-image", "browser", "report")


def main() -> int:
    """Run the parts in turn, for the folder at hand, until one fails; return its exit status.

    Nothing is left in that folder: it is somebody's repository.
    """
    here, tools = Path(__file__).parent, str(tools_of_user())
    variables = {**os.environ, "PYTHON": sys.executable, "GREENRUN_TOOLS": tools}
    for part in sys.argv[1:] or PARTS:
        ended = subprocess.run(["bash", here / part], env=variables, check=False)  # noqa: S603, S607 - ours
        if ended.returncode:
            return ended.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
