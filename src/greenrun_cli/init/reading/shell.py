"""Shell scripts as the commands that they give, without running them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

_PROMPT = re.compile(r"(?m)^(\s*)(\$|%|PS [^>\n]{0,80}>|>)(?= \S)")
_ASSIGNED_AS_IN_POWERSHELL = re.compile(r"(?m)^(\s*)\$(\w+)(\s?=\s?)(?=\S)")
_PLACEHOLDER = re.compile(r"<([\w.@ -]{1,60})>")
_EXPRESSION = re.compile(r"\$\{\{\s*([^}\n]{1,100}?)\s*\}\}")
_ENVIRONMENT = re.compile(r"(?:env|vars)\.(\w+)")
_COMPARED = re.compile(r"(?:=|==|-eq|!=|-ne)\s*[\"']?([1-5]\d\d)\b")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

MARK = "\u2039{}\u203a"
"""What stands for a value that the script does not tell; no shell has these quotes."""

_MARKED = re.compile("\u2039([^\u203a]*)\u203a")


def unknown(text: str) -> str:
    """The first part of a word that the script does not tell; empty where it tells all."""
    found = _MARKED.search(text)
    return found[1] if found else ""


def plain(text: str) -> str:
    """A word as people know it."""
    return _MARKED.sub(r"\1", text)


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its words; `piped` are the commands that read its output.

    `wanted` is the status of an answer that the script compares its output with.
    """

    words: tuple[str, ...]
    line: int
    piped: tuple[tuple[str, ...], ...] = ()
    wanted: int | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """What people say beside commands, or what a command is shown to answer."""

    text: str
    line: int


def read(
    script: str, first_line: int = 1, variables: dict[str, str] | None = None
) -> Iterator[Command | Comment]:
    """Yield commands and comments in their order.

    `variables` are known before, and those that the script sets are known after.
    """
    source = _as_bash(script).encode()
    known = {} if variables is None else variables
    yield from _Reader(source, first_line, known).read(_parser().parse(source).root_node)


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bash.language()))


def _as_bash(script: str) -> str:
    """Without what documents put around scripts; every line stays where it is."""
    if any(match[2] != ">" for match in _PROMPT.finditer(script)):
        script = "\n".join(_as_typed(script.splitlines()))
    script = _ASSIGNED_AS_IN_POWERSHELL.sub(
        lambda found: f"{found[1]}{found[2]}{found[3].strip()}", script
    )
    script = _EXPRESSION.sub(_expression, script)
    return _PLACEHOLDER.sub(lambda found: MARK.format(found[1].replace(" ", "_")), script)


def _as_typed(lines: list[str]) -> Iterator[str]:
    """Of a session at a terminal: what was typed, and its output as comments."""
    continues = False
    for line in lines:
        prompt = _PROMPT.match(line)
        typed = line[prompt.end() :] if prompt else line
        is_typed = prompt is not None or continues or line.lstrip().startswith("#")
        yield typed if is_typed or not line.strip() else f"# {line}"
        continues = is_typed and line.endswith("\\")


def _expression(found: "re.Match[str]") -> str:
    """A GitHub expression: a variable of the workflow, or something that nobody knows here."""
    named = _ENVIRONMENT.fullmatch(found[1])
    return f"${{{named[1]}}}" if named else MARK.format(found[1])


