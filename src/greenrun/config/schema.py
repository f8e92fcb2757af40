"""The keys of release.yaml; under `deploy` they are the flags of `gcloud run deploy`."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from greenrun.config import forms, resources
from greenrun.config import values as are
from greenrun.config.canary import CanarySection
from greenrun.config.conduct import PreflightSection, RecordSection
from greenrun.config.monitoring import MonitoringSection
from greenrun.config.section import REQUIRED, Optional, Section, written
from greenrun.model.image import TagPolicy
from greenrun.model.plan import REHEARSAL, TAG_FILE, BuildPlan, Location, MigrationPlan, Plan
from greenrun.model.revision import RevisionSettings, StartupProbe, Volume


class BuildSection(Section):
    """How the image is built."""

    repository: are.Repository = REQUIRED
    dockerfile: are.RelativePath = "Dockerfile"
    context: are.RelativePath = "."
    platform: are.Platform = "linux/amd64"
    tag: are.TagPolicyName = written(TagPolicy.TIMESTAMP.value)
    also_latest: are.Flag = True
    tag_file: are.RelativePath = TAG_FILE
    within: are.Duration = written("10m")
    size_budget: are.Size = written("2GB")
    push_within: are.Duration = written("15m")
    keep_images: Annotated[int, forms.whole(0, are.INT32)] | None = Field(
        default=None, validate_default=False
    )

    @field_validator("keep_images")
    @classmethod
    def _images_have_an_age(cls, keep: int | None, info: ValidationInfo) -> int | None:
        if keep is not None and info.data.get("tag") is TagPolicy.COMMIT:
            raise ValueError("build.tag to be timestamp or build-id: a commit tells no age")
        return keep

    def plan(self) -> BuildPlan:
        return BuildPlan(
            repository=self.repository,
            dockerfile=self.dockerfile,
            context=self.context,
            platform=self.platform,
            tag_policy=self.tag,
            also_latest=self.also_latest,
            tag_file=self.tag_file,
            within=self.within,
            size_budget_bytes=self.size_budget,
        )


class ProbeSection(Section):
    """The startup probe; without a path it asks for TCP."""

    path: are.ProbePath = Field(default="", validate_default=False)
    period: are.Period = written("10s")
    failure_threshold: Annotated[int, forms.whole(1, are.INT32)] = 3

    def probe(self) -> StartupProbe:
        return StartupProbe(self.path, self.period, self.failure_threshold)


class VolumeSection(Section):
    """Storage that revisions share, and where they find it."""

    source: are.VolumeSource = REQUIRED
    path: are.MountPath = REQUIRED


class DeploySection(Section):
    """A revision's settings, and what becomes of it once it runs."""

    env_vars_file: are.RelativePath = "env.yaml"
    update_secrets: Mapping[are.VariableName, are.SecretVersion] = Field(default_factory=dict)
    timeout: are.Timeout = written("300s")
    cpu: are.Cpu = "1"
    memory: are.Memory = "512Mi"
    port: Annotated[int, forms.whole(1, 65535)] = 8080
    concurrency: Annotated[int, forms.whole(1, 1000)] = 80
    min_instances: Annotated[int, forms.whole(0, are.INT32)] = 0
    max_instances: Annotated[int, forms.whole(1, are.INT32)] = 100
    startup_probe: Annotated[ProbeSection | None, Optional] = Field(
        default=None, validate_default=False
    )
    volumes: Mapping[are.VolumeName, VolumeSection] = Field(default_factory=dict)
    service_account: are.ServiceAccount = Field(default="", validate_default=False)
    allow_unauthenticated: are.Flag = False
    tag: are.RevisionTag = "candidate"
    baseline_tag: are.RevisionTag = "baseline"
    ready_within: are.Duration = written("60s")
    change_within: are.Duration = written("2m")
    log_within: are.Duration = written("60s")

    @field_validator("memory")
    @classmethod
    def _memory_fits_cpu(cls, memory: str, info: ValidationInfo) -> str:
        if "cpu" in info.data:
            resources.judge_memory(memory, cpu=info.data["cpu"])
        return memory

    @field_validator("concurrency")
    @classmethod
    def _concurrency_fits_cpu(cls, concurrency: int, info: ValidationInfo) -> int:
        if "cpu" in info.data:
            resources.judge_concurrency(concurrency, cpu=info.data["cpu"])
        return concurrency

    @field_validator("max_instances")
    @classmethod
    def _most_are_not_fewer(cls, most: int, info: ValidationInfo) -> int:
        fewest = info.data.get("min_instances", 0)
        if most < fewest:
            raise ValueError(f"at least deploy.min-instances, {fewest}")
        return most

    @field_validator("baseline_tag")
    @classmethod
    def _tags_differ(cls, tag: str, info: ValidationInfo) -> str:
        if tag == info.data.get("tag"):
            raise ValueError("another revision tag than deploy.tag")
        return tag

    @field_validator("volumes")
    @classmethod
    def _volumes_stand_apart(
        cls, volumes: Mapping[str, VolumeSection]
    ) -> Mapping[str, VolumeSection]:
        if len({volume.path for volume in volumes.values()}) < len(volumes):
            raise ValueError("a path of its own for every volume")
        return volumes

    def settings(self, variables: Mapping[str, str]) -> RevisionSettings:
        return RevisionSettings(
            variables=variables,
            secrets=self.update_secrets,
            timeout=self.timeout,
            cpu=self.cpu,
            memory=self.memory,
            port=self.port,
            concurrency=self.concurrency,
            min_instances=self.min_instances,
            max_instances=self.max_instances,
            startup_probe=self.startup_probe.probe() if self.startup_probe else StartupProbe(),
            volumes=tuple(Volume(name, at.source, at.path) for name, at in self.volumes.items()),
            service_account=self.service_account,
        )


