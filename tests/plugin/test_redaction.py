"""A planted secret is looked for wherever a run leaves something."""

from pathlib import Path

import pytest

from greenrun.plugin.redaction import STARS, Secrets
from tests.plugin.conftest import Suite

SECRET = 'p4ss"w\\rd'

STEPS = f"""
import logging
import sys

import allure
from greenrun.plugin.allure.evidence import AllureEvidence
from greenrun.plugin.redaction import keep_secret

SECRET = {SECRET!r}


@pytest.fixture(autouse=True)
def planted(pytestconfig):
    keep_secret(pytestconfig, SECRET)


def pytest_greenrun_environment(config):
    return {{"service": f"shop {{SECRET}}"}}


@given("it leaks everywhere")
def _(progress, tmp_path, record_property):
    print(SECRET)
    print(SECRET, file=sys.stderr)
    record_property("token", SECRET)
    logging.getLogger("shop").warning("logged in with %s", SECRET)
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("shop").exception("could not log in")
    allure.attach(SECRET, "by allure")
    allure.attach(SECRET.encode(), "bytes")
    (tmp_path / "leak").write_text(SECRET)
    allure.attach.file(tmp_path / "leak", "file")
    AllureEvidence(str).attach(SECRET, SECRET)
    with allure.step(f"inner {{SECRET}}"):
        pass
    progress.report(f"at {{SECRET}}")


@then("it fails with a hint")
def _():
    raise GateClosed(f"got {{SECRET}}", hint=f"not {{SECRET}}")


@then("it fails with a traceback")
def _():
    local = {{"password": SECRET}}
    assert local == {{"password": "x"}}
"""


def leaks(folder: Path) -> list[str]:
    shapes = {SECRET, repr(SECRET)[1:-1], SECRET.replace("\\", "\\\\").replace('"', '\\"')}
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and any(shape.encode() in path.read_bytes() for shape in shapes)
    ]


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--capture=no",),
        ("--log-cli-level=DEBUG", "-o", "log_cli=true"),
        ("--log-file=reports/log", "--log-file-level=DEBUG"),
        ("--junit-xml=reports/junit.xml", "-o", "junit_logging=all"),
        ("--events=reports/events.jsonl",),
        ("--tb=native", "--full-trace"),
    ],
)
@pytest.mark.parametrize("ending", ["it fails with a hint", "it fails with a traceback"])
def test_a_secret_is_nowhere_to_be_found(
    suite: Suite, ending: str, options: tuple[str, ...]
) -> None:
    suite.steps(STEPS)
    suite.feature(
        "01",
        f"Feature: F\n  Scenario: S\n    Given it leaks everywhere\n    Then {ending}\n"
        "    And all gates hold\n",
    )

    result = suite.run("features", "-l", "-rA", *options)

    assert result.ret == 1
    assert leaks(suite.path / "reports") == []
    for shape in (SECRET, repr(SECRET)[1:-1]):
        assert shape not in result.stdout.str() + result.stderr.str()
    assert STARS in result.stdout.str()


def test_a_secret_is_kept_out_of_what_pytest_says_of_ordinary_tests(suite: Suite) -> None:
    suite.steps(STEPS)
    (suite.path / "test_ordinary.py").write_text(
        "import warnings\n\nfrom conftest import SECRET\n\n"
        "def test_leak():\n    warnings.warn(SECRET)\n    print(SECRET)\n    assert SECRET == 'x'\n"
    )

    result = suite.run("test_ordinary.py", "-W", "default")

    result.assert_outcomes(failed=1, warnings=1)
    for shape in (SECRET, repr(SECRET)[1:-1]):
        assert shape not in result.stdout.str()


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("hunter2", "say hunter2!", f"say {STARS}!"),
        ("several\nlines too", "  several\n  lines too", f"  {STARS}\n  {STARS}"),
        ('quo"te', '{"key": "quo\\"te"}', f'{{"key": "{STARS}"}}'),
        ("", "nothing to hide", "nothing to hide"),
    ],
)
def test_every_shape_of_a_secret_is_replaced(value: str, text: str, expected: str) -> None:
    secrets = Secrets()
    secrets.keep(value)

    assert secrets.redact(text) == expected
    assert secrets.redact_bytes(text.encode()) == expected.encode()


def test_a_secret_within_another_leaves_no_rest() -> None:
    secrets = Secrets()
    secrets.keep("passwo")
    secrets.keep("password")

    assert secrets.redact("password") == STARS


def test_secrets_do_not_show_themselves() -> None:
    secrets = Secrets()
    secrets.keep("hunter2")

    assert repr(secrets) == "Secrets()"
