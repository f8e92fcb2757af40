"""Evidence as Allure keeps it: beneath the sentence that made it, whenever it is brought."""

# allure_commons has no types
# mypy: allow-untyped-calls

import mimetypes
from collections.abc import Callable

from allure_commons import plugin_manager
from allure_commons.model2 import Attachment, ExecutableItem, TestResult
from allure_commons.reporter import AllureReporter
from allure_commons.utils import uuid4

_reporter = (
    AllureReporter()
)  # all reporters share the running test, so allure.attach reaches it too


class AllureEvidence:
    """Keeps evidence beneath the running sentence, or beside all tests where none runs."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact

    def attach(self, name: str, content: str | bytes, media_type: str = "text/plain") -> None:
        """Keep a piece of evidence; text is redacted before it is written."""
        running = _reporter.get_last_item(ExecutableItem)
        hook = plugin_manager.hook
        (hook.attach_data if running else hook.global_attach_data)(
            body=self._redact(content) if isinstance(content, str) else content,
            name=self._redact(name),
            attachment_type=media_type,
            extension=_extension(media_type),
        )

    def here(self) -> "AllureEvidence":
        """The running sentence, also for when it is over; beside all tests where none runs."""
        sentence = _reporter.get_last_item(ExecutableItem)
        test = _reporter.get_test(None)
        return _EvidenceOf(self._redact, sentence, test) if test else self


class _EvidenceOf(AllureEvidence):
    """Keeps evidence beneath one sentence, whether or not its test is over."""

    def __init__(
        self, redact: Callable[[str], str], sentence: ExecutableItem, test: TestResult
    ) -> None:
        super().__init__(redact)
        self._sentence = sentence
        self._test = test

    def attach(self, name: str, content: str | bytes, media_type: str = "text/plain") -> None:
        """Keep a piece of evidence; a test that was written already is written again."""
        source = f"{uuid4()}-attachment.{_extension(media_type)}"
        body = self._redact(content) if isinstance(content, str) else content
        plugin_manager.hook.report_attached_data(body=body, file_name=source)
        attachment = Attachment(name=self._redact(name), source=source, type=media_type)
        self._sentence.attachments.append(attachment)
        if not _reporter.get_test(self._test.uuid):
            plugin_manager.hook.report_result(result=self._test)


def _extension(media_type: str) -> str:
    return (mimetypes.guess_extension(media_type) or ".attach").removeprefix(".")
