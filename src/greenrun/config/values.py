"""The values of release.yaml, each with its form and what it stands for."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from string import Formatter
from typing import Annotated

from pydantic import PlainValidator, ValidationInfo

from greenrun.config import forms, resources
from greenrun.config.forms import Text
from greenrun.model.headers import NAME_CHARACTER
from greenrun.model.image import TagPolicy
from greenrun.model.revision import SecretReference

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
INT32 = 2**31 - 1
IDENTITY_TOKEN = "identity token"  # noqa: S105 - its name, none of them
"""What stands in braces where a header is to hold a Google identity token for the service."""


_LABEL = r"[a-z]([-a-z0-9]{0,%d}[a-z0-9])?"
_COMPONENT = r"[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*"


def _commands(words: Sequence[object]) -> bool:
    return bool(words) and all(isinstance(word, str) and word for word in words)


def _texts(text: Text) -> Callable[[Sequence[object]], bool]:
    return lambda values: bool(values) and all(text.fits(value) for value in values)


def _rising(shares: Sequence[object]) -> bool:
    percents = [share for share in shares if isinstance(share, int) and forms.is_whole(share)]
    return (
        0 < len(percents) == len(shares)
        and all(1 <= percent <= 99 for percent in percents)
        and all(low < high for low, high in pairwise(percents))
    )


def _secret_reference(value: object) -> SecretReference | None:
    if not forms.matches(r"[A-Za-z0-9_-]{1,255}:(latest|[1-9][0-9]{0,8})", value):
        return None
    return SecretReference(*str(value).split(":"))


def _header(value: object, info: ValidationInfo) -> str:
    if not forms.matches(r"[!-~]([ -~]{0,1022}[!-~])?", value):
        raise ValueError("text in one line, such as 'Bearer {API_TOKEN}'")
    secrets = frozenset[str]() if info.context is None else info.context
    if not {*_placeholders(str(value))} <= {IDENTITY_TOKEN, *secrets}:
        known = ", ".join(f"{{{name}}}" for name in (*sorted(secrets), IDENTITY_TOKEN))
        raise ValueError(
            f"braces around keys of deploy.update-secrets or an identity token only ({known})"
        )
    return str(value)


def _placeholders(template: str) -> list[str]:
    """What a format string asks for, with its conversion and format when it has them."""
    try:
        parts = [part for part in Formatter().parse(template) if part[1] is not None]
    except ValueError:
        return ["{"]
    return [f"{name}{conversion or ''}{spec}" for _, name, spec, conversion in parts]


Duration = Annotated[timedelta, forms.duration(SECOND, 24 * HOUR)]
Flag = Annotated[bool, forms.flag()]

# Names
SERVICE_NAME = Text(
    _LABEL % 47, "a name under 50 characters of lower-case letters, digits and -, a letter first"
)
REVISION_TAG = Text(
    _LABEL % 61, "a revision tag of lower-case letters, digits and -, a letter first"
)
ENVIRONMENT_NAME = Text(_LABEL % 28, "a name of lower-case letters, digits and -, a letter first")
PROJECT = Text(
    r"[a-z][-a-z0-9]{4,28}[a-z0-9]",
    "a project's id: 6 to 30 lower-case letters, digits and -, a letter first",
)
REGION = Text(r"[a-z]{2,20}-[a-z]{2,20}[0-9]{1,2}", "a region such as europe-west1")
SERVICE_ACCOUNT = Text(
    r"[a-z0-9][-a-z0-9.]{0,62}@[a-z0-9][-a-z0-9.]{0,251}",
    "a service account such as NAME@PROJECT.iam.gserviceaccount.com",
)
IDENTITY_NAME = Text(r"[A-Za-z][A-Za-z0-9 _-]{0,62}", "who asks, in words (`a user`)")
HEADER_NAME = Text(NAME_CHARACTER + "{1,255}", "the name of a header")
VARIABLE_NAME = Text(
    r"(?!(PORT|CLOUD_RUN_(JOB|EXECUTION|TASK_INDEX|TASK_ATTEMPT|TASK_COUNT))$|K_|X_GOOGLE_)"
    r"[A-Za-z_][A-Za-z0-9_]{0,255}",
    "a name of letters, digits and _, and none that Cloud Run sets itself (PORT, K_...)",
)
"""https://cloud.google.com/run/docs/container-contract"""

