"""Revisions, and the flags of `gcloud run deploy` that make them: one row each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from enum import Enum
from typing import Any, TypeVar

from greenrun.model import forms
from greenrun.model.forms import (
    HOUR,
    SECOND,
    Form,
    normal_cpu,
    normal_memory,
    parse_cpu,
    parse_memory,
)

T = TypeVar("T")

CPU = Form("1, 2, 4, 6 or 8 CPUs, or 0.08 to 1, such as 0.5 or 500m", parse_cpu, normal_cpu)
MEMORY = Form("an amount of memory such as 512Mi or 4Gi", parse_memory, normal_memory)
SERVICE_ACCOUNT = forms.text(
    r"[a-z0-9][-a-z0-9.]{0,62}@[a-z0-9][-a-z0-9.]{0,251}",
    "a service account such as NAME@PROJECT.iam.gserviceaccount.com",
)


@dataclass(frozen=True, slots=True, order=True)
class SecretReference:
    """A version of a secret, by name; never its value."""

    secret: str
    version: str = "latest"

    def __str__(self) -> str:
        return f"{self.secret}:{self.version}"


@dataclass(frozen=True, slots=True, order=True)
class Volume:
    """Storage that revisions share. `source` is `nfs:SERVER:/PATH` or `gcs:BUCKET`."""

    name: str
    source: str
    path: str

    def __str__(self) -> str:
        return f"{self.source} at {self.path}"


@dataclass(frozen=True, slots=True)
class StartupProbe:
    """The check that an instance has started. `path` empty: that it accepts TCP."""

    path: str = ""
    period: timedelta = timedelta(seconds=240)
    failure_threshold: int = 1

    def __str__(self) -> str:
        asked = f"GET {self.path}" if self.path else "TCP"
        return f"{asked} every {self.period.total_seconds():g} s, {self.failure_threshold} times"


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag of `gcloud run deploy`: all that is known of it.

    `key` stands under `deploy` in release.yaml, `field` in RevisionSettings. `path` is its place in
    a revision template; `container` there is the one that requests reach. Without a form it is
    structured: config/deploy.py and adapters/gcp/run/to_proto.py have a codec for its field.
    `default` is as people write it; None: the service keeps what it has.
    """

    key: str
    form: Form[Any] | None
    path: str
    default: object
    meaning: str
    field: str = ""

    @property
    def default_value(self) -> object:
        """The default in RevisionSettings; None for what a service keeps."""
        return None if self.form is None or self.default is None else self.form.parse(self.default)


def scalar(key: str, form: Form[T], path: str, default: object, meaning: str) -> T:
    """A row of the table: a flag of one value."""
    value = form.parse(default)
    if value is None:
        raise ValueError(f"{key}: got {default!r}, needs {form.needs}")
    return _field(Flag(key, form, path, default, meaning), lambda: value)


def kept(key: str, form: Form[T], path: str, meaning: str) -> T | None:
    """A row of the table: a flag of one value, which a service keeps where it is not named."""
    return _field(Flag(key, form, path, None, meaning), lambda: None)


def structured(key: str, path: str, default: Callable[[], T], shown: str, meaning: str) -> T:
    """A row of the table: a flag of several values, with a codec of its own."""
    return _field(Flag(key, None, path, shown, meaning), default)


def _field(flag: Flag, default: Callable[[], T]) -> T:
    made: T = field(default_factory=default, metadata={"flag": flag})
    return made


