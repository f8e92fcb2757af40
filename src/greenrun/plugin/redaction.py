"""Words that must never show, replaced in everything that is shown or written."""

import json
import warnings
from collections.abc import Generator
from dataclasses import dataclass, field

import pytest

STARS = "********"

SHORTEST = 6
"""Letters of a word that is hidden; a shorter one would put stars into ordinary text."""


@dataclass
class Secrets:
    """Words to hide. Longer ones go first, so that none leaves a rest behind."""

    _words: list[str] = field(default_factory=list, repr=False)

    def __bool__(self) -> bool:
        return bool(self._words)

    def keep(self, value: str) -> None:
        """Hide a value from now on: as it is, as Python or JSON writes it, and its lines.

        What is shorter than SHORTEST is not hidden; whoever has a value like that has to say so.
        """
        shapes = {value, repr(value)[1:-1], json.dumps(value)[1:-1], *value.splitlines()}
        found = {word for shape in shapes if len(word := shape.strip()) >= SHORTEST}
        self._words = sorted({*self._words, *found}, key=len, reverse=True)

    def redact(self, text: str) -> str:
        """Text without any secret."""
        for word in self._words:
            text = text.replace(word, STARS)
        return text

    def redact_bytes(self, content: bytes) -> bytes:
        """Content of any kind without any secret."""
        for word in self._words:
            content = content.replace(word.encode(), STARS.encode())
        return content


SECRETS = pytest.StashKey[Secrets]()


def secrets_of(config: pytest.Config) -> Secrets:
    """The secrets of a run."""
    return config.stash.setdefault(SECRETS, Secrets())


def keep_secret(config: pytest.Config, value: str) -> None:
    """Never show this value again: on the terminal, in pytest's reports, in Allure's results."""
    secrets_of(config).keep(value)


class Redaction:
    """Takes the secrets out of what pytest itself is about to show."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if self._secrets:
            self._redact(report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        message = warning_message.message
        if self._secrets and isinstance(message, Warning):
            message.args = tuple(self._secrets.redact(str(part)) for part in message.args)

    def _redact(self, report: pytest.TestReport) -> None:
        redact = self._secrets.redact
        report.sections = [(title, redact(text)) for title, text in report.sections]
        if isinstance(report.longrepr, tuple):
            path, line, reason = report.longrepr
            report.longrepr = (path, line, redact(reason))
        elif report.longreprtext != redact(report.longreprtext):
            report.longrepr = redact(report.longreprtext)
