"""Headers as HTTP carries them."""

import re
from collections.abc import Mapping

from greenrun.model.errors import CallFailed
from greenrun.model.text import HEADER_NAME_CHARACTER, beginning

_NAME = re.compile(f"{HEADER_NAME_CHARACTER}+")
_VALUE = re.compile(r"([!-~]([\t -~]*[!-~])?)?")
"""Source: RFC 9110, 5.5; what else it once allowed, servers read in ways of their own."""


def carried(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The same headers. Raises CallFailed for one that cannot be sent; it shows the name alone.

    Clients differ in what they do with such a value, and some show it when they refuse it.
    """
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise CallFailed(
                f"could not send the header {beginning(name)!r}: got a name that HTTP does not "
                "carry, needs letters, digits and hyphens"
            )
        if not _VALUE.fullmatch(value):
            raise CallFailed(
                f"could not send the header {name}: got a value that HTTP does not carry, needs "
                "ASCII letters in one line, without blanks around them",
                hint="look at the secret that it is made of: an umlaut, or a line break at its end",
            )
    return headers
