"""The folder of Allure results: nothing secret enters it, and no fixture of a scenario."""

# allure_commons has no types
# mypy: allow-untyped-calls

import json
import re
from collections.abc import Mapping
from pathlib import Path

from allure_commons import hookimpl
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import TestResult, TestResultContainer
from attr import asdict

from greenrun.plugin.redaction import Secrets


class ResultsFolder(AllureFileLogger):
    """Writes what Allure is told. `scenarios` holds the uuid of every result that is a scenario."""

    def __init__(self, path: Path, secrets: Secrets, *, clean: bool) -> None:
        super().__init__(path, clean)
        self.path = path
        self.scenarios: set[str] = set()
        self._secrets = secrets

    @hookimpl
    def report_result(self, result: TestResult) -> None:
        """Write a result in one piece; allure-commons would encode it bit by bit, in Python."""
        self._redact_members(result)
        known = asdict(result, filter=lambda _, value: value or value is False)
        text = json.dumps(known, ensure_ascii=False)
        super().report_attached_data(text, f"{result.uuid}-result.json")

    @hookimpl
    def report_container(self, container: TestResultContainer) -> None:
        """Keep what was set up for ordinary tests; in a scenario the sentences tell it."""
        container.children = [uuid for uuid in container.children if uuid not in self.scenarios]
        if container.children:
            self._redact_members(container)
            super().report_container(container)

    @hookimpl
    def report_attached_data(self, body: str | bytes, file_name: str) -> None:
        content = body.encode() if isinstance(body, str) else body
        super().report_attached_data(self._secrets.redact_bytes(content), file_name)

    @hookimpl
    def report_attached_file(self, source: str, file_name: str) -> None:
        self.report_attached_data(Path(source).read_bytes(), file_name)

    def describe_environment(self, facts: Mapping[str, str]) -> None:
        """Write the block of facts at the head of the report."""
        lines = [f"{_property(name)} = {_property(fact)}\n" for name, fact in facts.items()]
        text = self._secrets.redact("".join(lines))
        (self.path / "environment.properties").write_text(text, encoding="utf-8")

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
