"""An OpenAPI document as schemathesis reads it: operations, examples of them, what they allow."""

import json
import signal
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from threading import current_thread, main_thread
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok, Result
from schemathesis.errors import InvalidSchema, SchemathesisError
from schemathesis.openapi.checks import (
    JsonSchemaError,
    MissingContentType,
    UndefinedContentType,
    UndefinedStatusCode,
)
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from greenrun.model.errors import GateClosed

Example = schemathesis.Case[Any]
_Definition = schemathesis.APIOperation[Any, Any, Any, Any]

_CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_SERVER_ERROR = 500
_LONGEST = 2_000_000
"""Characters of a document that are read."""

_MOST_PARTS = 200_000
"""Objects, lists and values of a document with all its YAML aliases written out."""

_TOO_SLOW = "patterns and schemas that can be worked through in that time"
_EXCERPT = 200
"""Characters of a document that a message quotes; it was redacted when it came."""


@dataclass(frozen=True)
class Document:
    """The GET operations of a document, and the path that all of them begin with."""

    base_path: str
    operations: tuple["Operation", ...]


class Unusable(Exception):
    """No request can be made of an operation; says why."""


class Operation:
    """One path that can be asked, or the reason why it cannot."""

    def __init__(self, name: str, definition: _Definition | str) -> None:
        self.name = name
        self._definition = definition

    def examples(self, most: int, within: timedelta) -> list[Example]:
        """Those that the document gives, then made ones; the same for the same document.

        Raises:
            Unusable: the definition is broken, no value satisfies it, or none is found in time.
        """
        if isinstance(self._definition, str):
            raise Unusable(self._definition)
        try:
            with _undisturbed(), _ended(within):
                own = self._definition.get_strategies_from_examples()[:most]
                found = [example for strategy in own for example in _drawn(strategy, 1)]
                return found + _drawn(self._definition.as_strategy(), most - len(found))
        except _TimeIsUp:
            raise Unusable(f"no values within {_seconds(within)}, needs {_TOO_SLOW}") from None
        except RecursionError:
            raise Unusable("a schema that never ends") from None
        except (HypothesisException, SchemathesisError) as error:
            raise Unusable(str(error)) from error

    def deviations(
        self, example: Example, response: httpx.Response, within: timedelta
    ) -> Iterator[tuple[str, str]]:
        """Compare an answer with what the document wants it to be, as `got` and `needs`."""
        try:
            with _undisturbed(), _ended(within):
                example.validate_response(response, checks=_CHECKS)
        except FailureGroup as group:
            if response.status_code >= _SERVER_ERROR:
                yield f"status {response.status_code}: {response.text}", "a status below 500"
            else:
                yield from (_told(failure, response) for failure in group.exceptions)
        except _TimeIsUp:
            yield f"an answer that is not judged within {_seconds(within)}", _TOO_SLOW
        except RecursionError:
            yield "an answer, or a schema, that is nested too deep", "one that can be judged"
        except SchemathesisError as error:
            yield str(error), "a definition that answers can be judged by"


def read_document(text: str, within: timedelta) -> Document:
    """The operations of a document in JSON or YAML.

    Raises:
        GateClosed: it is none, refers to what is not in it, or cannot be read in time.
    """
    try:
        with _ended(within):
            return _read(text)
    except _TimeIsUp:
        raise GateClosed(
            f"OpenAPI document: not read within {_seconds(within)}, needs a smaller one"
        ) from None
    except RecursionError:
        raise GateClosed(
            "OpenAPI document: got one that is nested too deep, needs a smaller one"
        ) from None


def _read(text: str) -> Document:
    if len(text) > _LONGEST:
        raise GateClosed(
            f"OpenAPI document: got {len(text):,} characters, needs at most {_LONGEST:,}"
        )
    parsed = _parsed(text)
    if outside := sorted(_outside(parsed)):
        raise GateClosed(
            f"OpenAPI document: got references to {', '.join(outside)}, needs all within itself"
        )
    config = schemathesis.Config()
    config.output.truncation.enabled = False  # half a secret cannot be redacted
    try:
        schema = schemathesis.openapi.from_dict(parsed, config=config)
        found = list(schema.include(method="GET").get_all_operations())
    except SchemathesisError as error:
        raise GateClosed(f"OpenAPI document: got {_line(str(error))}, needs a valid one") from error
    return Document(schema.declared_base_path(), tuple(map(_operation, found)))


