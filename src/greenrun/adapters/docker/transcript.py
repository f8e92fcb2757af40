"""The log of one build, and the failure that it tells of."""

import re
import time

from greenrun.model.errors import DeadlineExceeded, GateClosed
from greenrun.model.interfaces import Watch
from greenrun.model.plan import BuildPlan
from greenrun.model.text import Tail

_END = 30
"""Lines of a log that tell why a build failed."""

_SHOWN_EVERY_SECONDS = 1.0

_LEFT_OUT = re.compile(r"[/ \"](\.git|reports)\b")


class Transcript:
    """Shows each instruction as it starts, and keeps the log of a build by `builder`."""

    def __init__(self, reference: str, builder: str, watch: Watch) -> None:
        self.instruction = "the Dockerfile"
        self.builder = builder
        self._reference = reference
        self._watch = watch
        self._written = Tail()
        self._shown = float("-inf")

    @property
    def text(self) -> str:
        """The log so far; of a very long one, the end."""
        return str(self._written)

    def begin(self, instruction: str) -> None:
        """Go on to an instruction."""
        self.instruction = instruction
        self._watch(instruction)

    def add(self, text: str) -> None:
        """Keep what was written."""
        self._written.add(text)

    def note(self, line: str) -> None:
        """Tell a line, and keep it."""
        self._written.add(f"{line}\n")
        self._watch(line)

    def progress(self, line: str) -> None:
        """Tell how far an instruction is, once a second."""
        now = time.monotonic()
        if now - self._shown >= _SHOWN_EVERY_SECONDS:
            self._shown = now
            self._watch(line)

    def failure(self, reason: str, hint: str = "") -> GateClosed:
        """The error of a build that was given up, with the end of the log."""
        end = "\n".join(self.text.splitlines()[-_END:])
        return GateClosed(
            f"could not build {self._reference}: {self.instruction} failed: got {reason.strip()}, "
            f"needs a Dockerfile that {self.builder} builds\n{end}".rstrip(),
            hint=hint or _hint(self.instruction, reason),
        )

    def over_budget(self, plan: BuildPlan) -> DeadlineExceeded:
        """The error of a build that took longer than it may."""
        return DeadlineExceeded(
            f"the build of {self._reference} by {self.builder}",
            after=plan.within,
            last_seen=self.instruction,
            hint="raise `build.timeout` in release.yaml, or make that instruction cheaper",
        )


def _hint(instruction: str, reason: str) -> str:
    if " FROM " in f" {instruction} " or "load metadata for" in instruction:
        return "pull the base image, or name one that can be reached"
    if _LEFT_OUT.search(reason):
        return ".git and reports/ are left out of every build; hand in what it needs of them"
    return ""
