"""The folder of Allure results: nothing secret enters it, and no fixture of a scenario."""

# allure_commons has no types
# mypy: allow-untyped-calls

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from allure_commons import hookimpl
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import TestResult, TestResultContainer
from attr import asdict

from greenrun.plugin.redaction import Secrets


class ResultsFolder(AllureFileLogger):
    """Writes what Allure is told. `scenarios` holds the uuid of every result that is a scenario.

    What cannot be written is left out, and `tell` hears of it once: no report is worth a sentence
    that fails, least of all one that brings users back. Raises OSError where there is no folder.
    """

    def __init__(
        self, path: Path, secrets: Secrets, tell: Callable[[str], None], *, clean: bool
    ) -> None:
        super().__init__(path, clean)
        self.path = path
        self.scenarios: set[str] = set()
        self._secrets = secrets
        self._tell = tell
        self._told = False

    @hookimpl
    def report_result(self, result: TestResult) -> None:
        """Write a result in one piece; allure-commons would encode it bit by bit, in Python."""
        self._redact_members(result)
        known = asdict(result, filter=lambda _, value: value or value is False)
        text = json.dumps(known, ensure_ascii=False)
        write = super().report_attached_data
        self._attempt(lambda: write(text, f"{result.uuid}-result.json"))

    @hookimpl
    def report_container(self, container: TestResultContainer) -> None:
        """Keep what was set up for ordinary tests; in a scenario the sentences tell it."""
        container.children = [uuid for uuid in container.children if uuid not in self.scenarios]
        if container.children:
            self._redact_members(container)
            write = super().report_container
            self._attempt(lambda: write(container))

    @hookimpl
    def report_attached_data(self, body: str | bytes, file_name: str) -> None:
        write = super().report_attached_data
        content = body.encode(errors="replace") if isinstance(body, str) else body
        self._attempt(lambda: write(self._secrets.redact_bytes(content), file_name))

    @hookimpl
    def report_attached_file(self, source: str, file_name: str) -> None:
        self._attempt(lambda: self.report_attached_data(Path(source).read_bytes(), file_name))

    def describe_environment(self, facts: Mapping[str, str]) -> None:
        """Write the block of facts at the head of the report."""
        lines = [f"{_property(name)} = {_property(fact)}\n" for name, fact in facts.items()]
        text = self._secrets.redact("".join(lines))
        (self.path / "environment.properties").write_text(text, encoding="utf-8")

    def _attempt(self, write: Callable[[], object]) -> None:
        try:
            write()
        except (OSError, ValueError, MemoryError) as error:
            if not self._told:
                self._told = True
                self._tell(f"the report is not complete: {error}")

    def _redact_members(self, item: object) -> None:
        if self._secrets:
            for name, value in vars(item).items():
                setattr(item, name, self._redacted(value))

    def _redacted(self, value: object) -> object:
        if isinstance(value, str):
            return self._secrets.redact(value)
        if isinstance(value, list):
            return [self._redacted(each) for each in value]
        if hasattr(value, "__attrs_attrs__"):
            self._redact_members(value)
        return value


def _property(text: str) -> str:
    """Escape a key or value as java.util.Properties reads it."""
    return re.sub(r"([\\ =:#!])", r"\\\1", text).replace("\n", r"\n")
