"""Values of the flags of `gcloud run deploy`, each with its form."""

from dataclasses import dataclass
from datetime import timedelta

from greenrun.model import forms
from greenrun.model.forms import (
    HOUR,
    INT32,
    SECOND,
    Form,
    normal_cpu,
    normal_memory,
    parse_cpu,
    parse_memory,
)

_LABEL = r"[a-z]([-a-z0-9]{0,%d}[a-z0-9])?"
LONGEST_TEXT = 32_768


@dataclass(frozen=True, slots=True, order=True)
class SecretReference:
    """A version of a secret, by name; never its value."""

    secret: str
    version: str = "latest"

    def __str__(self) -> str:
        return f"{self.secret}:{self.version}"


def _secret_reference(value: object) -> SecretReference | None:
    return SecretReference(*str(value).split(":")) if _SECRET_VERSION.fits(value) else None


_SECRET_VERSION = forms.text(
    r"[A-Za-z0-9_-]{1,255}:(latest|[1-9][0-9]{0,8})", "NAME:VERSION, the version a number or latest"
)
SECRET_VERSION = Form(_SECRET_VERSION.needs, _secret_reference)

# Names: https://cloud.google.com/run/docs/container-contract
NAME = forms.text(
    _LABEL % 61, "a name under 64 characters of lower-case letters, digits and -, a letter first"
)
VARIABLE_NAME = forms.text(
    r"(?!(PORT|CLOUD_RUN_(JOB|EXECUTION|TASK_INDEX|TASK_ATTEMPT|TASK_COUNT))$|K_|X_GOOGLE_)"
    r"[A-Za-z_][A-Za-z0-9_]{0,255}",
    "a name of letters, digits and _, and none that Cloud Run sets itself (PORT, K_...)",
)
LABEL = forms.text(
    r"[a-z][a-z0-9_-]{0,62}", "a label under 64 characters of a-z, 0-9, _ and -, a letter first"
)
LABEL_VALUE = forms.text(r"[a-z0-9_-]{0,63}", "text under 64 characters of a-z, 0-9, _ and -")
HEADER_NAME = forms.text(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,255}", "the name of a header")
IMAGE = forms.text(r"[a-z0-9][!-~]{0,1023}", "the reference of an image")

# Paths
URL_PATH = forms.text(r"/[!-~]{0,1023}", "a path that begins with /, such as /api/health")
MOUNT_PATH = forms.text(
    r"(?!/(dev|proc|sys)(/|$))(/(?!\.{1,2}(/|$))[^/:\x00-\x20\x7f]{1,255}){1,20}",
    "an absolute path outside /dev, /proc and /sys, such as /data",
)
SECRET_PLACE = Form(
    "a variable of letters, digits and _, and none that Cloud Run sets itself (PORT, K_...),"
    " or the path of a file in a folder of its own, such as /secrets/token",
    lambda value: VARIABLE_NAME.parse(value) or (_file(value) if MOUNT_PATH.fits(value) else None),
)
VOLUME_SOURCE = forms.text(
    r"nfs:[A-Za-z0-9][A-Za-z0-9.-]{0,252}:/[!-~]{0,1023}|gcs:[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]"
    r"|in-memory",
    "nfs:SERVER:/PATH, gcs:BUCKET or in-memory"
    " (secrets: update-secrets with a path; Cloud SQL: add-cloudsql-instances)",
)


def _file(path: object) -> str | None:
    return str(path) if str(path).count("/") > 1 else None


# Amounts: https://cloud.google.com/run/docs/configuring
CPU = Form("1, 2, 4, 6 or 8 CPUs, or 0.08 to 1, such as 0.5 or 500m", parse_cpu, normal_cpu)
MEMORY = Form("an amount of memory such as 512Mi or 4Gi", parse_memory, normal_memory)
GPU = Form(
    "0 or 1",
    lambda value: str(value) if value in {0, 1, "0", "1"} and not isinstance(value, bool) else None,
)
TIMEOUT = forms.duration(SECOND, HOUR, bare_seconds=True)
PERIOD = forms.duration(SECOND, HOUR, bare_seconds=True)
DELAY = forms.duration(timedelta(), HOUR, bare_seconds=True)
COUNT = forms.whole(1, INT32)
HOURS = Form(
    "a whole number of hours, from 1 on",
    lambda value: timedelta(hours=hours) if (hours := forms.whole(1, 8760).parse(value)) else None,
)

# Texts
TEXT = Form(
    f"text of at most {LONGEST_TEXT:,} bytes in quotes",
    lambda value: (
        value
        if isinstance(value, str) and "\0" not in value and len(value.encode()) <= LONGEST_TEXT
        else None
    ),
)
LINE = forms.text(r"[^\x00-\x1f\x7f]{0,512}", "a line of at most 512 characters")
SERVICE_ACCOUNT = forms.text(
    r"[a-z0-9][-a-z0-9.]{0,62}@[a-z0-9][-a-z0-9.]{0,251}",
    "a service account such as NAME@PROJECT.iam.gserviceaccount.com",
)
RESOURCE = forms.text(
    r"[a-z][-a-z0-9]{0,62}|projects/[!-~]{1,500}", "a name, or projects/PROJECT/..."
)
KEY = forms.text(
    r"projects/[^/\s]+/locations/[^/\s]+/keyRings/[^/\s]+/cryptoKeys/[^/\s]+",
    "projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY",
)
ACCELERATOR = forms.text(r"[a-z][-a-z0-9]{0,62}", "a type of GPU such as nvidia-l4")
INSTANCE = forms.text(
    r"[a-z0-9][-a-z0-9.:]{4,60}:[a-z]+-[a-z]+[0-9]+:[a-z][-a-z0-9]{0,97}",
    "PROJECT:REGION:INSTANCE",
)
AUDIENCE = forms.text(r"[!-~]{1,255}", "an audience such as https://api.example.com")


def list_of(item: Form[str], needs: str) -> Form[tuple[str, ...]]:
    """A list, which may be empty, of values of one form."""
    return forms.sequence(needs, lambda values: all(map(item.fits, values)))


WORDS = list_of(TEXT, "a list of texts, such as [python, -m, app]")
NAMES = list_of(NAME, "a list of names")
NETWORK_TAGS = list_of(NAME, "a list of network tags, such as [web, internal]")
INSTANCES = list_of(INSTANCE, "a list of PROJECT:REGION:INSTANCE")
AUDIENCES = list_of(AUDIENCE, "a list of audiences such as https://api.example.com")
TO_REMOVE = list_of(forms.text(r"[!-~]{1,512}", "a name"), "a list of names")
OPTIONS = list_of(forms.text(r"[!-~]{1,512}", "an option"), "a list such as [implicit-dirs]")
