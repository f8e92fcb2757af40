"""Turns Allure results into one HTML file, by Allure 3."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

PATIENCE = timedelta(minutes=2)
HOW_TO_INSTALL = "greenrun machine report"
HISTORY = "history.jsonl"

PLACES = ("parentSuite", "suite", "subSuite", "epic", "feature", "story")
"""Labels that the tree shows already."""

TREE = ("parentSuite", "suite", "subSuite")
"""Labels that the tree is made of: environment, feature, rule."""

CALLS_HOME = re.compile(r'<script async src="https://www\.googletagmanager\.com/[^>]*></script>')
"""Allure has every page tell Google that it was opened."""


class NoReport(Exception):
    """There is no HTML; the message says why, in one line, and the results are still there."""


def write(results: Path, page: Path, *, title: str, root: Path, tree: Sequence[str] = TREE) -> None:
    """Write `page`, by Allure of the project's node_modules, of the user's tools, or on the PATH.

    `tree` names the labels that group its results. Raises NoReport.
    """
    places = [str(one / "node_modules" / ".bin") for one in (root, tools_of_user())]
    program = shutil.which("allure", path=os.pathsep.join([*places, os.environ.get("PATH", "")]))
    if not program:
        raise NoReport(f"Allure 3 is not installed: {HOW_TO_INSTALL}")
    with TemporaryDirectory(prefix="greenrun-report-") as folder:
        looks = ["--name", title, "--group-by", ",".join(tree)]
        memory = ["--history-path", str(page.with_name(HISTORY))]
        _run(_command(program, results, Path(folder), [*looks, *memory]))
        made = Path(folder) / "index.html"
        if not made.exists():
            raise NoReport("Allure wrote no page")
        written = made.read_text(encoding="utf-8")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(CALLS_HOME.sub("", written), encoding="utf-8")


def tools_of_user() -> Path:
    """The folder of what `greenrun machine` installs for whoever uses it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "greenrun"


def _command(program: str, results: Path, folder: Path, options: Sequence[str]) -> list[str]:
    hidden = [part for label in PLACES for part in ("--hide-labels", label)]
    page = ["--single-file", "--output", str(folder)]
    return [program, "awesome", str(results), *page, *options, *hidden]


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603, the program was looked up, the rest is ours
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE.total_seconds(),
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired as error:
        raise NoReport(f"Allure took over {PATIENCE.total_seconds():g} s") from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise NoReport(f"Allure ended with {done.returncode}: {' '.join(last)}")
