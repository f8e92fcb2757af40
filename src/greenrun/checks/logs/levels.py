"""The level that a line of a log gives itself, in the forms that loggers write."""

import json
import re
from collections.abc import Iterator, Mapping

_SEVERE = frozenset(
    (
        *("ERROR", "ERR", "ERRO", "EROR", "FAIL", "SEVERE", "ALERT", "EMERG", "EMERGENCY"),
        *("CRITICAL", "CRIT", "FATAL", "FATA", "FTL", "PANIC", "PANI", "DPANIC"),
    )
)
_MILD = frozenset(
    (
        *("TRACE", "TRCE", "TRC", "VERBOSE", "VRB", "FINE", "FINER", "FINEST", "CONFIG", "LOG"),
        *("DEBUG", "DEBU", "DBUG", "DBG", "INFO", "INF", "INFORMATION", "NOTICE"),
        *("WARN", "WARNING", "WRN"),
    )
)
_LEVELS = _SEVERE | _MILD

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

_PHRASE = re.compile(
    r"Traceback \(most recent call last\)|Exception in thread |Unhandled exception|Uncaught "
    r"|panic: |fatal error: |thread '[^']{0,200}' (?:\(\d{1,20}\) )?panicked at "
    r"|PHP (?:Fatal|Parse) error: |Segmentation fault|terminate called after "
    r"|[EF]\d{4} \d\d:\d\d:\d\d"  # glog and klog: a level, month and day
    r"|[EF], \["  # Ruby's Logger
    r"|(?:[A-Za-z_][\w.$]{0,200})?(?:Error|Exception)(?: \[\w{1,100}\])?: "
    r"(?!\s*(?:0|null|none)\s*$)"
)
"""How a line begins that is an error, whatever else it says."""

_MILD_PHRASE = re.compile(r"[DIVW]\d{4} \d\d:|[DIUW], \[")

_HEAD, _MOST_TOKENS = 300, 10
"""Characters and words of a line among which its level stands: before the message."""

_TOKEN = re.compile(r"\[[^\[\]]*\]|[^\s\[]+|\[")
_WORD = re.compile(r"[<(|*]*(?:[\w-]+\.)?([A-Za-z]+)([:,|>)\]]|$)")
_IN_BRACKETS = re.compile(r"\[\s*(?:\w+:)?([A-Za-z]+)\s*\]")
_CAPITALS = re.compile(r"\b[A-Z]{3,}\b")
_TIME = re.compile(
    r"[^=]*\d[^=]*|\W+|Mon|Tue|Wed|Thu|Fri|Sat|Sun|UTC|GMT|[AP]M|(?:[A-Z][a-z]{2},?)"
)
_NOTHING = frozenset(("0", "null", "none", "nil", "undefined", "false", "no", '""', "''"))

_PAIRS = re.compile(r"[A-Za-z_][\w.-]*=")
_PAIR = re.compile(r'(?:^|\s)(?:log\.?)?(?:level|lvl|severity|levelname)="?([A-Za-z]+)"?(?=\s|$)')

_NAMED = (
    *("level_name", "levelname", "severity", "severity_text", "severityText", "level", "lvl"),
    *("log.level", "loglevel", "logLevel", "LogLevel", "Level", "@l", "@level"),
)
_NUMBERED = {"levelno": 40, "severity_number": 17, "severityNumber": 17}
"""From which number on it is an error: Python's, and OpenTelemetry's."""


def is_error(line: str) -> bool:
    """Return True where a line, or the JSON in it, says of itself that it is an error."""
    plain = _COLOUR.sub("", line).strip()
    if plain.startswith("{") and (fields := _fields(plain)) is not None:
        return _is_severe(fields)
    if _PHRASE.match(plain):
        return True
    if _MILD_PHRASE.match(plain):
        return False
    if _PAIRS.match(plain):
        named = _PAIR.search(plain)
        return named is not None and named[1].upper() in _SEVERE
    return _level(plain[:_HEAD]) in _SEVERE


def _level(head: str) -> str:
    """Return the first level, as long as all before it is a time, a name or the like."""
    tokens = list(_TOKEN.finditer(head))[:_MOST_TOKENS]
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        if level := _level_in(token[0]):
            message = head[token.end() :].strip(" \t:-|")
            return "" if message.lower() in _NOTHING else level
        if not (_TIME.fullmatch(token[0]) or token[0][0] == "[" or _is_name_before(after)):
            break
    return ""


def _level_in(token: str) -> str:
    """Small letters make a level where it stands in brackets, or before a colon."""
    if token[0] == "[":
        alone = _IN_BRACKETS.fullmatch(token)
        found = alone[1].upper() if alone else ""
        return (
            found
            if found in _LEVELS
            else next(filter(_LEVELS.__contains__, _CAPITALS.findall(token)), "")
        )
    said = _WORD.match(token)
    if said is None or said[1].upper() not in _LEVELS:
        return ""
    return said[1].upper() if said[1].isupper() or said[2] == ":" else ""


def _is_name_before(after: re.Match[str] | None) -> bool:
    """Return True where a separator, or brackets, tell a logger's name from a message."""
    return after is not None and (after[0][0] == "[" or not re.search(r"\w", after[0]))


def _fields(text: str) -> Mapping[str, object] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_severe(fields: Mapping[str, object]) -> bool:
    """By the first name of a level; where there is none, by a number."""
    if name := next(_names(fields), ""):
        return name in _SEVERE
    if any(_number(fields.get(key)) >= least for key, least in _NUMBERED.items()):
        return True
    if "short_message" in fields and "level" in fields:  # GELF has the numbers of syslog
        return 0 <= _number(fields["level"]) <= 3
    number = max(_number(fields.get(key)) for key in ("level", "lvl", "severity"))
    return 50 <= number < 100 or number >= 400  # pino and bunyan; Monolog


def _names(fields: Mapping[str, object]) -> Iterator[str]:
    log = fields.get("log")
    values = [fields.get(key) for key in _NAMED]
    for value in (*values, log.get("level") if isinstance(log, dict) else None):
        letters = re.match(r"[A-Za-z]+", value) if isinstance(value, str) else None
        if letters and letters[0].upper() in _LEVELS:
            yield letters[0].upper()


def _number(value: object) -> float:
    """Return a number, also one in a text; -1 for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return -1
    return float(value) if re.fullmatch(r"\d{1,5}(\.0)?", str(value)) else -1
