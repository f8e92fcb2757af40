"""What the documents say is so."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from pytest_bdd.feature import get_feature

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text("utf-8")
LINKED = README + ARCHITECTURE + CONTRIBUTING
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
FEATURES = sorted((ROOT / "features").glob("*.feature"))
NUMBERS = dict(
    zip(("seven", "eight", "nine", "ten", "eleven", "twelve"), range(7, 13), strict=True)
)


@pytest.mark.parametrize("document", [README, ARCHITECTURE, CONTRIBUTING, SECURITY])
def test_a_document_fits_on_one_screen(document: str) -> None:
    assert len(document.splitlines()) <= 60
    assert max(map(len, document.splitlines())) <= 125


@pytest.mark.parametrize("target", re.findall(r"make ([a-z-]+)", README + CONTRIBUTING))
def test_a_command_of_a_document_is_a_target(target: str) -> None:
    assert re.search(rf"(?m)^{target}:", MAKEFILE)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^):#]+)\)", LINKED))
def test_a_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("place", re.findall(r"`([\w/]+(?:\.py|/))`", ARCHITECTURE))
def test_a_place_of_the_architecture_exists(place: str) -> None:
    above = (ROOT, ROOT / "src/greenrun", ROOT / "src/cloudrun_emulator")
    assert any((folder / place).exists() for folder in above)


def test_every_room_of_greenrun_is_in_the_architecture() -> None:
    rooms = {path.name for path in (ROOT / "src/greenrun").iterdir() if path.is_dir()}
    told = {place.split("/")[0] for place in re.findall(r"`([\w/]+/)`", ARCHITECTURE)}
    assert rooms - {"__pycache__"} - told == set()


def test_the_drills_are_counted_right() -> None:
    """A scenario is a drill; of an outline every row is one."""
    features = [get_feature(str(path.parent), path.name) for path in FEATURES]
    scenarios = [found for feature in features for found in feature.scenarios.values()]
    drills = [found for found in scenarios if "drill" in found.tags]
    rows = (sum(len(table.examples) for table in drill.examples) or 1 for drill in drills)
    told = re.search(r"(\w+) drills", CHANGELOG)
    assert told is not None
    assert NUMBERS[told[1]] == sum(rows)


def test_releasing_on_this_machine_exports_all_that_the_local_cloud_prints() -> None:
    variables = r"\b[A-Z_]+_(?:HOST|IP)\b"
    printed = re.findall(variables, (ROOT / "src/cloudrun_emulator/cli.py").read_text("utf-8"))
    guide = (ROOT / "docs/releasing.md").read_text("utf-8")
    assert printed
    assert set(printed) == set(re.findall(variables, guide))


LINKS = [
    (document, link)
    for document in sorted((ROOT / "docs").glob("*.md"))
    for link in re.findall(r"\]\(([^):]+)\)", document.read_text("utf-8"))
]


@pytest.mark.parametrize(("document", "link"), LINKS)
def test_a_link_of_a_guide_leads_to_a_file_or_a_heading(document: Path, link: str) -> None:
    file, _, heading = link.partition("#")
    target = document.parent / file if file else document
    assert target.exists()
    if heading:
        assert heading in headings(target.read_text("utf-8"))


def headings(text: str) -> set[str]:
    """As links name them."""
    found = re.findall(r"(?m)^#+ (.+)$", text)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in found}


def test_the_version_stands_in_one_place() -> None:
    told = re.compile(rf"(?<![\d.]){re.escape(version('greenrun'))}(?![\d.])")
    code = [*ROOT.glob("src/**/*.py"), ROOT / "pyproject.toml", ROOT / "Makefile"]
    found = [path.name for path in code for _ in told.findall(path.read_text("utf-8"))]
    assert found == ["pyproject.toml"]


def test_features_are_read_in_order() -> None:
    numbers = [int(path.name[:2]) for path in FEATURES]
    assert numbers == list(range(1, len(FEATURES) + 1))


def test_a_bare_pytest_can_never_release() -> None:
    assert "testpaths = tests" in (ROOT / "pytest.ini").read_text("utf-8")
