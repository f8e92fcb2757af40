"""Values that know where they were written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from greenrun.config.core_schema import Scalar
from greenrun.model.errors import Complaint

WHOLE_FILE = "whole file"


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands. `plain` is its text where it was written without quotes."""

    file: str
    line: int
    path: tuple[str, ...]
    value: Scalar | dict[str, "Node"] | list["Node"]
    plain: str = ""

    @property
    def key(self) -> str:
        """The path as complaints name it: `environments.local.canary.min-duration`."""
        return spelled(self.path)

    @property
    def entries(self) -> "dict[str, Node]":
        """The entries of a mapping; none for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def content(self) -> object:
        """The value without its places."""
        if isinstance(self.value, dict):
            return {name: entry.content for name, entry in self.value.items()}
        if isinstance(self.value, list):
            return [item.content for item in self.value]
        return self.value

    def nearest(self, path: Sequence[str]) -> "tuple[Node, tuple[str, ...]]":
        """The last node on a path below this one, and the keys that were not written."""
        node, absent = self, list(path)
        while absent and absent[0] in node.entries:
            node = node.entries[absent.pop(0)]
        return node, tuple(absent)

    def overlaid(self, other: "Node") -> "Node":
        """This one with the other's entries over its own, deeply; whatever else is replaced."""
        if not isinstance(self.value, dict) or not isinstance(other.value, dict):
            return other
        over = {
            name: self.value[name].overlaid(entry) if name in self.value else entry
            for name, entry in other.value.items()
        }
        return replace(self, value={**self.value, **over})

    def complaint(self, *, got: str, needs: str) -> Complaint:
        """What is wrong with this value."""
        return Complaint(self.file, self.line, self.key, got, needs)


def spelled(path: Iterable[str]) -> str:
    """A path in one line, whatever its keys hold."""
    shown = (name if name.isprintable() and name else repr(name) for name in path)
    return ".".join(name if len(name) <= 60 else f"{name[:57]}..." for name in shown) or WHOLE_FILE
