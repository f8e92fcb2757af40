"""Lists: the filter language that Logging and Monitoring share, and pages.

Source: https://cloud.google.com/logging/docs/view/logging-query-language
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, NamedTuple, NoReturn, TypeVar

from cloudrun_emulator.core.resource_names import invalid

Item = TypeVar("Item")
Predicate = Callable[[Item], bool]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:\\.|[^"\\])*")
      | (?P<operator>=~|!~|!=|>=|<=|[=<>:])
      | (?P<bracket>[()])
      | (?P<word>[^\s"=!<>:(),~]+)
      | (?P<unknown>\S)
    )""",
    re.VERBOSE | re.DOTALL,
)
LONGEST_FILTER = 20_000
"""Letters. Source: https://cloud.google.com/logging/quotas"""

DEEPEST = 100
"""Parentheses and NOTs inside one another."""

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_COMPARED_BY = ("=", "!=", ">=", "<=", ">", "<", ":")


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator value`, the value as text, unquoted."""

    field: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f'{self.field}{self.operator}"{self.value}"'


def compile_filter(text: str, term: Callable[[Comparison], Predicate[Item]]) -> Predicate[Item]:
    """The predicate that `text` describes; `term` gives that of each comparison in it.

    Understood: AND, OR, NOT, parentheses, comparisons with a quoted or bare value, or with values
    in parentheses; comparisons side by side are joined by AND. OR binds closer than AND, as on
    Google. Whatever else raises INVALID_ARGUMENT and names what was not understood; so may `term`.
    """
    if len(text) > LONGEST_FILTER:
        raise invalid(f"Filter: at most {LONGEST_FILTER} letters, got {len(text)}.")
    return _Parser(text, term).whole()


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


class _Parser(Generic[Item]):
    def __init__(self, text: str, term: Callable[[Comparison], Predicate[Item]]) -> None:
        self._tokens = [*_tokens(text), _Token("end", "the end", len(text), len(text))]
        self._position = 0
        self._depth = 0
        self._term = term

    def whole(self) -> Predicate[Item]:
        if self._next.kind == "end":
            return lambda _: True
        predicate = self._conjunction()
        if self._next.kind != "end":
            self._refuse()
        return predicate

    def _conjunction(self) -> Predicate[Item]:
        predicates = [self._disjunction()]
        while self._next.kind != "end" and self._next.text != ")":
            self._skip("AND")
            predicates.append(self._disjunction())
        return _all(predicates)

    def _disjunction(self) -> Predicate[Item]:
        predicates = [self._negation()]
        while self._skip("OR"):
            predicates.append(self._negation())
        return _any(predicates)

    def _negation(self) -> Predicate[Item]:
        if self._skip("NOT"):
            with self._deeper():
                return _not(self._negation())
        if self._skip("("):
            with self._deeper():
                predicate = self._conjunction()
            self._expect(")")
            return predicate
        return self._comparison()

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise invalid(f"Unparseable filter: more than {DEEPEST} levels at {self._next.start}.")
        yield
        self._depth -= 1

    def _comparison(self) -> Predicate[Item]:
        field = self._field()
        operator = self._next
        if operator.text not in _COMPARED_BY:
            self._refuse()
        self._take()
        if self._skip("("):
            return self._alternatives(field, operator.text)
        return self._term(Comparison(field, operator.text, self._value()))

    def _alternatives(self, field: str, operator: str) -> Predicate[Item]:
        """`field=("a" OR "b")`."""
        predicates = [self._term(Comparison(field, operator, self._value()))]
        while not self._skip(")"):
            self._expect("OR")
            predicates.append(self._term(Comparison(field, operator, self._value())))
        return _any(predicates)

    def _field(self) -> str:
        """Read a dotted path; others than words are quoted: `labels."run.googleapis.com/x"`."""
        if self._next.kind != "word" or self._next.text in ("AND", "OR", "NOT"):
            self._refuse()
        last = self._take()
        path = last.text
        while self._next.start == last.end and self._next.kind in ("string", "word"):
            last = self._take()
            path += _unquoted(last)
        return path

    def _value(self) -> str:
        if self._next.kind not in ("string", "word") or self._next.text in ("AND", "OR", "NOT"):
            self._refuse()
        value = self._take()
        if self._next.text == "(" and self._next.start == value.end:
            self._refuse(value)  # a function
        return _unquoted(value)

    @property
    def _next(self) -> _Token:
        return self._tokens[self._position]

    def _take(self) -> _Token:
        taken = self._next
        self._position += 1
        return taken

    def _skip(self, text: str) -> bool:
        found = self._next.kind != "string" and self._next.text == text
        if found:
            self._take()
        return found

    def _expect(self, text: str) -> None:
        if not self._skip(text):
            self._refuse()

    def _refuse(self, token: _Token | None = None) -> NoReturn:
        strange = token or self._next
        raise invalid(f"Unparseable filter: {strange.text} at {strange.start}.")


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        yield _Token(kind, match[kind], match.start(kind), match.end(kind))


def _unquoted(token: _Token) -> str:
    return _ESCAPED.sub(r"\1", token.text[1:-1]) if token.kind == "string" else token.text


def _all(predicates: Sequence[Predicate[Item]]) -> Predicate[Item]:
    if len(predicates) == 1:
        return predicates[0]
    return lambda item: all(predicate(item) for predicate in predicates)


def _any(predicates: Sequence[Predicate[Item]]) -> Predicate[Item]:
    if len(predicates) == 1:
        return predicates[0]
    return lambda item: any(predicate(item) for predicate in predicates)


def _not(predicate: Predicate[Item]) -> Predicate[Item]:
    return lambda item: not predicate(item)


LARGEST_PAGE = 1000
_PAGE_TOKEN = re.compile(r"[0-9]{1,18}")


def paginate(items: Sequence[Item], size: int, token: str) -> tuple[Sequence[Item], str]:
    """Return one page of `items` and the token of the next one (empty: the last).

    `size` 0 asks for the largest page. Raises INVALID_ARGUMENT for a negative size, and for
    a token that no page gave.
    """
    if size < 0:
        raise invalid(f"Page size must not be negative, got {size}.")
    if token and not _PAGE_TOKEN.fullmatch(token):
        raise invalid(f"Invalid page token '{token}'.")
    start = int(token or 0)
    end = start + min(size or LARGEST_PAGE, LARGEST_PAGE)
    return items[start:end], str(end) if end < len(items) else ""
