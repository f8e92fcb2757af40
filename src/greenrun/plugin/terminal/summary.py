"""What a release came to, in the last lines of its run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from greenrun.model.errors import Hinted, ManualActionRequired
from greenrun.model.results import RunSummary
from greenrun.plugin.run.results import ScenarioResults
from greenrun.plugin.run.selection import RunMode, StopPolicy
from greenrun.plugin.terminal.screen import Screen


@dataclass(frozen=True)
class Summary:
    """Everything that the last lines are made of.

    `whole` means that no scenario was left out, `came_about` that it did what it was for,
    `is_released` that the candidate serves the users of the target, whatever came after.
    """

    results: ScenarioResults
    stop_policy: StopPolicy
    target: str
    whole: bool
    came_about: bool
    is_released: bool
    interrupted: str = ""
    needs_person: Sequence[ManualActionRequired] = ()
    report: str = ""

    @property
    def went_well(self) -> bool:
        failed = self.needs_person or self.interrupted or self.results.failed
        return self.came_about and not failed

    @property
    def headline(self) -> str:
        words = self.stop_policy.mode.words
        if self.needs_person:
            return "A PERSON IS NEEDED: not everything is as it was before"
        if self.went_well:
            return self._success
        if self.is_released:
            what = f"interrupted by {self.interrupted}" if self.interrupted else self._after
            return words.unfinished.format(target=self.target, what=what)
        if self.interrupted:
            return words.interrupted.format(target=self.target, signal=self.interrupted)
        if self.results.failed:
            return words.stopped.format(target=self.target, place=self.stop_policy.stopped_at)
        return words.missed.format(target=self.target)

    @property
    def _success(self) -> str:
        mode = self.stop_policy.mode
        if self.whole or mode.is_emergency:
            return mode.words.done.format(target=self.target)
        if self.is_released:
            return f"Released to {self.target}, in part unproven: scenarios were left out"
        places = ", ".join(self.stop_policy.environments)
        return f"Passed on {places}, in part: this is no whole {mode.noun}"

    @property
    def _after(self) -> str:
        return f"what came after failed: {self.stop_policy.stopped_at}"

    def facts(self, redact: Callable[[str], str]) -> RunSummary:
        """The same, for those who read no terminal."""
        return RunSummary(
            headline=redact(self.headline),
            succeeded=self.went_well,
            environments=self.results.figures(),
            report=redact(self.report),
            next_steps=tuple(map(redact, self.next_steps)),
        )

    @property
    def next_steps(self) -> list[str]:
        if self.needs_person:
            return list(dict.fromkeys(map(str, self.needs_person)))
        if self.interrupted:
            return ["the same command begins anew"]
        if self.results.failed:
            hints = [error.hint for error in self._obstacles if isinstance(error, Hinted)]
            return list(dict.fromkeys(filter(None, hints))) or [
                "mend it, then give the same command"
            ]
        return []

    @property
    def _obstacles(self) -> Sequence[BaseException]:
        """What comes after the first failure may only follow from it, except in a plan."""
        return (
            self.results.errors
            if self.stop_policy.mode is RunMode.PLAN
            else self.results.errors[:1]
        )


def show(summary: Summary, screen: Screen) -> None:
    """Write the last lines."""
    screen.line()
    well = summary.went_well
    screen.paragraph(summary.headline, bold=True, green=well, red=not well)
    for environment, figures in summary.results.lines():
        screen.line(f"  {environment:<8} {figures}")
    if summary.report:
        screen.line(f"  {'report':<8} {summary.report}")
    for step in summary.next_steps:
        first, _, rest = step.partition("\n")
        screen.paragraph(first, lead=f"  {'next':<8} ", indent=" " * 11)
        screen.message(rest, indent=" " * 11)
