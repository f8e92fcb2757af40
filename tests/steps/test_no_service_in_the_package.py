"""The package and its set-up serve anybody: nothing in them knows this repository's service."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORDS = re.compile(
    r"[Ee]mergence\b|costs/summary|\bFAULTS\b|\bMIGRATIONS\b|(?<!/)\bapp/|build_tag|X-Session-Id"
)
DEFAULTS = {"src/greenrun/model/plan.py": ['TAG_FILE = "build_tag.txt"']}
"""What release.yaml may change."""


def test_no_file_of_the_package_or_its_set_up_knows_the_reference_service() -> None:
    files = [path for folder in ("src", "setup") for path in (ROOT / folder).rglob("*")]
    shipped = [path for path in files if path.is_file() and "__pycache__" not in path.parts]
    found = {str(path.relative_to(ROOT)): _lines_about_it(path) for path in shipped}
    assert len(found) > 200
    assert {name: lines for name, lines in found.items() if lines} == DEFAULTS


def _lines_about_it(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text("utf-8").splitlines() if WORDS.search(line)]
