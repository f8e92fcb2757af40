"""The values of release.yaml, each with its form, and what its sections have in common."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from string import Formatter
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
)

from greenrun.model import forms
from greenrun.model.forms import HOUR, SECOND, Form
from greenrun.model.image import TagPolicy
from greenrun.model.plan import IDENTITY_TOKEN, NOBODY, USER
from greenrun.model.revision.values import HEADER_NAME, URL_PATH

_LABEL = r"[a-z]([-a-z0-9]{0,%d}[a-z0-9])?"
_COMPONENT = r"[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*"
_REPOSITORY = rf"([A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{{1,5}})?/)?{_COMPONENT}(/{_COMPONENT})*"
_IMAGE_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_PERCENT = forms.whole(1, 99)
_ONE_LINE = forms.text(
    r"[!-~]([ -~]{0,1022}[!-~])?", "text in one line, such as 'Bearer {API_TOKEN}'"
)


@dataclass(frozen=True, slots=True)
class _Accepts(PlainValidator):
    """Validates by a form, and tells editors of it."""

    form: Form[Any] = field(kw_only=True)

    def __get_pydantic_json_schema__(self, *_: object) -> dict[str, Any]:
        return {**self.form.schema, "description": f"needs {self.form.needs}"}


def accepts(form: Form[Any]) -> PlainValidator:
    """Validate by a form; what it refuses is a complaint that says what it needs."""

    def validate(value: object) -> object:
        meant = form.parse(value)
        if meant is None:
            raise ValueError(form.needs)
        return meant

    return _Accepts(func=validate, form=form)


@dataclass(frozen=True, slots=True)
class Known:
    """Names that one part of release.yaml gives, and others may use."""

    secrets: frozenset[str] = frozenset()
    identities: frozenset[str] = frozenset()


def identities_known(info: ValidationInfo) -> tuple[str, ...]:
    """Everybody who may ask: who is declared, and who is always known."""
    declared = info.context.identities if isinstance(info.context, Known) else frozenset[str]()
    return tuple(sorted({USER, NOBODY, *declared}))


def _commands(words: Sequence[object]) -> bool:
    return bool(words) and all(isinstance(word, str) and word for word in words)


def _rising(shares: Sequence[object]) -> bool:
    percents = [share for share in shares if isinstance(share, int) and _PERCENT.fits(share)]
    return 0 < len(percents) == len(shares) and all(low < high for low, high in pairwise(percents))


def _header(value: object, info: ValidationInfo) -> str:
    if not _ONE_LINE.fits(value):
        raise ValueError(_ONE_LINE.needs)
    secrets = info.context.secrets if isinstance(info.context, Known) else frozenset[str]()
    if not {*_placeholders(str(value))} <= {IDENTITY_TOKEN, *secrets}:
        known = ", ".join(f"{{{name}}}" for name in (*sorted(secrets), IDENTITY_TOKEN))
        raise ValueError(
            f"braces around keys of deploy.update-secrets or an identity token only ({known})"
        )
    return str(value)


def _placeholders(template: str) -> list[str]:
    """List the placeholders of a format string, with conversion and format where they have them."""
    try:
        parts = [part for part in Formatter().parse(template) if part[1] is not None]
    except ValueError:
        return ["{"]
    return [f"{name}{conversion or ''}{spec}" for _, name, spec, conversion in parts]


Duration = Annotated[timedelta, accepts(forms.duration(SECOND, 24 * HOUR))]
Flag = Annotated[bool, accepts(forms.BOOLEAN)]

# Names
SERVICE_NAME = forms.text(
    _LABEL % 45, "a name under 48 characters of lower-case letters, digits and -, a letter first"
)
REVISION_TAG = forms.text(
    _LABEL % 61, "a revision tag of lower-case letters, digits and -, a letter first"
)
ENVIRONMENT_NAME = forms.text(
    _LABEL % 28, "a name of lower-case letters, digits and -, a letter first"
)
PROJECT = forms.text(
    r"([a-z0-9][-a-z0-9.]{0,62}:)?[a-z][-a-z0-9]{4,28}[a-z0-9]",  # some have a domain before them
    "a project's id: 6 to 30 lower-case letters, digits and -, a letter first",
)
REGION = forms.text(r"[a-z]{2,20}-[a-z]{2,20}[0-9]{1,2}", "a region such as europe-west1")
IDENTITY_NAME = forms.text(r"[A-Za-z][A-Za-z0-9 _-]{0,62}", "who asks, in words (`a user`)")
ServiceName = Annotated[str, accepts(SERVICE_NAME)]
RevisionTag = Annotated[str, accepts(REVISION_TAG)]
Project = Annotated[str, accepts(PROJECT)]
Region = Annotated[str, accepts(REGION)]
HeaderName = Annotated[str, accepts(HEADER_NAME)]
IdentityName = Annotated[str, accepts(IDENTITY_NAME)]

# Paths
RELATIVE_PATH = forms.text(r"(?!/)[^\x00-\x1f\x7f]{1,255}", "a path relative to release.yaml")

RelativePath = Annotated[str, accepts(RELATIVE_PATH)]
ProbePath = Annotated[str, accepts(URL_PATH)]
RelativePaths = Annotated[
    tuple[str, ...],
    accepts(forms.several("a list of paths relative to release.yaml", RELATIVE_PATH)),
]

# The image
_EXAMPLE = "europe-west1-docker.pkg.dev/PROJECT/REPOSITORY/NAME"
REPOSITORY = forms.text(
    rf"(?=.{{1,255}}$){_REPOSITORY}", f"a repository without an image tag, such as {_EXAMPLE}"
)
BUILT_IMAGE = forms.text(
    rf"(?=.{{1,500}}$){_REPOSITORY}(:{_IMAGE_TAG}|(:{_IMAGE_TAG})?@sha256:[0-9a-f]{{64}})",
    f"an image by its digest, or by its image tag, such as {_EXAMPLE}@sha256:...",
)
BUILD_NAME = forms.text(
    r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,127}", "a name of letters, digits, _, . and -"
)
BUILD_ARGUMENT = forms.text(r"[^\x00]{0,32768}", 'text, such as "3.11" (numbers need quotes)')
VARIABLE_HERE = forms.text(
    r"[A-Za-z_][A-Za-z0-9_]{0,255}", "the name of a variable where the release runs"
)
FILE_HERE = forms.text(
    r"[^\x00-\x1f\x7f]{1,1024}", "a path: relative to release.yaml, absolute, or from ~ on"
)
Repository = Annotated[str, accepts(REPOSITORY)]
BuiltImage = Annotated[str, accepts(BUILT_IMAGE)]
BuildName = Annotated[str, accepts(BUILD_NAME)]
BuildArgument = Annotated[str, accepts(BUILD_ARGUMENT)]
VariableHere = Annotated[str, accepts(VARIABLE_HERE)]
FileHere = Annotated[str, accepts(FILE_HERE)]
Platform = Annotated[str, accepts(forms.choice({"linux/amd64": "linux/amd64"}))]
TagPolicyName = Annotated[
    TagPolicy, accepts(forms.choice({item.value: item for item in TagPolicy}))
]
Size = Annotated[int, accepts(Form("a size such as 2GB or 512MiB", forms.parse_size))]
Command = Annotated[
    tuple[str, ...],
    accepts(forms.sequence("a list of words, such as [python, -m, app.migrate, apply]", _commands)),
]

# The working tree
BRANCH = forms.text(r"(?![-/])[!-~]{1,200}(?<!/)", "the name of a branch, such as main")
REMOTE = forms.text(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}", "the name of a remote, such as origin")
COMMIT = forms.text(r"[0-9a-fA-F]{7,64}", "a commit by at least 7 of its hexadecimal digits")
GATE_NAME = forms.text(r"[A-Za-z][A-Za-z0-9 _-]{0,62}", "what is checked, in words (`types`)")

Branch = Annotated[str, accepts(BRANCH)]
Remote = Annotated[str, accepts(REMOTE)]
GateName = Annotated[str, accepts(GATE_NAME)]
Commits = Annotated[
    tuple[str, ...],
    accepts(
        forms.several(
            "a list of commits, each at least 7 hexadecimal digits, in quotes without a letter",
            COMMIT,
        )
    ),
]

Header = Annotated[str, PlainValidator(_header)]
PlainHeader = Annotated[str, accepts(_ONE_LINE)]

# The canary
Steps = Annotated[
    tuple[int, ...],
    accepts(forms.sequence("whole percents from 1 to 99, rising, such as [10, 50]", _rising)),
]

# Sections
REQUIRED: Any = Field(default=None)
"""An absent key is read as nothing, and nothing is refused by every form."""

LEFT_OUT: Any = Field(default=None, validate_default=False)
"""Default of a key that may be left out; not validated."""

NONE: Any = Field(default="", validate_default=False)
"""Default of a text that may be left out; not validated."""


def written(text: Any) -> Any:  # noqa: ANN401 - a default stands in the form that people write
    """A default in the form that release.yaml has it."""
    return Field(default=text)


class Section(BaseModel):
    """A mapping with known keys; what is left out is checked like what is written."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        alias_generator=lambda name: name.replace("_", "-"),
    )


def _written_out(value: object) -> object:
    if value is None:
        raise ValueError("its keys below it, or to be left out")
    return value


Optional = BeforeValidator(_written_out)
"""A section that may be left out, but does not stand empty: that could be a slip."""