class MigrationSection(Section):
    """Commands of the image."""

    status: are.Command = REQUIRED
    apply: are.Command = REQUIRED
    check: are.Command = Field(default=(), validate_default=False)
    within: are.Duration = written("5m")
    allow_contracting: are.Flag = False

    def plan(self) -> MigrationPlan:
        return MigrationPlan(
            self.status, self.apply, self.check, self.within, self.allow_contracting
        )


class ProbesSection(Section):
    """As whom our own requests are sent, and the headers that say so."""

    identities: Mapping[are.IdentityName, Mapping[are.HeaderName, are.Header]] = Field(
        default_factory=dict
    )


class Release(Section):
    """release.yaml as one environment sees it."""

    service: are.ServiceName = REQUIRED
    project: are.Project = REQUIRED
    region: are.Region = REQUIRED
    build: BuildSection = REQUIRED
    deploy: DeploySection = written({})
    migration: Annotated[MigrationSection | None, Optional] = Field(
        default=None, validate_default=False
    )
    probes: ProbesSection = written({})
    canary: CanarySection = written({})
    preflight: PreflightSection = written({})
    record: RecordSection = written({})
    monitoring: Annotated[MonitoringSection | None, Optional] = Field(
        default=None, validate_default=False
    )

    def plan(self, environment: str, variables: Mapping[str, str]) -> Plan:
        return Plan(
            service=self.service,
            environment=environment,
            place=Location(self.project, self.region),
            build=self.build.plan(),
            settings=self.deploy.settings(variables),
            public=self.deploy.allow_unauthenticated,
            revision_tag=self.deploy.tag,
            baseline_tag=self.deploy.baseline_tag,
            ready_within=self.deploy.ready_within,
            change_within=self.deploy.change_within,
            log_within=self.deploy.log_within,
            migration=self.migration.plan() if self.migration else None,
            canary=self.canary.plan(alone=environment == REHEARSAL),
            preflight=self.preflight.plan(),
            record=self.record.plan(),
            push_within=self.build.push_within,
            lock_time_to_live=self.preflight.lock_time_to_live,
            reuse_rehearsal_within=self.preflight.reuse_rehearsal_within,
            keep_images=self.build.keep_images,
            monitoring=self.monitoring.plan() if self.monitoring else None,
            identities={who: dict(headers) for who, headers in self.probes.identities.items()},
        )
