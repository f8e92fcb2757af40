import os
from pathlib import Path

import pytest

from greenrun.plugin.allure import report as allure_report
from greenrun.plugin.allure.report import NoReport


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without Allure, on a machine without Allure."""
    monkeypatch.setenv("PATH", os.pathsep.join(["/usr/bin", "/bin"]))
    return tmp_path


def install(root: Path, script: str) -> None:
    """Put a program in Allure's place."""
    program = root / "node_modules" / ".bin" / "allure"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def write(root: Path) -> Path:
    page = root / "reports" / "report.html"
    allure_report.write(root / "results", page, title="Release of shop", root=root)
    return page


def test_without_allure_it_says_how_to_get_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(root))
    with pytest.raises(NoReport, match=r"^Allure 3 is not installed: greenrun machine report$"):
        write(root)


def test_the_allure_that_the_machine_was_given_is_used(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(root / "cache"))
    install(root / "cache" / "greenrun", "exit 3")
    with pytest.raises(NoReport, match=r"^Allure ended with 3: $"):
        write(root)


def test_what_allure_complains_of_is_passed_on(root: Path) -> None:
    install(root, "echo first >&2; echo 'out of memory' >&2; exit 3")

    with pytest.raises(NoReport, match=r"^Allure ended with 3: out of memory$"):
        write(root)


def test_a_run_without_a_page_is_a_failure(root: Path) -> None:
    install(root, "exit 0")

    with pytest.raises(NoReport, match=r"^Allure wrote no page$"):
        write(root)


def test_the_page_of_the_project_s_own_allure_is_kept(root: Path) -> None:
    install(root, 'while [ "$1" != --output ]; do shift; done; echo "<p>page</p>" >"$2/index.html"')

    assert write(root).read_text() == "<p>page</p>\n"


def test_the_page_does_not_call_home(root: Path) -> None:
    tracker = '<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>'
    install(
        root,
        f'while [ "$1" != --output ]; do shift; done; echo \'<p>{tracker}</p>\' >"$2/index.html"',
    )

    assert write(root).read_text() == "<p></p>\n"
