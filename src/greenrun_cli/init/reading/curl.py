"""Requests that people make by hand, with `curl` and `jq`, and what they expect of the answer."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from greenrun_cli.init.facts import Call, Facts
from greenrun_cli.init.reading.shell import Command, Comment, plain, unknown

_URL = re.compile(
    r"(?:\u2039[^\u203a]*\u203a|https?://[^/?#]+|(?:localhost|127\.0\.0\.1)(?::\d+)?)(/[^#]*)?"
)
_ELSEWHERE = re.compile(r"https?://[^/]*(google|github|docker|pypi|npmjs|slack)[^/]*/")
_EXPECTS = re.compile(
    r"(?i)(?:expect|should|return|want|HTTP(?:/[\d.]+)?|status|attendu|retourne|doit|devrait|->|=>"
    r"|\u2192)[^\d{\[\"']{0,30}\b([1-5]\d\d)\b|^\W*([1-5]\d\d)\b"
)
_FIELD = re.compile(r"\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")
_EQUALS = re.compile(r"\.([A-Za-z_][\w.]*)\s*==\s*(\"[^\"]*\"|[\w.]+)")
_QUOTED = re.compile(r"[\"'`]([^\"'`;|]{1,60})[\"'`]")
_METRIC = re.compile(r"[-*\s]*([a-z][a-z0-9_]{5,}_[a-z0-9_]*)(?:\{[^}]*\})?(?:\s|$)")
_PLAIN = re.compile(r"[\w.,:!?'()/ -]{1,60}")
_VALUED = {"-X": "method", "--request": "method", "-H": "header", "--header": "header"}
_BODY = frozenset({"-d", "--data", "--data-raw", "--data-binary", "--json"})
_PASSED_OVER = frozenset(
    {"-o", "--output", "-w", "--write-out", "-m", "--max-time", "--retry", "--connect-timeout"}
    | {"-u", "--user", "-A", "--user-agent", "--retry-delay", "-b", "--cookie"}
)
_HARMLESS = ("content-type", "accept", "user-agent")
_ELLIPSIS = "\u2026"


@dataclass
class Calls:
    """Collects requests, each with the comments that follow it."""

    facts: Facts
    file: str
    _last: Call | None = None
    _field: str = ""

    def command(self, command: Command) -> None:
        """Take a command in; whatever it is, comments that follow are not about an earlier one."""
        self.end()
        if command.words and command.words[0] == "curl":
            self._last = self._call(command, f"{self.file}:{command.line}")
            self._field = next(_fields(command.piped), "")

    def comment(self, comment: Comment) -> None:
        """Read what is expected, where a request came before."""
        if self._last is None:
            return
        call, text = self._last, plain(comment.text)
        if call.status is None and (said := _EXPECTS.search(text)):
            call = replace(call, status=int(said[1] or said[2]))
        promises = _of_json(text)
        if self._field and not promises and (quoted := _QUOTED.search(text)):
            promises = [f"{self._field} = {quoted[1]}"]
        if "metrics" in call.path and (named := _METRIC.match(text)):
            call = replace(call, families=(*call.families, named[1]))
        self._last = replace(call, promises=(*call.promises, *promises))

    def end(self) -> None:
        """Keep the last request with all that was expected of it."""
        if self._last is not None:
            self.facts.calls.append(self._last)
        self._last, self._field = None, ""

    def _call(self, command: Command, place: str) -> Call | None:
        options = _options(command.words[1:])
        shown = plain(" ".join(command.words))[:80]
        path = _path(options.get("url", ""))
        if path is None:
            return None
        if lacking := unknown(path) or unknown(options.get("body", "")):
            self.facts.skip(place, shown, f"{lacking} is not known from this file")
        elif asks_as := options.get("identity"):
            why = f"the header {asks_as} says who asks: give it a name in probes.identities"
            self.facts.skip(place, shown, why)
        elif "unread" in options:
            self.facts.skip(place, shown, f"{options['unread']} is not read")
        else:
            return _with_pipes(_made(path, options, place, command.wanted), command.piped)
        return None


def _made(path: str, options: Mapping[str, str], place: str, wanted: int | None) -> Call:
    method = options.get("method") or ("POST" if "body" in options else "GET")
    sends = options.get("body", "")
    return Call(method, path, place, status=wanted, sends=" ".join(sends.split()))


def _path(url: str) -> str | None:
    found = _URL.fullmatch(url)
    if found is None or _ELSEWHERE.match(url):
        return None
    return found[1] or "/"


def _options(words: Sequence[str]) -> dict[str, str]:
    """The URL, the method, the body; who asks; and what is of no use here."""
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        value = rest[0] if rest else ""
        if word in _VALUED or word in _BODY or word in _PASSED_OVER or word in {"-F", "--form"}:
            rest = rest[1:]
        if word in _BODY:
            found |= _body(value)
        elif word in {"-F", "--form"}:
            found["unread"] = "a form"
        elif _VALUED.get(word) == "method":
            found["method"] = value
        elif _VALUED.get(word) == "header":
            found |= _header(value)
        elif word in {"-I", "--head"}:
            found["method"] = "HEAD"
        elif not word.startswith("-"):
            found.setdefault("url", word)
    return found


def _body(value: str) -> dict[str, str]:
    try:
        is_json = isinstance(json.loads(value), dict)
    except ValueError:
        is_json = False
    return {"body": value} if is_json and "|" not in value else {"unread": "a body that is no JSON"}


def _header(value: str) -> dict[str, str]:
    name = value.partition(":")[0].strip()
    return {} if name.lower() in _HARMLESS else {"identity": name}


def _with_pipes(call: Call, piped: Sequence[Sequence[str]]) -> Call:
    for words in piped:
        text = words[-1] if len(words) > 1 else ""
        if words[0] == "jq" and (equal := _EQUALS.search(text)):
            value = equal[2].strip('"')
            call = replace(call, promises=(*call.promises, f"{equal[1]} = {value}"))
        elif words[0] == "jq" and (field := _FIELD.fullmatch(text)):
            call = replace(call, promises=(*call.promises, f"has {field[1]}"))
        elif words[0] == "grep" and "metrics" in call.path and re.fullmatch(r"[a-z0-9_]+", text):
            call = replace(call, families=(*call.families, text))
    return call


def _fields(piped: Sequence[Sequence[str]]) -> Iterator[str]:
    for words in piped:
        if words[0] == "jq" and len(words) > 1 and (field := _FIELD.fullmatch(words[-1])):
            yield field[1]


def _of_json(text: str) -> list[str]:
    """What an object promises that people show, which may leave parts out by three dots."""
    begin = text.find("{")
    if begin < 0:
        return []
    whole = text[begin:].replace("{...}", "{}").replace("[...]", "[]")
    whole = re.sub(r",\s*\.\.\.\s*(?=[}\]])", "", whole).replace('"..."', f'"{_ELLIPSIS}"')
    try:
        found, _ = json.JSONDecoder().raw_decode(whole)
    except ValueError:
        return []
    return [_promise(str(name), value) for name, value in found.items()][:5]


def _promise(name: str, value: object) -> str:
    if isinstance(value, bool):
        return f"{name} = {str(value).lower()}"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and _ELLIPSIS not in value:
        return f"{name} = {value}"
    return f"has {name}"
