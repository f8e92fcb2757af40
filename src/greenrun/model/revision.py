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
    """The check that an instance has started. `path` empty: that it accepts TCP; None: not said."""

    path: str | None = None
    period: timedelta | None = None
    failure_threshold: int | None = None

    def over(self, live: "StartupProbe") -> "StartupProbe":
        """Fill in what is not said from the `live` probe."""
        said = {item.name: getattr(self, item.name) for item in fields(self)}
        return replace(live, **{name: it for name, it in said.items() if it is not None})

    def __str__(self) -> str:
        asked = f"GET {self.path}" if self.path else "TCP"
        period = f" every {self.period.total_seconds():g} s" if self.period else ""
        times = f", {self.failure_threshold} times" if self.failure_threshold else ""
        return f"{asked}{period}{times}"


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag of `gcloud run deploy`: all that is known of it.

    `key` stands under `deploy` in release.yaml, `field` in RevisionSettings. `path` is its place in
    a revision template; `container` there is the one that requests reach. Without a form it is
    structured: config/deploy.py and adapters/gcp/run/to_proto.py have a codec for its field.
    """

    key: str
    form: Form[Any] | None
    path: str
    meaning: str
    field: str = ""


def scalar(key: str, form: Form[T], path: str, meaning: str) -> T | None:
    """A row of the table: a flag of one value."""
    made: T | None = field(default=None, metadata={"flag": Flag(key, form, path, meaning)})
    return made


def structured(key: str, path: str, unsaid: Callable[[], T], meaning: str) -> T:
    """A row of the table: a flag of several values, with a codec of its own."""
    made: T = field(default_factory=unsaid, metadata={"flag": Flag(key, None, path, meaning)})
    return made


def _unsaid() -> None:
    return None


@dataclass(frozen=True, slots=True)
class RevisionSettings:
    """All that is said of a revision but its image: the table of the flags.

    None is not said: the candidate keeps what the baseline has. Mappings of secrets and volumes go
    over those of the baseline name by name; `variables` replace all that are plain.

    From a row follow the key of release.yaml and its form, what is written to Cloud Run and read
    from it, the difference that a dry run shows, and the table in docs/release-yaml.md.
    """

    variables: Mapping[str, str] | None = structured(
        "env-vars-file", "container.env", _unsaid, "a file of variables beside release.yaml"
    )
    secrets: Mapping[str, SecretReference] = structured(
        "update-secrets", "container.env", dict, "variables that Secret Manager fills"
    )
    timeout: timedelta | None = scalar(
        "timeout",
        forms.duration(SECOND, HOUR, bare_seconds=True),
        "timeout",
        "for a request; a number alone is seconds",
    )
    cpu: str | None = scalar("cpu", CPU, "container.resources.limits.cpu", "of an instance")
    memory: str | None = scalar(
        "memory",
        MEMORY,
        "container.resources.limits.memory",
        "of an instance; what Cloud Run allows with so many CPUs",
    )
    port: int | None = scalar(
        "port",
        forms.whole(1, 65535),
        "container.ports.0.container_port",
        "where the container listens",
    )
    concurrency: int | None = scalar(
        "concurrency",
        forms.whole(1, 1000),
        "max_instance_request_concurrency",
        "requests at a time of an instance; 1 with less than one CPU",
    )
    min_instances: int | None = scalar(
        "min-instances", forms.whole(0), "scaling.min_instance_count", "kept warm"
    )
    max_instances: int | None = scalar(
        "max-instances",
        forms.whole(1),
        "scaling.max_instance_count",
        "at most; not below min-instances",
    )
    startup_probe: StartupProbe | None = structured(
        "startup-probe",
        "container.startup_probe",
        _unsaid,
        "how Cloud Run finds out that an instance has started",
    )
    volumes: tuple[Volume, ...] = structured(
        "volumes", "volumes", tuple, "storage that revisions share"
    )
    service_account: str | None = scalar(
        "service-account", SERVICE_ACCOUNT, "service_account", "as whom the service runs"
    )
    session_affinity: bool | None = scalar(
        "session-affinity",
        forms.BOOLEAN,
        "session_affinity",
        "a client's requests go to one instance, as far as possible",
    )
    cpu_boost: bool | None = scalar(
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
        """Lay what is said over the `live` settings."""
        variables = live.variables if self.variables is None else self.variables
        secrets = {**live.secrets, **self.secrets}
        probe, known = self.startup_probe, live.startup_probe
        volumes = {each.name: each for each in (*live.volumes, *self.volumes)}
        return replace(
            self,
            **{flag.field: getattr(live, flag.field) for flag in self.unsaid if flag.form},
            variables=variables and {k: v for k, v in variables.items() if k not in self.secrets},
            secrets={k: v for k, v in secrets.items() if k not in (self.variables or ())},
            startup_probe=probe.over(known) if probe and known else probe or known,
            volumes=tuple(volumes.values()),
        )

    def lost(self, live: "RevisionSettings") -> tuple[str, ...]:
        """Variables, plain or from a secret, that are live and would be gone."""
        names = [{*(one.variables or ()), *one.secrets} for one in (live, self.over(live))]
        return tuple(sorted(names[0] - names[1]))

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
class ServiceSettings:
    """All that is said of a service whatever its revision; None is not said, and kept."""


NOTHING_SAID = ServiceSettings()


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
