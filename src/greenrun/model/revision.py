"""What Cloud Run runs: revisions and the settings that make them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import Enum


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
    """How the platform finds out that an instance started. `path` empty: that it accepts TCP."""

    path: str = ""
    period: timedelta = timedelta(seconds=240)
    failure_threshold: int = 1

    def __str__(self) -> str:
        asked = f"GET {self.path}" if self.path else "TCP"
        return f"{asked} every {self.period.total_seconds():g} s, {self.failure_threshold} times"


@dataclass(frozen=True, slots=True)
class RevisionSettings:
    """All that a release decides about a revision but its image. Field names are gcloud's flags."""

    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretReference] = field(default_factory=dict)
    timeout: timedelta = timedelta(seconds=300)
    cpu: str = "1"
    memory: str = "512Mi"
    port: int = 8080
    concurrency: int = 80
    min_instances: int = 0
    max_instances: int = 100
    startup_probe: StartupProbe = StartupProbe()
    volumes: tuple[Volume, ...] = ()
    service_account: str = ""

    def differences(self, live: "RevisionSettings") -> tuple["Difference", ...]:
        """What stands otherwise in `live`, key by key; mappings are compared entry by entry."""
        wanted, found = dict(self.facts()), dict(live.facts())
        keys = sorted(wanted.keys() | found.keys())
        return tuple(
            Difference(key, wanted.get(key), found.get(key))
            for key in keys
            if wanted.get(key) != found.get(key)
        )

    def facts(self) -> Iterator[tuple[str, str]]:
        """Every setting as a key and its text; entries of a mapping have keys of their own."""
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Mapping):
                yield from ((f"{item.name}.{key}", str(entry)) for key, entry in value.items())
            elif isinstance(value, tuple):
                yield from ((f"{item.name}.{entry.name}", str(entry)) for entry in value)
            else:
                yield item.name, str(value)


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
    """What the platform says of a revision or a service."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision as the platform describes it. A Retired one is READY too: it has no traffic."""

    name: str
    image: str
    readiness: Readiness
    settings: RevisionSettings = field(repr=False)
    reason: str = ""
    message: str = ""