@dataclass
class _Reader:
    source: bytes
    first_line: int
    variables: dict[str, str]

    def read(self, node: Node) -> Iterator[Command | Comment]:
        """Yield what is below a node, in the order of the script."""
        match node.type:
            case "comment":
                yield Comment(self._source(node).lstrip("# ").rstrip(), self._line(node))
            case "variable_assignment":
                yield from self._below(node)
                self._assign(node)
            case "command":
                yield from self._nested(node)
                yield self._command(node)
            case "pipeline" if self._source(node).startswith("curl"):
                yield from self.read(node.named_children[0])  # the others read what it answers
            case "heredoc_body":
                return
            case _:
                yield from self._below(node)

    def _below(self, node: Node) -> Iterator[Command | Comment]:
        for child in node.named_children:
            yield from self.read(child)

    def _nested(self, node: Node) -> Iterator[Command | Comment]:
        """Commands whose output is a word of this one."""
        for child in node.named_children:
            for inner in _descendants(child):
                if inner.type == "command_substitution":
                    yield from self._below(inner)

    def _command(self, node: Node) -> Command:
        words = [child for child in node.named_children if "redirect" not in child.type]
        named = [child for child in words if child.type != "variable_assignment"]
        return Command(
            tuple(self._word(child) for child in named),
            self._line(node),
            tuple(self._piped(node)),
            self._wanted(node),
        )

    def _piped(self, node: Node) -> Iterator[tuple[str, ...]]:
        if node.parent is None or node.parent.type != "pipeline":
            return
        for later in node.parent.named_children:
            if later.start_byte > node.start_byte and later.type == "command":
                yield tuple(self._word(child) for child in later.named_children)

    def _wanted(self, node: Node) -> int | None:
        """The status that a test around the command, or one of its variable, compares with."""
        above, named = node.parent, ""
        while above is not None and above.type not in {"program", "compound_statement"}:
            if above.type == "test_command":
                return _status(_COMPARED.search(self._source(above)))
            if above.type == "variable_assignment":
                named = self._source(above.named_children[0])
            above = above.parent
        return self._compared_later(named, node.end_byte) if named else None

    def _compared_later(self, name: str, begin: int) -> int | None:
        rest = self.source[begin : begin + 1000].decode(errors="replace")
        compared = re.search(rf"\$\{{?{re.escape(name)}\}}?[\"']?\s*{_COMPARED.pattern}", rest)
        return _status(compared)

    def _assign(self, node: Node) -> None:
        name, *value = node.named_children
        self.variables[self._source(name)] = self._word(value[0]) if value else ""

    def _word(self, node: Node) -> str:
        match node.type:
            case "raw_string" | "ansi_c_string":
                return self._source(node).lstrip("$")[1:-1]
            case "string":
                return self._string(node)
            case "concatenation" | "command_name":
                return "".join(self._word(child) for child in node.named_children)
            case "simple_expansion" | "expansion":
                return self._expanded(node)
            case "command_substitution" | "process_substitution" | "arithmetic_expansion":
                return MARK.format(self._source(node))
            case _:
                return _ESCAPED.sub(lambda found: found[1].strip("\n"), self._source(node))

    def _string(self, node: Node) -> str:
        """What stands between two quotes: text as it is, and expansions in it."""
        found, at = "", node.start_byte + 1
        for child in node.named_children:
            found += self._text(at, child.start_byte)
            is_text = child.type == "string_content"
            found += self._text(child.start_byte, child.end_byte) if is_text else self._word(child)
            at = child.end_byte
        return found + self._text(at, node.end_byte - 1)

    def _text(self, begin: int, end: int) -> str:
        text = self.source[begin:end].decode(errors="replace")
        return re.sub(r"\\([\"\\$`\n])", lambda found: found[1].strip("\n"), text)

    def _expanded(self, node: Node) -> str:
        name, *otherwise = node.named_children or [node]
        if (known := self.variables.get(self._source(name))) is not None:
            return known
        return self._word(otherwise[0]) if otherwise else MARK.format(self._source(node))

    def _source(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode(errors="replace")

    def _line(self, node: Node) -> int:
        return self.first_line + int(node.start_point[0])


def _descendants(node: Node) -> Iterator[Node]:
    yield node
    for child in node.named_children:
        yield from _descendants(child)


def _status(found: "re.Match[str] | None") -> int | None:
    return int(found[1]) if found else None


def filled(text: str, variables: Mapping[str, str]) -> str:
    """A word of a file that is no script, with `$NAME` and `${NAME}` filled in."""

    def value(found: "re.Match[str]") -> str:
        return variables.get(found[1] or found[2], MARK.format(found[0]))

    return re.sub(r"\$\{(\w+)\}|\$(\w+)", value, _EXPRESSION.sub(_expression, text))
