"""Has Allure write results of a run of features, and one page of them at its end."""

from collections.abc import Generator, Mapping, Sequence
from functools import partial
from pathlib import Path

import allure_commons
import pytest

from greenrun.plugin.allure import report as allure_report
from greenrun.plugin.allure.bridge import GherkinBridge, ScenarioListener
from greenrun.plugin.allure.results import ResultsFolder
from greenrun.plugin.run.session import ReleaseRun

RESULTS, PAGE = Path("reports/allure-results"), Path("reports/report.html")
CLAIMED = pytest.StashKey[str | None]()


def claim_results(config: pytest.Config) -> None:
    """Keep allure-pytest from wiring itself: its folder would hold every internal fixture."""
    if hasattr(config.option, "allure_report_dir"):
        config.stash[CLAIMED] = config.option.allure_report_dir
        config.option.allure_report_dir = None


def claimed(config: pytest.Config) -> bool:
    """True where allure-pytest is there and has left the wiring to us."""
    return CLAIMED in config.stash


class AllureReport:
    """Wires allure-pytest's listener to our folder, and our bridge to both."""

    def __init__(self, config: pytest.Config, run: ReleaseRun) -> None:
        self._config, self._run, self._secrets = config, run, run.secrets
        chosen = config.stash[CLAIMED]
        self._path = Path(chosen).absolute() if chosen else config.rootpath / RESULTS
        self._clean: bool = not chosen or config.option.clean_alluredir
        self._folder: ResultsFolder | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        if session.items and not self._config.option.collectonly:
            tell = self._run.reporter.remark
            try:
                folder = ResultsFolder(self._path, self._secrets, tell, clean=self._clean)
            except OSError as error:
                tell(f"there is no report: {error}")
            else:
                self._folder = folder
                self._register(folder)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None]:
        try:
            return (yield)
        finally:
            if self._folder:
                self._run.report = self._finish(self._folder)

    def _register(self, folder: ResultsFolder) -> None:
        listener = ScenarioListener(self._config)
        for plugin in (listener, folder):
            allure_commons.plugin_manager.register(plugin)
            self._config.add_cleanup(partial(allure_commons.plugin_manager.unregister, plugin))
        self._config.pluginmanager.register(listener, "allure_listener")
        self._config.pluginmanager.register(GherkinBridge(folder.scenarios.add))

    def _finish(self, folder: ResultsFolder) -> str:
        """Write the page; return where it is, or why there is none. Never raises."""
        try:
            facts = self._facts()
            folder.describe_environment(facts)
            if self._config.option.no_html:
                return str(folder.path)
            page, root = self._config.rootpath / PAGE, self._config.rootpath
            title = self._secrets.redact(self._title(facts))
            allure_report.write(folder.path, page, title=title, root=root, tree=self._tree())
        except Exception as reason:  # noqa: BLE001, a report must not change how a release ended
            return f"{folder.path} ({reason})"
        return page.as_uri()

    def _tree(self) -> Sequence[str]:
        """Features come first where there is only one environment to group them by."""
        return (
            allure_report.TREE
            if len(self._run.stop_policy.environments) > 1
            else allure_report.TREE[1:]
        )

    def _facts(self) -> dict[str, str]:
        try:
            answers = self._config.hook.pytest_greenrun_environment(config=self._config)
        except Exception as error:  # noqa: BLE001, a report must not change how a release ended
            self._run.reporter.remark(f"the report lacks its block of facts: {error}")
            return {}
        facts = {name: str(fact) for answer in reversed(answers) for name, fact in answer.items()}
        return {**facts, "environments": str(self._run.stop_policy)} if self._run.begun else facts

    def _title(self, facts: Mapping[str, str]) -> str:
        service = facts.get("service", self._config.rootpath.name)
        return self._run.stop_policy.mode.words.report.format(
            service=service, target=self._run.target
        )
