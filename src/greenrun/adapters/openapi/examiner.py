"""GET requests made from an OpenAPI document, and judged by it, with schemathesis."""

import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from greenrun.adapters.openapi.asking import Asking, Unanswered
from greenrun.model.errors import ReleaseError
from greenrun.model.extras import OPENAPI
from greenrun.model.interfaces.openapi import Deviation, OpenApiTest, OpenApiTestResult

if TYPE_CHECKING:
    from greenrun.adapters.openapi.document import Example, Operation


_EXCERPT = 200
"""Characters of an answer that a message quotes; cut when they are redacted, never before."""


class Schemathesis:
    """Makes examples from the schemas of a document, the same ones each time, and tries them.

    Args:
        redact: takes credentials out of whatever is handed on.
    """

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact

    def examine(self, examination: OpenApiTest) -> OpenApiTestResult:
        """Ask in rounds, one example of each operation a round, until the time is up."""
        OPENAPI.require("make requests from an OpenAPI document")
        from greenrun.adapters.openapi.document import read_document  # noqa: PLC0415 - takes a while

        document = read_document(examination.document)
        operations = {each.name: each for each in document.operations}
        if unknown := sorted(examination.aside - operations.keys()):
            raise ReleaseError(
                f"got {', '.join(unknown)} to leave aside, needs GET operations of the document: "
                f"{', '.join(operations)}"
            )
        tried = [each for name, each in operations.items() if name not in examination.aside]
        with closing(Asking(examination, document.base_path)) as asking:
            return _Trial(asking, examination, self._redact).of(tried)


class _Trial:
    """Requests and their answers, until the time is up."""

    def __init__(
        self, asking: Asking, examination: OpenApiTest, redact: Callable[[str], str]
    ) -> None:
        self._asking = asking
        self._examination = examination
        self._redact = redact
        self._answered: dict[str, int] = {}
        self._deviations: dict[tuple[str, str], Deviation] = {}

    def of(self, operations: "list[Operation]") -> OpenApiTestResult:
        deadline = time.monotonic() + self._examination.within.total_seconds()
        self._answered = dict.fromkeys((each.name for each in operations), 0)
        queues = [(each, self._examples(each)) for each in operations]
        for turn in range(self._examination.examples):
            for operation, examples in queues:
                left = timedelta(seconds=deadline - time.monotonic())
                if turn < len(examples) and left > timedelta():
                    self._try(operation, examples[turn], min(left, self._examination.each_within))
        return OpenApiTestResult(self._answered, tuple(self._deviations.values()))

    def _examples(self, operation: "Operation") -> "list[Example]":
        from greenrun.adapters.openapi.document import Unusable  # noqa: PLC0415 - likewise

        try:
            return operation.examples(self._examination.examples)
        except Unusable as error:
            self._note(operation, "", str(error), "a definition that requests can be made of")
            return []

    def _try(self, operation: "Operation", example: "Example", within: timedelta) -> None:
        request = self._asking.request(example)
        self._answered[operation.name] += 1
        try:
            response = self._asking.answer(request, within)
        except Unanswered as error:
            self._note(operation, self._asking.curl(request), str(error), "an answer")
            return
        for got, needs in operation.deviations(example, response):
            self._note(operation, self._asking.curl(request), got, needs)

    def _note(self, operation: "Operation", request: str, got: str, needs: str) -> None:
        """Keep the first deviation of each kind."""
        told = _excerpt(self._redact(got))
        found = Deviation(operation.name, self._redact(request), told, needs)
        self._deviations.setdefault((operation.name, needs), found)


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}..."
