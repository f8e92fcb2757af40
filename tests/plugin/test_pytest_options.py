"""Every option of pytest and of the plugins here: refused, or the way back still runs."""

import re
from collections.abc import Callable

import pytest

from tests.plugin.conftest import Suite

Write = Callable[..., Suite]

LISTED = ("help", "version", "markers", "fixtures", "fixtures-per-test", "collect-only")
"""These perform nothing."""

REFUSED = {
    "exitfirst": ("-x", "-x, --maxfail"),
    "maxfail": ("--maxfail=1", "-x, --maxfail"),
    "setup-only": ("--setup-only", "--setup-only"),
    "setup-plan": ("--setup-plan", "--setup-plan"),
    "keep-duplicates": ("--keep-duplicates", "--keep-duplicates"),
    "pdb": ("--pdb", "--pdb"),
    "trace": ("--trace", "--trace"),
    "max-warnings": ("--max-warnings=1", "--max-warnings"),
    "last-failed": ("--lf", "--lf"),
    "failed-first": ("--ff", "--ff"),
    "new-first": ("--nf", "--nf"),
    "stepwise": ("--sw", "--sw"),
    "numprocesses": ("-n1", "-n"),
    "tx": ("--tx=popen", "--tx"),
    "looponfail": ("-f", "-f"),
}

PART = {
    "k": "-k canary or returns or record",
    "m": "-m not drill",
    "deselect": "--deselect=features/01-forward.feature::The candidate starts",
    "ignore": "--ignore=features/03.feature",
    "ignore-glob": "--ignore-glob=features/03*",
    "continue-on-collection-errors": "--continue-on-collection-errors",
    "runxfail": "--runxfail",
    "setup-show": "--setup-show",
    "no-summary": "--no-summary",
    "junit-xml": "--junit-xml=conftest.py/x",  # cannot be written
    "alluredir": "--alluredir=conftest.py",  # likewise
    "gherkin-terminal-reporter": "--gherkin-terminal-reporter",
    "cucumber-json": "--cucumber-json=features",
    "pythonwarnings": "-Werror",
    "capture": "--capture=no",
    "assert": "--assert=plain",
    "quiet": "-qqq",
    "verbose": "-vvv",
    "showlocals": "-l",
    "tb": "--tb=native",
    "full-trace": "--full-trace",
    "show-capture": "--show-capture=no",
    "color": "--color=yes",
    "durations": "--durations=3",
    "report-chars": "-rA",
    "disable-warnings": "--disable-warnings",
    "basetemp": "--basetemp=elsewhere",
    "dist": "--dist=load",
    "log-cli-level": "--log-cli-level=DEBUG",
    "log-file": "--log-file=log",
    "debug": "--debug",
    "trace-config": "--trace-config",
}
"""These change what runs, how, or what is told of it; what is taken stays taken back."""

UNRELATED = set(
    """
    funcargs co strict strict-config strict-markers pdbcls no-header no-fold-skipped
    force-short-summary no-showlocals xfail-tb code-highlight pastebin junit-prefix
    junitprefix junitxml allure-severities allure-features allure-epics allure-stories allure-ids
    allure-label allure-link-pattern allure-no-capture clean-alluredir durations-min
    verbosity disable-pytest-warnings pyargs confcutdir noconftest collect-in-virtualenv
    import-mode doctest-modules doctest-report doctest-glob doctest-ignore-import-errors
    doctest-continue-on-failure config-file rootdir disable-plugin-autoload override-ini
    log-level log-format log-date-format log-cli-format log-cli-date-format log-file-mode
    log-file-level log-file-format log-file-date-format log-auto-indent log-disable
    generate-missing feature maxprocesses max-worker-restart loadscope-reorder
    no-loadscope-reorder px rsyncdir rsyncignore testrunuid maxschedchunk inversion
    anyio-mode lf ff nf sw sw-skip stepwise-skip sw-reset stepwise-reset cache-show
    cache-clear last-failed-no-failures lfnf s c h V v q x n d f p o r l W
    """.split()  # noqa: SIM905, a list of words
)
"""Another name of one above, or without a say in which scenarios run and in what is told."""

OURS = {
    "env",
    "plan",
    "resume",
    "unlock",
    "delete-candidate",
    "scale-to-zero",
    "to",
    "events",
    "no-html",
}


def test_every_option_is_decided(suite: Suite) -> None:
    told = suite.run("--help").stdout.str()
    options = re.findall(r"^ {2}(-[^ ].*?)(?: {2}|$)", told, re.MULTILINE)
    names = {name for line in options for name in re.findall(r"(?<![\w-])--?([\w-]+)", line)}
    assert names - {*LISTED, *REFUSED, *PART, *UNRELATED, *OURS} == set()


@pytest.mark.parametrize("name", LISTED)
def test_what_only_lists_begins_nothing(release_suite: Write, name: str) -> None:
    suite = release_suite()
    assert suite.run("features", f"--{name}").ret == 0
    assert suite.diary == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_halve_a_release_is_refused_in_one_line(release_suite: Write, name: str) -> None:
    option, told = REFUSED[name]
    suite = release_suite()
    result = suite.run("features", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert suite.diary == []
    [complaint] = [line for line in result.errlines if "leave out" in line]
    assert complaint.endswith(f": leave out {told}")


@pytest.mark.parametrize("name", PART)
def test_the_way_back_and_the_record_still_run(release_suite: Write, name: str) -> None:
    suite = release_suite(canary="a gate closes")
    result = suite.run("features", PART[name])
    assert result.ret == 1
    assert suite.diary[-3:] == [
        "local: 10 % to the candidate",
        "local: rolled back",
        "local: recorded",
    ]
    last = "Not released: stopped at Users meet the candidate slowly: The canary holds"
    assert last in re.sub(r"\x1b\[\d*m", "", result.stdout.str()).splitlines()


PLUGINS = {
    "timeout": ("--timeout=60", "--timeout"),
    "repeat": ("--count=2", "--count"),
    "split": ("--splits=2", "--splits"),
    "rerunfailures": ("--reruns=2", "--reruns"),
    "forked": ("--forked", "--forked"),
}
ADDED = """
def pytest_addoption(parser):
    parser.addoption("--timeout", type=float)
    parser.addini("timeout", "seconds")
    parser.addoption("--count", type=int, default=1)
    parser.addoption("--splits", type=int)
    parser.addoption("--reruns", type=int)
    parser.addoption("--forked", action="store_true")
"""


@pytest.mark.parametrize("name", PLUGINS)
def test_what_other_plugins_would_cut_short_is_refused(
    release_suite: Write, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    option, told = PLUGINS[name]  # the options are those of the real plugins
    suite = release_suite()
    (suite.path / f"{name}.py").write_text(ADDED)
    monkeypatch.syspath_prepend(suite.path)
    result = suite.run("features", "-p", name, option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert suite.diary == []
    [complaint] = [line for line in result.errlines if "leave out" in line]
    assert complaint.endswith(f": leave out {told}")


def test_what_sentences_print_is_not_shown_as_it_is(release_suite: Write) -> None:
    suite = release_suite()
    result = suite.run("features", "--capture=tee-sys")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line.endswith("leave out --capture=tee-sys")]


def test_a_release_without_a_terminal_is_refused(release_suite: Write) -> None:
    suite = release_suite()
    result = suite.run("features", "-p", "no:terminal")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert suite.diary == []