def _operation(found: Result[_Definition, InvalidSchema]) -> Operation:
    if isinstance(found, Ok):
        operation = found.ok()
        return Operation(operation.label, operation)
    error = found.err()
    return Operation(error.label or "a GET", str(error))


def _parsed(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = _parsed_yaml(text)
    wanted = parsed if isinstance(parsed, dict) else {}
    if not all(isinstance(wanted.get(key), dict) for key in ("info", "paths")):
        raise GateClosed(f"OpenAPI document: got {_line(text)!r}, needs an object with info, paths")
    return wanted


def _parsed_yaml(text: str) -> object:
    try:
        return _with_texts_for_keys(YAML(typ="safe", pure=True).load(text), count(1))
    except (YAMLError, ValueError, TypeError) as error:  # TypeError: a mapping for a key
        raise GateClosed(f"OpenAPI document: got {_line(text)!r}, needs JSON or YAML") from error


def _with_texts_for_keys(part: object, counted: Iterator[int]) -> object:
    """YAML has numbers for keys, such as the status of a response; and aliases, which multiply."""
    if next(counted) > _MOST_PARTS:
        raise GateClosed(
            f"OpenAPI document: got more than {_MOST_PARTS:,} parts with its aliases, needs fewer"
        )
    if isinstance(part, Mapping):
        return {str(key): _with_texts_for_keys(each, counted) for key, each in part.items()}
    if isinstance(part, list):
        return [_with_texts_for_keys(each, counted) for each in part]
    return part


def _outside(part: object) -> set[str]:
    """References to other documents, which would be fetched from wherever they are."""
    if isinstance(part, Mapping):
        here = part.get("$ref", "#")
        inside = {name for each in part.values() for name in _outside(each)}
        return inside | ({here} if isinstance(here, str) and not here.startswith("#") else set())
    if isinstance(part, list):
        return {name for each in part for name in _outside(each)}
    return set()


def _drawn(strategy: SearchStrategy[Example], count: int) -> list[Example]:
    drawn: list[Example] = []
    if count < 1:
        return drawn

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(example: Example) -> None:
        drawn.append(example)

    keep()
    return drawn


class _TimeIsUp(BaseException):
    """No Exception: hypothesis would take one for a failure, and try once more."""


@contextmanager
def _ended(within: timedelta) -> Iterator[None]:
    """Raise _TimeIsUp in what takes longer, be it a regular expression, which no thread can end.

    A signal can, in the main thread, where scenarios run.
    """
    if current_thread() is not main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise _TimeIsUp

    began, before = time.monotonic(), signal.signal(signal.SIGALRM, end)
    other, interval = signal.setitimer(signal.ITIMER_REAL, max(within.total_seconds(), 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if other:
            left = max(other - (time.monotonic() - began), 0.001)
            signal.setitimer(signal.ITIMER_REAL, left, interval)


def _seconds(duration: timedelta) -> str:
    return f"{duration.total_seconds():.1f} s"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Warnings about a document are no reason to stop a release."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _told(failure: Failure, response: httpx.Response) -> tuple[str, str]:
    kind = response.headers.get("content-type", "none")
    match failure:
        case UndefinedStatusCode():
            documented = _or(failure.defined_status_codes)
            return f"status {response.status_code}: {response.text}", f"status {documented}"
        case UndefinedContentType():
            return f"content type {kind}", f"content type {_or(failure.defined_content_types)}"
        case MissingContentType():
            return "no content type", f"content type {_or(failure.media_types)}"
        case JsonSchemaError():
            place = "/".join(map(str, failure.instance_path)) or "the body"
            return f"{place}: {failure.validation_message}", "the schema of this answer"
        case _:
            return f"{failure.title}: {failure.message}", "an answer as documented"


def _or(names: Sequence[str]) -> str:
    return " or ".join(names) or "that is documented (there is none)"


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}..."
