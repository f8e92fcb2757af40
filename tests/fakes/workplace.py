"""A working tree in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from greenrun.model.errors import CallFailed
from greenrun.model.image import Checkout, Distance
from greenrun.model.interfaces import Ended, Leak, Timeout


@dataclass
class FakeSourceControl:
    """A clean tree on main, in step with its remote, until a test says otherwise."""

    state: Checkout = field(
        default_factory=lambda: Checkout("c0ffee" * 6 + "c0ff", "main", (), ("Add the shop",))
    )
    apart: Distance | None = field(default_factory=lambda: Distance(0, 0))
    commits: set[str] = field(default_factory=set)
    committed: list[tuple[Sequence[Path], str]] = field(default_factory=list)
    is_checkout: bool = True
    is_shallow: bool = False

    def checkout(self) -> Checkout | None:
        return self.state if self.is_checkout else None

    def distance(self, remote: str, branch: str) -> Distance | None:
        assert remote
        assert branch
        return self.apart

    def contains(self, commit: str) -> bool | None:
        if commit in self.commits or self.state.commit.startswith(commit):
            return True
        return None if self.is_shallow else False

    def commit(self, paths: Sequence[Path], message: str) -> str:
        self.committed.append((paths, message))
        return self.state.commit


@dataclass
class FakeCommands:
    """Commands by their first word; an unknown one is not there."""

    ends: dict[str, Ended] = field(default_factory=dict)

    def run(self, command: Sequence[str], timeout: Timeout) -> Ended:
        assert timeout.within > timedelta()
        if command[0] not in self.ends:
            raise CallFailed(f"could not run {command[0]}: there is no such command")
        return self.ends[command[0]]


@dataclass
class FakeScanner:
    """Finds what a test has hidden, by file name."""

    hidden: list[Leak] = field(default_factory=list)

    def leaks(self, files: Sequence[Path], known: Path | None) -> Sequence[Leak]:
        del known
        names = {file.name for file in files}
        return [leak for leak in self.hidden if Path(leak.file).name in names]

    def in_text(self, name: str, text: str) -> Sequence[Leak]:
        del text
        return [leak for leak in self.hidden if leak.file == name]
