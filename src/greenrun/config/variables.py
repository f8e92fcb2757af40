"""env.yaml: the service's variables, as `--env-vars-file` takes them."""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from greenrun.config.complaints import shown
from greenrun.config.document import Complain, read_document
from greenrun.config.node import Node
from greenrun.config.values import VARIABLE_NAME
from greenrun.model.errors import Complaint

_LINES = 'lines of NAME: "value", or {} for none'
_OTHERWISE_IN_YAML_1_1 = re.compile(
    r"(?i:y|n|yes|no|on|off)"
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"  # base 60
    r"|[-+]?(0b)?[0-9][0-9_,]*(\.[0-9_]*)?"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"
)


def read_variables(
    directory: Path, file: str, secrets: Collection[str], complain: Complain
) -> dict[str, str]:
    """Read a flat map of text; `secrets` are the names that release.yaml fills already."""
    document = read_document(directory, file, complain)
    if document is None:
        return {}
    if not isinstance(document.value, dict):
        got = "a list" if isinstance(document.value, list) else shown(document.content)
        complain(document.complaint(got=got, needs=_LINES))
    for name, node in document.entries.items():
        for complaint in _complaints(name, node, secrets):
            complain(complaint)
    return {name: str(node.value) for name, node in document.entries.items()}


def _complaints(name: str, node: Node, secrets: Collection[str]) -> Iterator[Complaint]:
    if not VARIABLE_NAME.fits(name):
        yield node.complaint(got="this name", needs=VARIABLE_NAME.needs)
    if name in secrets:
        needs = "it there alone, or here alone"
        yield node.complaint(got="a variable that deploy.update-secrets fills too", needs=needs)
    if isinstance(node.value, dict | list):
        got = "a list" if isinstance(node.value, list) else "a mapping"
        yield node.complaint(got=got, needs="one text; put JSON in quotes")
    elif not isinstance(node.value, str) or _OTHERWISE_IN_YAML_1_1.fullmatch(node.plain):
        yield node.complaint(got=_unquoted(node), needs=json.dumps(node.plain, ensure_ascii=False))
    elif "\0" in node.value:
        yield node.complaint(got="text with a NUL", needs="text without one")


def _unquoted(node: Node) -> str:
    match node.value:
        case None:
            return "nothing"
        case bool():
            return f"the boolean {node.plain} without quotes"
        case int() | float():
            return f"the number {node.plain} without quotes"
        case _:
            return f"{node.plain} without quotes, which is no text in older YAML"
