"""The keys of release.yaml that say how a canary is judged."""

from datetime import timedelta
from typing import Annotated

from pydantic import ValidationInfo, field_validator

from greenrun.config import forms
from greenrun.config import values as are
from greenrun.config.section import Section, written
from greenrun.model.plan import CanaryPlan, Underpowered

GONE: dict[tuple[str, ...], str] = {
    ("canary", "bake"): "min-duration",
    ("canary", "blind"): "underpowered",
    ("canary", "increments"): "steps",
    ("canary", "missed"): "beta",
    ("canary", "slower"): "max-latency-increase",
    ("canary", "tolerated"): "max-error-increase",
    ("canary", "within"): "max-duration",
    ("canary", "fewest-requests"): (
        "to be left out: how many requests are enough follows from beta, max-error-increase and "
        "max-latency-increase"
    ),
}
"""Keys of earlier days, each with what replaces it."""


class CanarySection(Section):
    """How the share of the candidate rises, and what decides."""

    steps: are.Steps = written([10])
    max_duration: are.Duration = written("15m")
    min_duration: Annotated[timedelta, forms.duration(timedelta(), 24 * are.HOUR)] = written("0s")
    probes_per_second: Annotated[float, forms.number(0, 1000)] = 0
    probe_paths: are.ProbePaths = written(["/"])
    alpha: Annotated[float, forms.percentage(0.001, 50)] = written("1 %")
    beta: Annotated[float, forms.percentage(0.001, 50)] = written("5 %")
    max_error_increase: Annotated[float, forms.percentage(0.01, 50)] = written("1 %")
    max_latency_increase: Annotated[float, forms.percentage(1, 1000)] = written("25 %")
    latency_floor: Annotated[timedelta, forms.milliseconds(10_000)] = written("10ms")
    stall: Annotated[timedelta, forms.milliseconds(60_000)] = written("250ms")
    underpowered: Annotated[
        Underpowered, forms.choice({item.value: item for item in Underpowered})
    ] = written(Underpowered.REFUSED.value)

    @field_validator("min_duration")
    @classmethod
    def _bake_fits(cls, min_duration: timedelta, info: ValidationInfo) -> timedelta:
        most = info.data.get("max_duration", min_duration)
        if min_duration > most:
            raise ValueError(f"at most canary.max-duration, {forms.spell_duration(most)}")
        return min_duration

    def plan(self, *, alone: bool) -> CanaryPlan:
        return CanaryPlan(
            steps=self.steps,
            min_duration=self.min_duration,
            max_duration=self.max_duration,
            probes_per_second=self.probes_per_second,
            probe_paths=self.probe_paths,
            alpha=self.alpha,
            beta=self.beta,
            max_error_increase=self.max_error_increase,
            max_latency_increase=self.max_latency_increase,
            latency_floor=self.latency_floor,
            stall=self.stall,
            underpowered=self.underpowered,
            alone=alone,
        )
