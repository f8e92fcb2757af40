"""Every sentence that a feature can say, by its noun, as a page of Markdown."""

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from pytest_bdd.steps import StepFunctionContext as Definition
from pytest_bdd.steps import step_function_context_registry

from greenrun.config.loading import RELEASE_FILE
from greenrun.model.plan import REHEARSAL
from greenrun.plugin import plugin
from greenrun.plugin.gherkin.step_binding import TableForm, form_of
from greenrun.steps import pytest_plugins
from greenrun_cli.examples import OF_A_TABLE, PLACES

HEAD = """\
# What a feature can say

Every sentence of greenrun, by its noun. `greenrun sentences` prints this page, and below it what
your own `steps/` add. Columns in bold are needed, others may be left out. A sentence that no step
knows, or a cell that cannot be meant, stops a run before it begins; `greenrun check` tells.
"""
_OURS = "greenrun."
_OF_PYTEST_BDD = "pytest_bdd."  # a sentence that starts a debugger


def page(folder: Path) -> str:
    """The sentences of the package, then those of the release of a folder, if it has any."""
    if (folder / RELEASE_FILE).is_file():
        plugin.complaints(folder, REHEARSAL)  # imports what is said there
    known = definitions()
    nouns = dict.fromkeys([*pytest_plugins, *sorted(_module(each) for each in known)])
    sections = (_section(noun, [one for one in known if _module(one) == noun]) for noun in nouns)
    return "\n".join([HEAD, *filter(None, sections)]).rstrip()


def definitions() -> Sequence[Definition]:
    """Every step definition of the package, and of whatever else this process has imported."""
    for name in pytest_plugins:
        import_module(name)
    known = step_function_context_registry.values()
    return [one for one in known if not _module(one).startswith(_OF_PYTEST_BDD)]


def _module(definition: Definition) -> str:
    return str(definition.step_func.__module__)


def _section(module: str, definitions: Sequence[Definition]) -> str:
    if not definitions:
        return ""
    said = (sys.modules[module].__doc__ or module).splitlines()[0].rstrip(".")
    whose = "" if module.startswith(_OURS) else f" ({module})"
    return "\n".join([f"## {said}{whose}", *map(_entry, definitions), ""])


def _entry(definition: Definition) -> str:
    form = form_of(definition)
    table = f": a table of {form.what}, with {_columns(form)}" if form else ""
    return "\n".join(
        [f"- `{keyword(definition)} {definition.parser.name}`{table}", *_shown(definition)]
    )


def keyword(definition: Definition) -> str:
    """What the sentence begins with; `*` where any will do."""
    return (definition.type or "*").capitalize()


def _columns(form: TableForm) -> str:
    required = {column.name for column in getattr(form, "columns", ()) if column.required}
    return ", ".join(f"**{name}**" if name in required else name for name in form.names)


def _shown(definition: Definition) -> Iterator[str]:
    lines = list(example(definition))
    if lines != [f"{keyword(definition)} {definition.parser.name}"]:
        yield "  ```gherkin"
        yield from (f"  {line}" for line in lines)
        yield "  ```"


def example(definition: Definition) -> Iterator[str]:
    """The sentence as a feature says it: its places filled, its table below it."""
    sentence = definition.parser.name
    for place, text in PLACES.items():
        sentence = sentence.replace(place, text)
    yield f"{keyword(definition)} {sentence}"
    form = form_of(definition)
    yield from aligned(OF_A_TABLE.get(form.what, ())) if form else ()


def aligned(rows: Sequence[Sequence[str]], indent: str = "  ") -> Iterator[str]:
    """A table as features have it, its columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"{indent}| {' | '.join(cells)} |"
