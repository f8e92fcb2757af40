"""Values that one answer gives and later requests say: `{name}` stands for them."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from urllib.parse import quote
from uuid import uuid4

STARS = "********"

UNIQUE = "unique"
"""The name of a value that no other table has."""

_PLACE = re.compile(r"\{([a-z_]\w*)\}")
_PLAIN = re.compile(r"[^\s;\"]+")


def places(text: str) -> tuple[str, ...]:
    """The names that a text has places for."""
    return tuple(_PLACE.findall(text))


def places_in(template: object) -> frozenset[str]:
    """The names that the texts of a JSON document have places for; keys have none."""
    if isinstance(template, str):
        return frozenset(places(template))
    if not isinstance(template, dict | list):
        return frozenset()
    inner = template.values() if isinstance(template, dict) else template
    return frozenset(chain.from_iterable(map(places_in, inner)))


@dataclass
class Values:
    """What is known by name. Those that are secret never show."""

    known: dict[str, object] = field(default_factory=dict, repr=False)
    secret: set[str] = field(default_factory=set)

    @classmethod
    def of_a_table(cls) -> "Values":
        """What is known before anything was answered: one value that is new."""
        return cls({UNIQUE: uuid4().hex})

    def keep(self, name: str, value: object, *, secret: bool = False) -> None:
        """Know a value from now on; another of that name is forgotten."""
        self.known[name] = value
        if secret:
            self.secret.add(name)

    def in_text(self, text: str) -> str:
        """A text with every place filled."""
        return self._filled(text, written)

    def in_path(self, path: str) -> str:
        """A URL's path with every place filled, as one segment or one argument each."""
        return self._filled(path, lambda value: quote(written(value), safe=""))

    def in_promise(self, text: str) -> str:
        """A promise about JSON with every place filled; what could be misread stands in quotes."""
        return self._filled(text, _unmistakable)

    def in_document(self, template: object) -> object:
        """A JSON document; a string that is one place alone becomes the value, of its own type."""
        if isinstance(template, dict):
            return {key: self.in_document(value) for key, value in template.items()}
        if isinstance(template, list):
            return [self.in_document(value) for value in template]
        if not isinstance(template, str):
            return template
        alone = _PLACE.fullmatch(template)
        return self.known[alone[1]] if alone else self.in_text(template)

    def hide(self, text: str) -> str:
        """A text without any secret value."""
        for value in sorted(map(written, self._secrets()), key=len, reverse=True):
            for shape in (value, json.dumps(value)[1:-1], quote(value, safe="")):
                text = text.replace(shape, STARS) if shape else text
        return text

    def _secrets(self) -> list[object]:
        return [value for name, value in self.known.items() if name in self.secret]

    def _filled(self, text: str, write: Callable[[object], str]) -> str:
        return _PLACE.sub(lambda place: write(self.known[place[1]]), text)


def written(value: object) -> str:
    """A string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _unmistakable(value: object) -> str:
    plain = not isinstance(value, str) or _PLAIN.fullmatch(value)
    return written(value) if plain else json.dumps(value)
