"""Binds every sentence to its step definition before anything runs.

pytest lists fixtures, which step definitions are, only in its private `session._fixturemanager`.
"""

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
from pytest_bdd import parsers
from pytest_bdd.compat import get_fixture_names, getfixturedefs
from pytest_bdd.gherkin_parser import DataTable, Location
from pytest_bdd.parser import Step
from pytest_bdd.steps import StepFunctionContext as Definition
from pytest_bdd.steps import StepNamePrefix, step_function_context_registry
from pytest_bdd.utils import get_required_args

from greenrun.plugin.gherkin.milestones import Milestone, reached_by
from greenrun.plugin.gherkin.tags import nearest

Rows = Sequence[Sequence[str]]
F = TypeVar("F", bound=Callable[..., object])

_FORMS: dict[Callable[..., object], "TableForm"] = {}
_ALMOST = 0.85
"""How much a line of prose is like a sentence that was meant."""
_PACKAGE = __name__.partition(".")[0]

__all__ = [
    "Definition",
    "Vocabulary",
    "complaint",
    "form_of",
    "parameters",
    "read_table",
    "reads",
    "table_faults",
    "vocabulary",
]


class TableFault(Protocol):
    """What is wrong with a table: in a row (from 1 on; 0 is the head) and a column, if in one."""

    @property
    def text(self) -> str: ...
    @property
    def row(self) -> int: ...
    @property
    def column(self) -> str: ...


class TableForm(Protocol):
    """How the table below a sentence is read."""

    @property
    def what(self) -> str: ...
    @property
    def names(self) -> Sequence[str]: ...
    def read(self, table: Rows, /) -> object: ...
    def faults(self, table: Rows, folder: Path, /) -> Sequence[TableFault]: ...


def reads(form: TableForm) -> Callable[[F], F]:
    """Declare how the table of a sentence is read: its step gets as `datatable` what the rows make.

    Every table is read before the first scenario runs.
    """

    def declare(step_function: F) -> F:
        _FORMS[step_function] = form
        return step_function

    return declare


def form_of(definition: Definition) -> TableForm | None:
    """How the table below a sentence is read; None where it takes none."""
    return _FORMS.get(definition.step_func)


def read_table(sentence: Step, definition: Definition) -> object:
    """What a sentence's table is to its step."""
    assert sentence.datatable is not None  # noqa: S101 - the caller has looked
    form = form_of(definition)
    return form.read(_rows(sentence.datatable)) if form else sentence.datatable.raw()


def table_faults(sentence: Step, definition: Definition, folder: Path) -> Iterator[str]:
    """Everything that is wrong with a sentence's table, each with its line and column."""
    form = form_of(definition)
    if form is None:
        yield from _unread(sentence, definition)
        return
    if sentence.datatable is None:
        yield f'{sentence.line_number}: "{sentence.name}" needs a table of {form.what}'
        return
    for fault in form.faults(_rows(sentence.datatable), folder):
        place = _place_in(sentence.datatable, fault)
        yield f"{place.line}:{place.column}: table of {form.what}: {fault.text}"


def _unread(sentence: Step, definition: Definition) -> Iterator[str]:
    """What stands below a sentence, or does not, against what its step function takes."""
    accepted, required = parameters(definition.step_func)
    below = {"datatable": sentence.datatable, "docstring": sentence.docstring}
    for name, what in (("datatable", "table"), ("docstring", "text")):
        if below[name] is not None and name not in accepted:
            yield f'{sentence.line_number}: "{sentence.name}" takes no {what}: nobody would read it'
        if below[name] is None and name in required:
            yield f'{sentence.line_number}: "{sentence.name}" needs a {what} below it'


@cache
def parameters(function: Callable[..., object]) -> tuple[frozenset[str], Sequence[str]]:
    """All parameters of a step function, and those without a default."""
    return frozenset(inspect.signature(function).parameters), get_required_args(function)


def taken_from_fixtures(sentence: Step, definition: Definition) -> Iterator[str]:
    """What a step function takes beside what its sentence says."""
    said = {*(definition.parser.parse_arguments(sentence.name) or ()), "datatable", "docstring"}
    _, required = parameters(definition.step_func)
    yield from (name for name in required if name not in said)


def lacking(item: pytest.Item, name: str, known: set[str]) -> Iterator[str]:
    """What pytest could not find when a scenario asks for a name: itself, or what it rests on.

    `known` are the names that were looked at, or that sentences have made.
    """
    if name in known:
        return
    known.add(name)
    fixtures = item.session._fixturemanager  # noqa: SLF001, see the module's docstring
    found = getfixturedefs(fixtures, name, item)
    if not found:
        yield name
    for needed in found[-1].argnames if found else ():
        yield from lacking(item, needed, known)


def _rows(table: DataTable) -> Rows:
    return [list(map(str, row)) for row in table.raw()]


