"""The keywords of Gherkin in the language of a feature, and what was meant by one like them."""

from collections.abc import Iterator
from difflib import get_close_matches

from gherkin.dialect import Dialect

_NEAR = 0.75
"""How much a word before a colon is like a keyword that was meant; `Scenrio` has 0.93."""

_VERY_NEAR = 0.85
"""Likewise, where no colon follows."""


class Keywords:
    """Those of one language, by its code in Gherkin."""

    def __init__(self, language: str) -> None:
        dialect = Dialect.for_name(language)
        assert dialect is not None  # noqa: S101, the parser has read a feature in it
        self._outlines = frozenset(dialect.scenario_outline_keywords)
        self._headings = [
            *dialect.background_keywords,
            *dialect.scenario_keywords,
            *dialect.scenario_outline_keywords,
            *dialect.examples_keywords,
            *dialect.rule_keywords,
            *dialect.feature_keywords,
        ]
        begins = (dialect.given_keywords, dialect.when_keywords, dialect.then_keywords)
        joins = (dialect.and_keywords, dialect.but_keywords)
        words = {word for group in (*begins, *joins) for word in group}
        self._steps = sorted(words - {"* "}, key=len, reverse=True)

    def begin_outline(self, keyword: str) -> bool:
        """True for the keyword of a scenario that needs examples."""
        return keyword.strip() in self._outlines

    def meant_by(self, line: str) -> str:
        """The keyword that a line of prose has or was meant to have; empty for prose.

        A list may have its lines begin with `* `.
        """
        if line.startswith(("|", '"""', "```")):
            return "a sentence above it"
        step = next((word for word in self._steps if line.startswith(word)), "")
        return f"Scenario: above it, for {step.strip()}" if step else self._heading(line)

    def _heading(self, line: str) -> str:
        head, colon, _ = line.partition(":")
        known = {word.casefold(): word for word in self._headings}
        if colon:
            return _nearest(head.casefold(), known, _NEAR)
        return next(filter(None, (_nearest(w, known, _VERY_NEAR) for w in _starts(line))), "")


def _nearest(word: str, known: dict[str, str], cutoff: float) -> str:
    found = get_close_matches(word, known, n=1, cutoff=cutoff)
    return f"{known[found[0]]}:" if found else ""


def _starts(line: str) -> Iterator[str]:
    """The first word, and the first two or three."""
    words = line.casefold().split()
    for count in range(min(3, len(words)), 0, -1):
        yield " ".join(words[:count])
