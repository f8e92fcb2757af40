"""An OpenAPI document as schemathesis reads it: operations, examples of them, what they allow."""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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

    def examples(self, most: int) -> list[Example]:
        """Those that the document gives, then made ones; the same for the same document.

        Raises:
            Unusable: the definition is broken, or no value satisfies it.
        """
        if isinstance(self._definition, str):
            raise Unusable(self._definition)
        try:
            with _undisturbed():
                own = self._definition.get_strategies_from_examples()[:most]
                found = [example for strategy in own for example in _drawn(strategy, 1)]
                return found + _drawn(self._definition.as_strategy(), most - len(found))
        except (HypothesisException, SchemathesisError) as error:
            raise Unusable(str(error)) from error

    def deviations(self, example: Example, response: httpx.Response) -> Iterator[tuple[str, str]]:
        """What an answer is, and what the document wants it to be, as `got` and `needs`."""
        try:
            with _undisturbed():
                example.validate_response(response, checks=_CHECKS)
        except FailureGroup as group:
            if response.status_code >= _SERVER_ERROR:
                yield f"status {response.status_code}: {response.text}", "a status below 500"
            else:
                yield from (_told(failure, response) for failure in group.exceptions)
        except SchemathesisError as error:
            yield str(error), "a definition that answers can be judged by"


def read_document(text: str) -> Document:
    """The operations of a document in JSON or YAML.

    Raises:
        GateClosed: it is none, or refers to what is not in it.
    """
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
        return _with_texts_for_keys(YAML(typ="safe", pure=True).load(text))
    except YAMLError as error:
        raise GateClosed(f"OpenAPI document: got {_line(text)!r}, needs JSON or YAML") from error


def _with_texts_for_keys(part: object) -> object:
    """YAML has numbers for keys, such as the status of a response."""
    if isinstance(part, Mapping):
        return {str(key): _with_texts_for_keys(each) for key, each in part.items()}
    return [_with_texts_for_keys(each) for each in part] if isinstance(part, list) else part


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