ServiceName = Annotated[str, SERVICE_NAME.form]
RevisionTag = Annotated[str, REVISION_TAG.form]
VolumeName = Annotated[str, ENVIRONMENT_NAME.form]
Project = Annotated[str, PROJECT.form]
Region = Annotated[str, REGION.form]
ServiceAccount = Annotated[str, SERVICE_ACCOUNT.form]
HeaderName = Annotated[str, HEADER_NAME.form]
IdentityName = Annotated[str, IDENTITY_NAME.form]
VariableName = Annotated[str, VARIABLE_NAME.form]

# Paths
RELATIVE_PATH = Text(r"(?!/)[^\x00-\x1f\x7f]{1,255}", "a path relative to release.yaml")
URL_PATH = Text(r"/[!-~]{0,1023}", "a path that begins with /, such as /api/health")
MOUNT_PATH = Text(
    r"(?!/(dev|proc|sys)(/|$))(/(?!\.{1,2}(/|$))[^/:\x00-\x20\x7f]{1,255}){1,20}",
    "an absolute path outside /dev, /proc and /sys, such as /data",
)
VOLUME_SOURCE = Text(
    r"nfs:[A-Za-z0-9][A-Za-z0-9.-]{0,252}:/[!-~]{0,1023}|gcs:[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]",
    "nfs:SERVER:/PATH or gcs:BUCKET",
)

RelativePath = Annotated[str, RELATIVE_PATH.form]
ProbePath = Annotated[str, URL_PATH.form]
MountPath = Annotated[str, MOUNT_PATH.form]
VolumeSource = Annotated[str, VOLUME_SOURCE.form]
RelativePaths = Annotated[
    tuple[str, ...],
    forms.listed("a list of paths relative to release.yaml", _texts(RELATIVE_PATH)),
]
ProbePaths = Annotated[
    tuple[str, ...],
    forms.listed("a list of paths that begin with /, such as [/, /api/health]", _texts(URL_PATH)),
]

# The image
REPOSITORY = Text(
    rf"(?=.{{1,255}}$)([A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{{1,5}})?/)?{_COMPONENT}(/{_COMPONENT})*",
    "a repository without an image tag, such as"
    " europe-west1-docker.pkg.dev/PROJECT/REPOSITORY/NAME",
)
Repository = Annotated[str, REPOSITORY.form]
Platform = Annotated[str, forms.choice({"linux/amd64": "linux/amd64"})]
TagPolicyName = Annotated[TagPolicy, forms.choice({item.value: item for item in TagPolicy})]
Size = Annotated[int, forms.form("a size such as 2GB or 512MiB", forms.parse_size)]
Command = Annotated[
    tuple[str, ...],
    forms.listed("a list of words, such as [python, -m, app.migrate, apply]", _commands),
]

# The working tree
BRANCH = Text(r"(?![-/])[!-~]{1,200}(?<!/)", "the name of a branch, such as main")
REMOTE = Text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "the name of a remote, such as origin")
COMMIT = Text(r"[0-9a-f]{7,40}", "a commit by at least 7 of its hexadecimal digits")
GATE_NAME = Text(r"[A-Za-z][A-Za-z0-9 _-]{0,62}", "what is checked, in words (`types`)")

Branch = Annotated[str, BRANCH.form]
Remote = Annotated[str, REMOTE.form]
GateName = Annotated[str, GATE_NAME.form]
Commits = Annotated[
    tuple[str, ...],
    forms.listed("a list of commits, each at least 7 hexadecimal digits", _texts(COMMIT)),
]

# The revision: https://cloud.google.com/run/docs/configuring
Timeout = Annotated[timedelta, forms.duration(SECOND, HOUR, bare_seconds=True)]
Period = Annotated[timedelta, forms.duration(SECOND, 240 * SECOND)]
Cpu = Annotated[
    str, forms.form("1, 2, 4, 6 or 8 CPUs, or 0.08 to 1, such as 0.5 or 500m", resources.parse_cpu)
]
Memory = Annotated[
    str, forms.form("an amount of memory such as 512Mi or 4Gi", resources.parse_memory)
]
SecretVersion = Annotated[
    SecretReference,
    forms.form("NAME:VERSION, the version a number or latest", _secret_reference),
]
Header = Annotated[str, PlainValidator(_header)]

# The canary
Steps = Annotated[
    tuple[int, ...],
    forms.listed("whole percents from 1 to 99, rising, such as [10, 50]", _rising),
]
