"""The guide's program is a whole program."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cloudrun_emulator.cli import cloud

GUIDE = Path(__file__).parents[2] / "docs" / "local-cloud.md"


@pytest.mark.docker
def test_the_program_in_the_guide_runs(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    told = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", told.stdout)


def test_every_option_of_the_command_is_in_the_guide() -> None:
    options = {option for parameter in cloud.params for option in parameter.opts}
    assert {option for option in options if option not in GUIDE.read_text()} == set()
