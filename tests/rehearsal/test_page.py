"""The page of a rehearsal, as its reader meets it in a browser."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.rehearsal.project import Ended

expect.set_options(timeout=30_000)  # a page of megabytes on a machine that may be busy

pytestmark = pytest.mark.docker

QUIETLY = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-quic", "--no-first-run"),
)
FEATURES = (
    "Nothing starts on a doubt",
    "One image, built once",
    "The schema moves first, and old code survives it",
    "The candidate stands beside the baseline, unseen by users",
    "The candidate answers as its users expect",
    "Users move to the candidate a share at a time",
    "The way back",
    "What was done is written down",
)


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """What the browser says of the page, and what the page wants of the network."""
    return []


@pytest.fixture(scope="module")
def page(green: Ended, complaints: list[str]) -> Iterator[Page]:
    """The report of a green rehearsal, just opened."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(QUIETLY)
        )
        page = chromium.new_page(viewport={"width": 1500, "height": 1100})
        page.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
        page.on("request", lambda request: complaints.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address := (green.project.reports / "report.html").as_uri())
        complaints.remove(address)
        yield page
        chromium.close()


def test_its_features_are_there_at_first_sight(page: Page, green: Ended) -> None:
    expect(page.get_by_text("Rehearsal of emergence-app").first).to_be_visible()
    for feature in FEATURES:
        expect(page.get_by_text(feature, exact=True)).to_be_visible()
    page.screenshot(path=green.project.reports / "opened.png")


def test_scenarios_sentences_and_evidence_can_be_opened(
    page: Page, green: Ended, complaints: list[str]
) -> None:
    page.get_by_text("The candidate stands beside the baseline, unseen by users").click()
    page.get_by_text("The candidate is what was asked for").click()
    expect(page.get_by_text("And no variable of the baseline is lost")).to_be_visible()
    page.get_by_text("And the candidate has every setting that release.yaml names").click()
    page.get_by_text("settings compared").click()
    expect(page.get_by_text("sqlite:////data/emergence.db").first).to_be_visible()
    page.screenshot(path=green.project.reports / "evidence.png")
    assert complaints == []
