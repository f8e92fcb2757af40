"""Promises about headers, as a cell of a table has them: `content-type ~ json; no server`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from greenrun.model.text import HEADER_NAME_CHARACTER, beginning

FORMS = "NAME = VALUE, NAME ~ PART, has NAME or no NAME"

_PRESENCE = re.compile(rf"(has|no) ({HEADER_NAME_CHARACTER}+)")
_VALUE = re.compile(rf"({HEADER_NAME_CHARACTER}+) ([=~]) (\S.*)")


@dataclass(frozen=True, slots=True)
class HeaderPromise:
    """One header, by its name in lower case. `sign` is `=`, `~`, `has` or `no`."""

    text: str
    name: str
    sign: str
    value: str = ""

    def broken_by(self, headers: Mapping[str, str]) -> str:
        """What was found instead; empty where the promise is kept. Values keep their case."""
        found = headers.get(self.name)
        if self._kept_by(found):
            return ""
        return f"{self.text}: got {'no such header' if found is None else beginning(found)}"

    def _kept_by(self, found: str | None) -> bool:
        if found is None or self.sign == "no":
            return found is None and self.sign == "no"
        if self.sign == "~":
            return self.value in found
        return self.sign == "has" or found == self.value


def read_promise(text: str) -> HeaderPromise:
    """Raises ValueError where the text is none of FORMS."""
    if said := _PRESENCE.fullmatch(text):
        return HeaderPromise(text, said[2].lower(), said[1])
    if said := _VALUE.fullmatch(text):
        return HeaderPromise(text, said[1].lower(), said[2], said[3])
    raise ValueError(text)
