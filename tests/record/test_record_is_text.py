"""What a candidate says is text: nothing in a record is a link, an image, HTML or a control."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from greenrun.reporting.record import rendering
from greenrun.reporting.record.record import Record
from tests.record.samples import RELEASE

HOSTILE = (
    "[here](https://evil.test) ![x](http://evil.test/x.png) <img src=x onerror=alert(1)> <b>&lt;"
    " \\[there](http://evil.test) `code` | cell | www.evil.test https://evil.test someone@evil.test"
    " \x1b[31mred\x1b]8;;http://evil.test\x07link\x1b]8;;\x07 \x00\x85\u202egnp \ud800"
    "\n\n# heading\n\n```\nfenced\n```\n\n<script>alert(1)</script>\n\n[ref]: http://evil.test\n"
)
OURS = {"url", "image", "roll_back", "rollback", "run", "document"}
"""Of the platform and of release.yaml; the run and the document are in none of its words."""


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:  # noqa: ANN401 - any field
    """Every place of a text within a value."""
    if isinstance(value, str):
        yield path
    elif is_dataclass(value):
        for one in fields(value):
            yield from places(getattr(value, one.name), (*path, one.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, tuple):
        for place, item in enumerate(value):
            yield from places(item, (*path, place))


def hostile(value: Any, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - any field
    """The value with hostile text at one place."""
    if not path:
        return HOSTILE
    first, rest = path[0], path[1:]
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{str(first): hostile(getattr(value, str(first)), rest)})
    if isinstance(value, Mapping):
        return {**value, first: hostile(value[first], rest)}
    return tuple(hostile(one, rest) if at == first else one for at, one in enumerate(value))


FULL = replace(
    RELEASE,
    problems=("a problem",),
    checks=(replace(RELEASE.checks[0], reason="a reason"), *RELEASE.checks[1:]),
    steps=(replace(RELEASE.steps[0], verdict="fail"),),
)
PLACES = [path for path in places(FULL) if path[0] not in OURS]


def tokens(text: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token
        yield from token.children or ()


def kinds(text: str) -> list[str]:
    """What a page is made of, in its order; a link, an image or HTML would be one more."""
    return [one.type for one in tokens(text) if one.type not in {"text", "text_special", "entity"}]


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_whatever_stands_in_a_field_is_text(path: tuple[str | int, ...]) -> None:
    record: Record = hostile(FULL, path)
    for words in (rendering.as_markdown, entry):
        usual, told = words(FULL), words(record)
        assert kinds(told) == kinds(usual)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", told)
        assert not re.search(r"://evil|www\.evil|@evil", told)


def entry(record: Record) -> str:
    return rendering.as_entry(record, "[record](record.md)")


def test_every_text_of_a_record_is_tried() -> None:
    assert {str(path[0]) for path in PLACES} | OURS == {
        one.name for one in fields(Record) if any(path[0] == one.name for path in places(FULL))
    }
    assert len(PLACES) > 40
