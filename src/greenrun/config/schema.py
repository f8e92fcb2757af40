"""The keys of release.yaml, and the plan that they make."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from greenrun.config import values as are
from greenrun.config.deploy import BuildSection, DeploySection
from greenrun.config.monitoring import MonitoringSection
from greenrun.config.probes import Probes
from greenrun.config.values import LEFT_OUT, NONE, REQUIRED, Optional, Section, accepts, written
from greenrun.model import forms
from greenrun.model.forms import HOUR, SECOND
from greenrun.model.plan import (
    ANY_ANSWER,
    REHEARSAL,
    CanaryPlan,
    Location,
    MigrationPlan,
    Plan,
    PreflightPlan,
    RecordPlan,
    Underpowered,
)
from greenrun.model.revision import RevisionSettings

REPLACED_KEYS: dict[tuple[str, ...], str] = {
    ("canary", "bake"): "min-duration",
    ("canary", "blind"): "underpowered",
    ("canary", "increments"): "steps",
    ("canary", "missed"): "beta",
    ("canary", "probe-paths"): "probes, a list of requests such as [GET /api/health]",
    ("canary", "slower"): "max-latency-increase",
    ("canary", "tolerated"): "max-error-increase",
    ("canary", "within"): "max-duration",
    ("build", "push-within"): "push-timeout",
    ("build", "within"): "timeout",
    ("deploy", "change-within"): "traffic-timeout",
    ("deploy", "log-within"): "log-timeout",
    ("deploy", "ready-within"): "ready-timeout",
    ("migration", "within"): "timeout",
    ("preflight", "gates-within"): "quality-gate-timeout",
    ("preflight", "known-secrets"): "secrets-baseline",
    ("preflight", "lock-time-to-live"): "lease-duration",
    ("preflight", "reuse-rehearsal-within"): "rehearsal-max-age",
    ("record", "hand-over"): "changelogs",
    ("canary", "fewest-requests"): (
        "to be left out: how many requests are enough follows from beta, max-error-increase and "
        "max-latency-increase"
    ),
}
"""Keys of earlier days, each with what replaces it."""


class MigrationSection(Section):
    """Commands of the image."""

    status: are.Command = REQUIRED
    apply: are.Command = REQUIRED
    check: are.Command = Field(default=(), validate_default=False)
    timeout: are.Duration = written("5m")
    allow_contracting: are.Flag = False

    def plan(self) -> MigrationPlan:
        return MigrationPlan(
            self.status, self.apply, self.check, self.timeout, self.allow_contracting
        )


class ProbesSection(Section):
    """Identities of our own requests, each with its headers."""

    identities: Mapping[are.IdentityName, Mapping[are.HeaderName, are.Header]] = Field(
        default_factory=dict
    )


class CanarySection(Section):
    """Steps of the canary, and the error probabilities and margins of its tests."""

    steps: are.Steps = written([10])
    max_duration: are.Duration = written("15m")
    min_duration: Annotated[timedelta, accepts(forms.duration(timedelta(), 24 * HOUR))] = written(
        "0s"
    )
    probes_per_second: Annotated[float, accepts(forms.number(0, 1000))] | None = LEFT_OUT
    probes: Annotated[Probes | None, Optional] = LEFT_OUT
    alpha: Annotated[float, accepts(forms.percentage(0.001, 50))] = written("1 %")
    beta: Annotated[float, accepts(forms.percentage(0.001, 50))] = written("5 %")
    max_error_increase: Annotated[float, accepts(forms.percentage(0.01, 50))] = written("1 %")
    max_latency_increase: Annotated[float, accepts(forms.percentage(1, 1000))] = written("25 %")
    latency_floor: Annotated[timedelta, accepts(forms.milliseconds(10_000))] = written("10ms")
    stall: Annotated[timedelta, accepts(forms.milliseconds(60_000))] = written("250ms")
    underpowered: Annotated[
        Underpowered, accepts(forms.choice({item.value: item for item in Underpowered}))
    ] = written(Underpowered.REFUSED.value)

    @field_validator("min_duration")
    @classmethod
    def _min_duration_fits(cls, min_duration: timedelta, info: ValidationInfo) -> timedelta:
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
            probes=tuple(probe.plan() for probe in self.probes or ()) or ANY_ANSWER,
            alpha=self.alpha,
            beta=self.beta,
            max_error_increase=self.max_error_increase,
            max_latency_increase=self.max_latency_increase,
            latency_floor=self.latency_floor,
            stall=self.stall,
            underpowered=self.underpowered,
            alone=alone,
        )


class PreflightSection(Section):
    """Conditions of a release: the working tree, quality gates, the lock."""

    branch: are.Branch = NONE
    remote: are.Remote = "origin"
    commits: are.Commits = Field(default=(), validate_default=False)
    quality_gates: Mapping[are.GateName, are.Command] = Field(default_factory=dict)
    quality_gate_timeout: are.Duration = written("10m")
    secrets_baseline: are.RelativePath = NONE
    rehearsal_max_age: are.Duration | None = LEFT_OUT
    lease_duration: Annotated[timedelta, accepts(forms.duration(SECOND, HOUR))] = written("90s")

    def plan(self) -> PreflightPlan:
        return PreflightPlan(
            branch=self.branch,
            remote=self.remote,
            commits=self.commits,
            quality_gates=self.quality_gates,
            quality_gate_timeout=self.quality_gate_timeout,
            secrets_baseline=self.secrets_baseline,
        )


class RecordSection(Section):
    """Places that the record of a release goes to."""

    folder: are.RelativePath = "docs/deployments"
    template: are.RelativePath = NONE
    changelogs: are.RelativePaths = Field(default=(), validate_default=False)
    commit: are.Flag = False

    def plan(self) -> RecordPlan:
        return RecordPlan(self.folder, self.template, self.changelogs, self.commit)


class Release(Section):
    """release.yaml as one environment sees it."""

    service: are.ServiceName = REQUIRED
    project: are.Project = REQUIRED
    region: are.Region = REQUIRED
    build: BuildSection = REQUIRED
    deploy: DeploySection = written({})
    migration: Annotated[MigrationSection | None, Optional] = LEFT_OUT
    probes: ProbesSection = written({})
    canary: CanarySection = written({})
    preflight: PreflightSection = written({})
    record: RecordSection = written({})
    monitoring: Annotated[MonitoringSection | None, Optional] = LEFT_OUT

    def _settings(self, variables: Mapping[str, str] | None) -> RevisionSettings:
        """v2 of the API names a connector by its path, where gcloud takes its name alone."""
        settings = self.deploy.settings(variables)
        name = settings.vpc_connector
        if name is None or "/" in name:
            return settings
        place = Location(self.project, self.region)
        return replace(settings, vpc_connector=f"{place.parent}/connectors/{name}")

    def plan(self, environment: str, variables: Mapping[str, str] | None) -> Plan:
        return Plan(
            service=self.service,
            environment=environment,
            place=Location(self.project, self.region),
            build=self.build.plan(),
            settings=self._settings(variables),
            service_settings=self.deploy.service_settings(),
            public=self.deploy.allow_unauthenticated,
            revision_tag=self.deploy.tag,
            baseline_tag=self.deploy.baseline_tag,
            ready_timeout=self.deploy.ready_timeout,
            traffic_timeout=self.deploy.traffic_timeout,
            log_timeout=self.deploy.log_timeout,
            migration=self.migration.plan() if self.migration else None,
            canary=self.canary.plan(alone=environment == REHEARSAL),
            preflight=self.preflight.plan(),
            record=self.record.plan(),
            push_timeout=self.build.push_timeout,
            lease_duration=self.preflight.lease_duration,
            rehearsal_max_age=self.preflight.rehearsal_max_age,
            keep_images=self.build.keep_images,
            monitoring=self.monitoring.plan() if self.monitoring else None,
            identities={who: dict(headers) for who, headers in self.probes.identities.items()},
        )
