"""What a scalar without quotes means: the core schema of YAML 1.2."""

import re

Scalar = str | int | float | bool | None

_LONGEST_NUMBER = 40
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGERS = {
    10: re.compile(r"[-+]?[0-9]+"),
    8: re.compile(r"0o[0-7]+"),
    16: re.compile(r"0x[0-9a-fA-F]+"),
}
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


def resolved(text: str) -> Scalar:
    """What a scalar without quotes means in the core schema.

    `yes`, `on` and `12:30` are text and `010` is ten (YAML 1.2.2, section 10.3.2).
    """
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    for radix, pattern in _INTEGERS.items():
        if pattern.fullmatch(text):
            return int(text, radix)
    if not _FLOAT.fullmatch(text):
        return text
    return float(text.replace(".", "", 1) if text[-1].isalpha() else text)