@dataclass(frozen=True, slots=True)
class RevisionSettings:
    """All that a release decides about a revision but its image: the table of the flags.

    From a row follow the key of release.yaml and its form, what is written to Cloud Run and read
    from it, the difference that a dry run shows, and the table in docs/release-yaml.md.
    """

    variables: Mapping[str, str] = structured(
        "env-vars-file",
        "container.env",
        dict,
        "env.yaml",
        "a file of variables beside release.yaml",
    )
    secrets: Mapping[str, SecretReference] = structured(
        "update-secrets", "container.env", dict, "{}", "variables that Secret Manager fills"
    )
    timeout: timedelta = scalar(
        "timeout",
        forms.duration(SECOND, HOUR, bare_seconds=True),
        "timeout",
        "300s",
        "for a request; a number alone is seconds",
    )
    cpu: str = scalar("cpu", CPU, "container.resources.limits.cpu", 1, "of an instance")
    memory: str = scalar(
        "memory",
        MEMORY,
        "container.resources.limits.memory",
        "512Mi",
        "of an instance; what Cloud Run allows with so many CPUs",
    )
    port: int = scalar(
        "port",
        forms.whole(1, 65535),
        "container.ports.0.container_port",
        8080,
        "where the container listens",
    )
    concurrency: int = scalar(
        "concurrency",
        forms.whole(1, 1000),
        "max_instance_request_concurrency",
        80,
        "requests at a time of an instance; 1 with less than one CPU",
    )
    min_instances: int = scalar(
        "min-instances", forms.whole(0), "scaling.min_instance_count", 0, "kept warm"
    )
    max_instances: int = scalar(
        "max-instances",
        forms.whole(1),
        "scaling.max_instance_count",
        100,
        "at most; not below min-instances",
    )
    startup_probe: StartupProbe = structured(
        "startup-probe",
        "container.startup_probe",
        StartupProbe,
        "TCP for 240 s",
        "how Cloud Run finds out that an instance has started",
    )
    volumes: tuple[Volume, ...] = structured(
        "volumes", "volumes", tuple, "{}", "storage that revisions share"
    )
    service_account: str | None = kept(
        "service-account", SERVICE_ACCOUNT, "service_account", "as whom the service runs"
    )
    session_affinity: bool | None = kept(
        "session-affinity",
        forms.BOOLEAN,
        "session_affinity",
        "a client's requests go to one instance, as far as possible",
    )
    cpu_boost: bool | None = kept(
        "cpu-boost",
        forms.BOOLEAN,
        "container.resources.startup_cpu_boost",
        "more CPU while an instance starts",
    )

    def differences(self, live: "RevisionSettings") -> tuple["Difference", ...]:
        """Compare with `live` key by key, mappings entry by entry; what is not said is kept."""
        wanted, found = dict(self.over(live).facts()), dict(live.facts())
        keys = sorted(wanted.keys() | found.keys())
        return tuple(
            Difference(key, wanted.get(key), found.get(key))
            for key in keys
            if wanted.get(key) != found.get(key)
        )

    def over(self, live: "RevisionSettings") -> "RevisionSettings":
        """Fill in what is not said from the `live` settings of the service."""
        return replace(self, **{flag.field: getattr(live, flag.field) for flag in self.unsaid})

    @property
    def unsaid(self) -> tuple["Flag", ...]:
        """The flags that the service keeps as it has them."""
        return tuple(flag for flag in FLAGS if getattr(self, flag.field) is None)

    def facts(self) -> Iterator[tuple[str, str]]:
        """Yield every setting that is said, by its key; entries of a mapping have their own."""
        for flag in FLAGS:
            value = getattr(self, flag.field)
            if isinstance(value, Mapping):
                yield from ((f"{flag.field}.{key}", str(entry)) for key, entry in value.items())
            elif isinstance(value, tuple):
                yield from ((f"{flag.field}.{entry.name}", str(entry)) for entry in value)
            elif value is not None:
                yield flag.field, str(value)


def flags_of(settings: type[RevisionSettings]) -> tuple[Flag, ...]:
    """Collect the rows of a table."""
    return tuple(replace(item.metadata["flag"], field=item.name) for item in fields(settings))


FLAGS = flags_of(RevisionSettings)


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that is not what it was meant to be; None where it is missing."""

    key: str
    wanted: str | None
    live: str | None

    def __str__(self) -> str:
        return f"{self.key}: got {_shown(self.live)}, needs {_shown(self.wanted)}"


def _shown(text: str | None) -> str:
    return "nothing" if text is None else text or "empty text"


class Readiness(Enum):
    """The platform's account of a revision or a service."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision as the platform describes it.

    One without traffic is READY too, with reason RETIRED. That proves no start: where the platform
    does not say that its container was healthy, only an answer of it does.
    """

    name: str
    image: str
    readiness: Readiness
    settings: RevisionSettings = field(repr=False)
    reason: str = ""
    message: str = ""
