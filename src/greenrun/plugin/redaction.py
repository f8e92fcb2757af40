"""Words that must never show, replaced in everything that is shown or written."""

import base64
import gzip
import html
import json
import logging
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import IO
from urllib.parse import quote, quote_plus

import pytest

from greenrun.plugin.gherkin.collection import scenario_of

STARS = "********"

SHORTEST = 6
"""Letters of a word that is hidden; a shorter one would put stars into ordinary text."""


LARGEST = 64 << 20
"""Bytes that an archive may unpack to; what is larger cannot be searched, and is not kept."""

NOT_KEPT = b"not kept: an archive that could not be searched for secrets"

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def inert(text: str) -> str:
    """Text in which nothing steers a terminal: control characters show as Python writes them."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


@dataclass
class Secrets:
    """Words to hide, in every form that is known to be written."""

    _words: set[str] = field(default_factory=set, repr=False)

    def __bool__(self) -> bool:
        return bool(self._words)

    def keep(self, value: str) -> None:
        """Hide a value from now on, and each of its lines, in every form of `forms_of`.

        What is shorter than SHORTEST is not hidden; whoever has a value like that has to say so.
        """
        parts = {part.strip() for part in (value, *value.splitlines())}
        words = {word for part in parts if len(part) >= SHORTEST for word in forms_of(part)}
        self._words |= {word for word in words if len(word) >= SHORTEST}
        self.__dict__.pop("_pattern", None)
        self.__dict__.pop("_pattern_of_bytes", None)

    def redact(self, text: str) -> str:
        """Text without any secret."""
        return self._pattern.sub(STARS, text) if self._words else text

    def redact_bytes(self, content: bytes) -> bytes:
        """Content of any kind without any secret, also within gzip and zip."""
        if not self._words:
            return content
        try:
            unpacked = self._redact_archive(content)
        except (OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile):
            return NOT_KEPT
        return self._pattern_of_bytes.sub(STARS.encode(), unpacked)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Longer words go first, so that none leaves a rest behind."""
        return re.compile("|".join(map(re.escape, sorted(self._words, key=len, reverse=True))))

    @cached_property
    def _pattern_of_bytes(self) -> re.Pattern[bytes]:
        return re.compile(self._pattern.pattern.encode(errors="surrogateescape"))

    def _redact_archive(self, content: bytes) -> bytes:
        """An archive packed anew where a secret was in it; anything else as it is."""
        if content.startswith(b"\x1f\x8b"):
            before = _bounded(gzip.GzipFile(fileobj=BytesIO(content)))
            after = self.redact_bytes(before)
            return content if after == before else gzip.compress(after, mtime=0)
        if not content.startswith(b"PK\x03\x04"):
            return content
        packed = BytesIO()
        changed = False
        with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
            for entry in old.infolist():
                with old.open(entry) as file:
                    before = _bounded(file)
                after, name = self.redact_bytes(before), self.redact(entry.filename)
                changed = changed or (after, name) != (before, entry.filename)
                new.writestr(name, after, zipfile.ZIP_DEFLATED)
        return packed.getvalue() if changed else content


def forms_of(value: str) -> Iterator[str]:
    """A value as it is, and as Python, JSON, URLs, HTML, base64 and hexadecimal digits write it."""
    within = json.dumps(value)[1:-1]
    for text in (value, value.upper(), value.lower()):
        yield from (text, repr(text)[1:-1], json.dumps(text)[1:-1], html.escape(text))
    yield from (json.dumps(value, ensure_ascii=False)[1:-1], json.dumps(within)[1:-1])
    for quoted in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield from (quoted, re.sub(r"%..", lambda found: found[0].lower(), quoted))
    yield html.escape(value).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    raw = value.encode(errors="surrogateescape")
    yield from (raw.hex(), raw.hex().upper())
    for offset in range(3):
        yield from _base64(raw, offset)


def _base64(raw: bytes, offset: int) -> Iterator[str]:
    """What base64 makes of these bytes alone, where others stand before and behind them."""
    first, last = (0, 2, 3)[offset], (offset + len(raw)) * 8 // 6
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(bytes(offset) + raw).decode()[first:last]


def _bounded(file: IO[bytes] | gzip.GzipFile) -> bytes:
    """All of a file. Raises ValueError where it is larger than LARGEST."""
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError("too large to be searched")
    return content


SECRETS = pytest.StashKey[Secrets]()


def secrets_of(config: pytest.Config) -> Secrets:
    """The secrets of a run."""
    return config.stash.setdefault(SECRETS, Secrets())


def keep_secret(config: pytest.Config, value: str) -> None:
    """Never show this value again: on the terminal, in pytest's reports, in Allure's results."""
    secrets_of(config).keep(value)


def redact_logs(config: pytest.Config, redact: Callable[[str], str]) -> None:
    """Take the secrets out of every record of `logging`, whoever writes it and wherever to."""
    before = logging.getLogRecordFactory()

    class Redacted(logging.LogRecord):
        """A record that says what may be said."""

        _traceback: str | None = None

        def getMessage(self) -> str:  # noqa: N802, logging's own name
            return redact(super().getMessage())

        @property
        def exc_text(self) -> str | None:
            return self._traceback

        @exc_text.setter
        def exc_text(self, text: str | None) -> None:
            self._traceback = text and redact(text)

    logging.setLogRecordFactory(Redacted)
    config.add_cleanup(lambda: logging.setLogRecordFactory(before))


class Redaction:
    """Takes the secrets out of what pytest itself is about to show."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if scenario_of(item):
            self._rewrite(report, lambda text: inert(self._secrets.redact(text)))
        elif self._secrets:
            self._rewrite(report, self._secrets.redact)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        message = warning_message.message
        if isinstance(message, Warning):
            message.args = tuple(inert(self._secrets.redact(str(part))) for part in message.args)

    def _rewrite(self, report: pytest.TestReport, show: Callable[[str], str]) -> None:
        report.sections = [(title, show(text)) for title, text in report.sections]
        report.user_properties = [
            (show(name), show(value) if isinstance(value, str) else value)
            for name, value in report.user_properties
        ]
        if isinstance(report.longrepr, tuple):
            path, line, reason = report.longrepr
            report.longrepr = (path, line, show(reason))
        elif report.longreprtext != show(report.longreprtext):
            report.longrepr = show(report.longreprtext)
