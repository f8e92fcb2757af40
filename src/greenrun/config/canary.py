"""The keys of release.yaml that say how a canary is judged."""

from datetime import timedelta
from typing import Annotated

from pydantic import ValidationInfo, field_validator

from greenrun.config import forms
from greenrun.config import values as are
from greenrun.config.section import Section, written
from greenrun.model.plan import CanaryPlan, Underpowered

GONE: dict[tuple[str, ...], str] = {
    ("canary", "fewest-requests"): (
        "to be left out: how many requests are enough follows from tolerated, slower and missed"
    )
}
"""Keys of earlier days, each with what replaces it."""


class CanarySection(Section):
    """How the share of the candidate rises, and what decides."""

    increments: are.Increments = written([10])
    within: are.Duration = written("15m")
    bake: Annotated[timedelta, forms.duration(timedelta(), 24 * are.HOUR)] = written("0s")
    probes_per_second: Annotated[float, forms.number(0, 1000)] = 0
    probe_paths: are.ProbePaths = written(["/"])
    alpha: Annotated[float, forms.percentage(0.001, 50)] = written("1 %")
    missed: Annotated[float, forms.percentage(0.001, 50)] = written("5 %")
    tolerated: Annotated[float, forms.percentage(0.01, 50)] = written("1 %")
    slower: Annotated[float, forms.percentage(1, 1000)] = written("25 %")
    latency_floor: Annotated[timedelta, forms.milliseconds(10_000)] = written("10ms")
    stall: Annotated[timedelta, forms.milliseconds(60_000)] = written("250ms")
    blind: Annotated[Underpowered, forms.choice({item.value: item for item in Underpowered})] = (
        written(Underpowered.REFUSED.value)
    )

    @field_validator("bake")
    @classmethod
    def _bake_fits(cls, bake: timedelta, info: ValidationInfo) -> timedelta:
        most = info.data.get("within", bake)
        if bake > most:
            raise ValueError(f"at most canary.within, {forms.spell_duration(most)}")
        return bake

    def plan(self, *, alone: bool) -> CanaryPlan:
        return CanaryPlan(
            increments=self.increments,
            bake=self.bake,
            within=self.within,
            probes_per_second=self.probes_per_second,
            probe_paths=self.probe_paths,
            alpha=self.alpha,
            missed=self.missed,
            tolerated=self.tolerated,
            slower=self.slower,
            latency_floor=self.latency_floor,
            stall=self.stall,
            blind=self.blind,
            alone=alone,
        )
