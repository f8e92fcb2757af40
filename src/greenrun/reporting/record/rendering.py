"""A record as people read it: filled into greenrun's template, or into one of the repository."""

import re
import traceback
from datetime import datetime
from pathlib import Path

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
)

from greenrun.model.errors import Complaint, SettingsError
from greenrun.model.objective import Quantity
from greenrun.reporting.record.record import Record

_OWN = "greenrun/template.md.j2"
_ENTRY = "greenrun/entry.md.j2"


def as_markdown(record: Record) -> str:
    """The record in greenrun's own words."""
    return _tidy(_templates(None).get_template(_OWN).render(record=record))


def by_template(record: Record, directory: Path, template: str) -> str:
    """The record in the words of a template, whose path is relative to `directory`.

    Raises:
        SettingsError: it cannot be read or filled; names its line.
    """
    if not template:
        return as_markdown(record)
    try:
        return _templates(directory).get_template(template).render(record=record)
    except Exception as error:  # a template is a program of the user's: it may fail with anything
        raise SettingsError([_complaint(error, directory, template)]) from error


def as_entry(record: Record, link: str) -> str:
    """Write the entry of a changelog; `link` leads from there to the record."""
    return _tidy(_templates(None).get_template(_ENTRY).render(record=record, link=link))


def _templates(directory: Path | None) -> Environment:
    own = PrefixLoader({"greenrun": PackageLoader("greenrun.reporting.record", "")})
    theirs = [FileSystemLoader(directory)] if directory else []
    environment = Environment(  # noqa: S701 - Markdown, whose markup `cell` escapes
        loader=ChoiceLoader([own, *theirs]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(cell=_cell, when=_when, spent=_spent, figure=_figure)
    return environment


def _complaint(error: Exception, directory: Path, template: str) -> Complaint:
    file, line = _place(error, directory, template)
    return Complaint(
        file=file,
        line=line,
        key="record.template",
        got=_reason(error),
        needs="a jinja2 template over what docs/record.md lists",
    )


def _reason(error: Exception) -> str:
    if isinstance(error, TemplateNotFound):
        return f"no file {error.name}"
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def _place(error: Exception, directory: Path, template: str) -> tuple[str, int]:
    """The file and line at fault; jinja2 puts those of templates into the traceback."""
    if isinstance(error, TemplateSyntaxError):
        return error.name or template, error.lineno
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.suffix != ".py" and path.is_relative_to(directory):
            return str(path.relative_to(directory)), frame.lineno or 0
    return template, 0


def _tidy(text: str) -> str:
    """What blocks that were left out have left behind is one empty line."""
    return "\n\n".join(part.strip("\n") for part in text.split("\n\n") if part.strip()) + "\n"


_INERT = str.maketrans(
    {
        **{mark: f"\\{mark}" for mark in "\\`[]|"},
        "<": "&lt;",
        ">": "&gt;",
        "&": "&amp;",
        "@": "&#64;&zwnj;",
    }
)
_LINK = re.compile(r"(?<=:)//|(?<=www)\.", re.IGNORECASE)
"""What GitHub makes links of by itself. Source: https://github.github.com/gfm/#autolinks-extension-"""


def _cell(value: object) -> str:
    """Write text on one line, in which nothing is a link, an image, HTML, code or a border.

    What a candidate says gets into a record: as text alone, without control sequences.
    """
    text = " ".join(str(value).split())
    printable = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    return _LINK.sub(_as_entities, printable.translate(_INERT))


def _as_entities(found: re.Match[str]) -> str:
    return "".join(f"&#{ord(one)};" for one in found[0])


def _when(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _spent(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _figure(value: Quantity | None) -> str:
    return "-" if value is None else _cell(value)
