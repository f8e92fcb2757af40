"""The keys `build` and `deploy`; those of `deploy` are flags of `gcloud run deploy`."""

from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    Field,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    create_model,
    field_validator,
    model_validator,
)

from greenrun.config import values as are
from greenrun.config.values import LEFT_OUT, NONE, REQUIRED, Optional, Section, accepts, written
from greenrun.model import forms
from greenrun.model.image import TagPolicy, repository_of
from greenrun.model.plan import TAG_FILE, BuildPlan, BuildSecret
from greenrun.model.revision import FLAGS, Flag, RevisionSettings, StartupProbe, Volume

S = TypeVar("S", bound=Section)

_ELSEWHERE = "build.image was built elsewhere, and stays in its repository"
_OF_A_BUILD = (
    *("dockerfile", "context", "target", "args", "secrets"),
    *("tag", "also_latest", "tag_file", "keep_images"),
)


def unless_image(*, default: Any) -> Any:  # noqa: ANN401 - a default of any type
    """A default that is not validated, so that beside an image only what was written is refused."""
    return Field(default=default, validate_default=False)


class BuildSecretSection(Section):
    """A secret that a build may read: from a variable, or from a file."""

    env: are.VariableHere = NONE
    file: are.FileHere = NONE

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.env) == bool(self.file):
            raise ValueError("env or file, and not both")
        return self

    def secret(self) -> BuildSecret:
        return BuildSecret(self.env, self.file)


class BuildSection(Section):
    """Building and pushing the image; or the image that was built elsewhere, which needs neither.

    Keys that stand with a default of their own are what `image` leaves nothing to.
    """

    image: are.BuiltImage = NONE
    repository: are.Repository = REQUIRED
    dockerfile: are.RelativePath = unless_image(default="Dockerfile")
    context: are.RelativePath = unless_image(default=".")
    target: are.BuildName = unless_image(default="")
    args: Mapping[are.BuildName, are.BuildArgument] = unless_image(default={})
    secrets: Mapping[are.BuildName, BuildSecretSection] = unless_image(default={})
    platform: are.Platform = "linux/amd64"
    tag: are.TagPolicyName = unless_image(default=TagPolicy.TIMESTAMP)
    also_latest: are.Flag = unless_image(default=True)
    tag_file: are.RelativePath = unless_image(default=TAG_FILE)
    timeout: are.Duration = written("10m")
    size_budget: are.Size = written("2GB")
    push_timeout: are.Duration = written("15m")
    keep_images: Annotated[int, accepts(forms.whole(0, forms.INT32))] | None = LEFT_OUT

    @field_validator("repository", mode="wrap")
    @classmethod
    def _image_names_repository(
        cls, value: object, accept: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> object:
        image = info.data.get("image", "refused")
        if not image:
            return accept(value)
        if value is not None:
            raise ValueError(f"to be left out: {_ELSEWHERE}")
        return repository_of(image)

    @field_validator(*_OF_A_BUILD)
    @classmethod
    def _image_is_not_built(cls, value: object, info: ValidationInfo) -> object:
        if info.data.get("image"):
            raise ValueError(f"to be left out: {_ELSEWHERE}")
        return value

    @field_validator("keep_images")
    @classmethod
    def _images_have_an_age(cls, keep: int | None, info: ValidationInfo) -> int | None:
        if keep is not None and info.data.get("tag") is TagPolicy.COMMIT:
            raise ValueError(
                "build.tag to be timestamp or build-id: a commit does not tell the age of an image"
            )
        return keep

    def plan(self) -> BuildPlan:
        return BuildPlan(
            repository=self.repository,
            image=self.image,
            dockerfile=self.dockerfile,
            context=self.context,
            target=self.target,
            args=self.args,
            secrets={name: section.secret() for name, section in self.secrets.items()},
            platform=self.platform,
            tag_policy=self.tag,
            also_latest=self.also_latest and not self.image,
            tag_file=self.tag_file,
            within=self.timeout,
            size_budget_bytes=self.size_budget,
        )


class ProbeSection(Section):
    """The startup probe; what is not said is as the service has it."""

    path: are.ProbePath | None = LEFT_OUT
    period: are.Period | None = LEFT_OUT
    failure_threshold: Annotated[int, accepts(forms.whole(1, forms.INT32))] | None = LEFT_OUT

    def probe(self) -> StartupProbe:
        return StartupProbe(self.path, self.period, self.failure_threshold)


class VolumeSection(Section):
    """Storage that revisions share, and where they find it."""

    source: are.VolumeSource = REQUIRED
    path: are.MountPath = REQUIRED


def _with_a_key_per_flag(section: type[S]) -> type[S]:
    """Add the flags of one value to a section, in the order of their table."""
    keys: dict[str, Any] = {
        flag.key.replace("-", "_"): (
            Annotated[Any, accepts(flag.form)],
            LEFT_OUT,
        )
        for flag in FLAGS
        if flag.form is not None
    }
    return create_model(section.__name__, __base__=section, __module__=__name__, **keys)


@_with_a_key_per_flag
class DeploySection(Section):
    """A revision's settings, and what becomes of it once it runs.

    The flags of one value are those of the table in model/revision.py.
    """

    env_vars_file: are.RelativePath | None = LEFT_OUT
    update_secrets: Mapping[are.VariableName, are.SecretVersion] = Field(default_factory=dict)
    startup_probe: Annotated[ProbeSection | None, Optional] = LEFT_OUT
    volumes: Mapping[are.VolumeName, VolumeSection] = Field(default_factory=dict)
    allow_unauthenticated: are.Flag = False
    tag: are.RevisionTag = "candidate"
    baseline_tag: are.RevisionTag = "baseline"
    ready_timeout: are.Duration = written("60s")
    traffic_timeout: are.Duration = written("2m")
    log_timeout: are.Duration = written("60s")

    @field_validator("memory", check_fields=False)
    @classmethod
    def _memory_fits_cpu(cls, memory: str, info: ValidationInfo) -> str:
        if info.data.get("cpu"):
            forms.judge_memory(memory, cpu=info.data["cpu"])
        return memory

    @field_validator("concurrency", check_fields=False)
    @classmethod
    def _concurrency_fits_cpu(cls, concurrency: int, info: ValidationInfo) -> int:
        if info.data.get("cpu"):
            forms.judge_concurrency(concurrency, cpu=info.data["cpu"])
        return concurrency

    @field_validator("max_instances", check_fields=False)
    @classmethod
    def _most_are_not_fewer(cls, most: int, info: ValidationInfo) -> int:
        fewest = info.data.get("min_instances") or 0
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

    def settings(self, variables: Mapping[str, str] | None) -> RevisionSettings:
        return RevisionSettings(
            variables=variables,
            secrets=self.update_secrets,
            startup_probe=self.startup_probe.probe() if self.startup_probe else None,
            volumes=tuple(Volume(name, at.source, at.path) for name, at in self.volumes.items()),
            **{
                flag.field: getattr(self, flag.key.replace("-", "_"))
                for flag in FLAGS
                if flag.form is not None
            },
        )


def flags_table() -> str:
    """Write the table of the flags as docs/release-yaml.md has it."""
    head = ("key", "needs", "in the template", "meaning")
    return "\n".join(
        (f"| {' | '.join(head)} |", "|---" * len(head) + "|", *map(_documented, FLAGS))
    )


def _documented(flag: Flag) -> str:
    needs = flag.form.needs if flag.form else "see above"
    cells = (f"`{flag.key}`", needs, f"`{flag.path}`", flag.meaning)
    return f"| {' | '.join(cells)} |"
