"""The keys `build` and `deploy`; those of `deploy` are flags of `gcloud run deploy`."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
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
from greenrun.model.revision import (
    ContainerSettings,
    Flag,
    RevisionSettings,
    ServiceSettings,
    Settings,
    Sidecar,
    flags_of,
)

S = TypeVar("S", bound=Settings)

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


D = TypeVar("D", bound=Section)


def _with_a_key_per_flag(section: type[D]) -> type[D]:
    """Add the flags of the tables to a section, in their order."""
    keys = _keys(RevisionSettings, ServiceSettings)
    return create_model(section.__name__, __base__=section, __module__=__name__, **keys)


def _section_of(table: type[Settings]) -> type[Section]:
    """Make a section of the rows of a table, in their order."""
    return create_model(table.__name__, __base__=Section, __module__=__name__, **_keys(table))


def _keys(*tables: type[Settings]) -> dict[str, Any]:
    return {
        _name(flag): (_annotation(flag), LEFT_OUT) for table in tables for flag in flags_of(table)
    }


def _name(flag: Flag) -> str:
    return flag.key.replace("-", "_")


def _annotation(flag: Flag) -> Any:  # noqa: ANN401 - a type that is made at run time
    each: Any = Annotated[Any, accepts(flag.form)] if flag.form else None
    each = _section_of(flag.table) if flag.table else each
    if flag.names:
        each = Mapping[Annotated[str, accepts(flag.names)], each]
    return Annotated[each, Optional] if flag.names or flag.table else each


def said_in(section: Section, table: type[S]) -> S:
    """Collect what a section says of the rows of a table."""
    said = {flag.field: _said(flag, getattr(section, _name(flag))) for flag in flags_of(table)}
    return table(**said)


def _said(flag: Flag, written: Any) -> Any:  # noqa: ANN401 - of any row
    if written is None:
        return flag.unsaid
    if flag.names and flag.table:
        return {name: said_in(each, flag.table) for name, each in written.items()}
    if flag.table:
        return said_in(written, flag.table)
    return dict(written) if flag.names else written


@_with_a_key_per_flag
class DeploySection(Section):
    """A revision's settings, and what becomes of it once it runs.

    The flags are those of the tables in model/revision/settings.py.
    """

    env_vars_file: Annotated[Any, accepts(are.RELATIVE_PATH)] = LEFT_OUT
    allow_unauthenticated: are.Flag = False
    tag: are.RevisionTag = "candidate"
    baseline_tag: are.RevisionTag = "baseline"
    ready_timeout: are.Duration = written("60s")
    traffic_timeout: are.Duration = written("2m")
    log_timeout: are.Duration = written("60s")

    @field_validator("baseline_tag")
    @classmethod
    def _tags_differ(cls, tag: str, info: ValidationInfo) -> str:
        if tag == info.data.get("tag"):
            raise ValueError("another revision tag than deploy.tag")
        return tag

    def settings(self, variables: Mapping[str, str] | None) -> RevisionSettings:
        """Collect what is said of a revision; `variables` are those of a file, None without one."""
        said = said_in(self, RevisionSettings)
        return said if variables is None else replace(said, variables=variables)

    def service_settings(self) -> ServiceSettings:
        return said_in(self, ServiceSettings)


def as_keys(settings: Settings) -> dict[str, object]:
    """Write settings under the keys, and in the forms, that release.yaml has them."""
    return {
        flag.key: written_as
        for flag in flags_of(type(settings))
        if not flag.asks
        and (written_as := _as_written(flag, getattr(settings, flag.field))) not in _UNWRITTEN
    }


_UNWRITTEN: tuple[object, ...] = (None, {}, [], "")


def _as_written(flag: Flag, found: Any) -> object:  # noqa: ANN401 - of any row
    if flag.names:
        entries = (found or {}).items()
        return {name: as_keys(it) if flag.table else str(it) for name, it in entries}
    if isinstance(found, Settings):
        return as_keys(found)
    if isinstance(found, tuple):
        return list(found)
    if not isinstance(found, timedelta):
        return int(found) if isinstance(found, str) and found.isdecimal() else found
    spelled = forms.spell_duration(found)
    fits = flag.form is not None and flag.form.fits(spelled)
    return spelled if fits else int(found / forms.HOUR)


def flags_table() -> str:
    """Write the table of the flags as docs/release-yaml.md has it."""
    head = ("key", "needs", "in the template", "meaning")
    told: dict[str, str] = {}
    rows = [*_documented(RevisionSettings, told), *_documented(ServiceSettings, told)]
    return "\n".join((f"| {' | '.join(head)} |", "|---" * len(head) + "|", *rows))


def _documented(table: type[Settings], told: dict[str, str], above: str = "") -> Iterator[str]:
    """Yield a line for each row; `told` maps what has its own lines already to where they are."""
    place = "service." if table is ServiceSettings else ""
    for flag in flags_of(table):
        key = f"{above}{flag.key}"
        if key in told or (above.startswith("containers.") and flag.key in told):
            continue
        told[key] = key
        path = f"`{place}{flag.path}`" if flag.path else ""
        yield f"| `{key}` | {_needs(flag, told)} | {path} | {flag.meaning} |"
        if flag.table and flag.table.__name__ not in told:
            told[flag.table.__name__] = key
            below = f"{key}.NAME." if flag.names else f"{key}."
            yield from _documented(flag.table, told, below)


def _needs(flag: Flag, told: Mapping[str, str]) -> str:
    name = f"{flag.names.needs}: " if flag.names else ""
    if flag.table is None:
        return name + (flag.form.needs if flag.form else "")
    if flag.table is Sidecar:
        shared = ", ".join(f"`{row.key}`" for row in flags_of(ContainerSettings))
        return f"{name}the keys below, and {shared}"
    known = told.get(flag.table.__name__)
    return name + (f"the keys of `{known}`" if known else "the keys below")