def _place_in(table: DataTable, fault: TableFault) -> Location:
    head, row = table.rows[0], table.rows[fault.row]
    columns = (
        cell.location
        for name, cell in zip(head.cells, row.cells, strict=False)
        if name.value == fault.column
    )
    return next(columns, row.location)


@dataclass(frozen=True)
class Known:
    """A step definition; `nearness` grows with the depth of the conftest that offers it.

    What this package brings is the farthest: it has a nearness below zero.
    """

    definition: Definition
    nearness: int

    @property
    def text(self) -> str:
        return self.definition.parser.name

    def may_begin(self, sentence: Step) -> bool:
        return self.definition.type in (None, sentence.type)


@dataclass
class Vocabulary:
    """The step definitions that a feature file can see."""

    known: Sequence[Known]
    _plain: dict[str, list[Known]] = field(default_factory=lambda: defaultdict(list))
    _patterns: list[Known] = field(default_factory=list)
    _found: dict[tuple[str, str], list[Definition]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for known in self.known:
            is_plain = type(known.definition.parser) is parsers.string
            (self._plain[known.text] if is_plain else self._patterns).append(known)

    def definitions(self, sentence: Step) -> list[Definition]:
        """All definitions that fit, of those the nearest. Exactly one is right."""
        key = (sentence.type, sentence.name)
        if key not in self._found:
            self._found[key] = self._nearest_fitting(sentence)
        return self._found[key]

    def milestones(self, sentence: Step) -> frozenset[Milestone]:
        """What a sentence reaches, by whatever definition: a nearer one does not change that."""
        fitting = (known for known in self._candidates(sentence) if known.may_begin(sentence))
        return frozenset[Milestone]().union(
            *(reached_by(known.definition.step_func) for known in fitting)
        )

    def reaching(self, milestone: Milestone) -> str:
        """The sentence that reaches a milestone, as it is written in a feature."""
        texts = (
            known.text
            for known in self.known
            if milestone in reached_by(known.definition.step_func)
        )
        return next(texts, "")

    def meant_by(self, prose: str) -> str:
        """The definition that a line of prose says, or nearly says, whatever its first word is."""
        texts = [text for text in (prose, prose.partition(" ")[2]) if text]
        for text in texts:
            if text in self._plain:
                return text
            fitting = (k.text for k in self._patterns if k.definition.parser.is_matching(text))
            if found := next(fitting, ""):
                return found
        known = [known.text for known in self.known]
        return next(filter(None, (nearest(text, known, _ALMOST) for text in texts)), "")

    def suggestion(self, sentence: Step) -> str:
        """The definition that was probably meant, or nothing."""
        return nearest(sentence.name, [k.text for k in self.known if k.may_begin(sentence)])

    def _nearest_fitting(self, sentence: Step) -> list[Definition]:
        fitting = [known for known in self._candidates(sentence) if known.may_begin(sentence)]
        nearest_of_all = max((known.nearness for known in fitting), default=0)
        return [known.definition for known in fitting if known.nearness == nearest_of_all]

    def _candidates(self, sentence: Step) -> Iterable[Known]:
        yield from self._plain.get(sentence.name, ())
        for known in self._patterns:
            if known.definition.parser.is_matching(sentence.name):
                yield known


def vocabulary(node: pytest.Collector) -> Vocabulary:
    """Everything that can be said in a feature file."""
    distinct = {id(known.definition): known for known in _visible(node)}
    return Vocabulary(list(distinct.values()))


def _visible(node: pytest.Collector) -> Iterator[Known]:
    fixtures = node.session._fixturemanager  # noqa: SLF001, see the module's docstring
    for name in get_fixture_names(fixtures):
        if not name.startswith(StepNamePrefix.step_def.value):
            continue
        for fixture in getfixturedefs(fixtures, name, node) or ():
            if definition := step_function_context_registry.get(fixture.func):
                yield Known(definition, _nearness(definition, fixture.baseid))


def _nearness(definition: Definition, folder: str) -> int:
    package = definition.step_func.__module__.partition(".")[0]
    return -1 if package == _PACKAGE else len(folder)


def complaint(sentence: Step, words: Vocabulary, root: Path) -> str:
    """What is wrong with a sentence that has not exactly one definition."""
    said = f"{sentence.keyword} {sentence.name}"
    if rivals := words.definitions(sentence):
        places = ", ".join(_place(rival, root) for rival in rivals)
        return f'"{said}" has {len(rivals)} step definitions: {places}'
    meant = words.suggestion(sentence)
    return f'"{said}" has no step definition' + (f'; nearest: "{meant}"' if meant else "")


def _place(definition: Definition, root: Path) -> str:
    code = definition.step_func.__code__
    path = Path(code.co_filename)
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    return f"{shown}:{code.co_firstlineno}"
