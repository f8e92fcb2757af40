"""The page by the real Allure, opened in a real browser."""

import re
import shutil
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.plugin.conftest import AFTERWARDS, FORWARD, Suite

expect.set_options(timeout=30_000)  # a page of megabytes on a machine that may be busy
ALLURE = Path(__file__).parents[2] / "node_modules" / ".bin" / "allure"

SECRET = "hunter2hunter2"

STEPS = f"""
from greenrun.plugin.allure.evidence import AllureEvidence
from greenrun.plugin.redaction import keep_secret


def pytest_greenrun_environment(config):
    keep_secret(config, "{SECRET}")
    return {{"service": "shop", "password": "{SECRET}"}}


@then("evidence is kept")
def _(pytestconfig):
    keep_secret(pytestconfig, "{SECRET}")
    AllureEvidence(str).attach("answer", "200 OK {SECRET}")
"""


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


@pytest.fixture
def report(suite: Suite) -> Path:
    if not ALLURE.exists():
        pytest.skip("Allure is not installed: make report")
    (suite.path / "node_modules").symlink_to(ALLURE.parents[1])
    suite.steps(STEPS)
    canary = "The canary holds\n        Then evidence is kept"
    suite.feature("01-forward", FORWARD.replace("The canary holds", canary))
    suite.feature("02-afterwards", AFTERWARDS)
    result = suite.run_with_page("features", "--env=prod")
    assert result.ret == 0
    path = suite.path / "reports" / "report.html"
    result.stdout.fnmatch_lines([f"  report   {path.as_uri()}"])
    return path


def test_the_page_reads_as_gherkin(report: Path, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url))

    page.goto(report.as_uri())
    expect(page.get_by_text("Release of shop to prod").first).to_be_visible()
    page.get_by_text("prod", exact=True).first.click()
    page.get_by_text("Users meet the candidate slowly").last.click()
    page.get_by_text("The canary holds").last.click()

    for sentence in (
        "Then evidence is kept",
        "When 10 % of the traffic reach the candidate",
        "Then all gates hold",
    ):
        expect(page.get_by_text(sentence)).to_be_visible()
    assert [text for text in complaints if not text.startswith(("file:", "data:", "blob:"))] == []


def test_the_page_holds_no_secret(report: Path) -> None:
    written = report.read_text()
    files = [b64decode(data) for data in re.findall(r'd\("[^"]+","([^"]+)"\)', written)]

    assert any(b"200 OK ********" in content for content in files)
    assert [content for content in [written.encode(), *files] if SECRET.encode() in content] == []


def test_without_allure_the_run_ends_as_it_would(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(suite.path))
    suite.feature("01-forward", FORWARD)

    result = suite.run_with_page("features")

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["  report   */reports/allure-results (Allure 3 is not installed: greenrun machine report)"]
    )
