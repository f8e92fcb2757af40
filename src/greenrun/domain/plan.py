"""What a release will do, decided before it starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from greenrun.domain.image import TagPolicy
from greenrun.domain.revision import RevisionSettings


@dataclass(frozen=True, slots=True)
class Place:
    """Where the service lives."""

    project: str
    region: str

    @property
    def parent(self) -> str:
        """As resource names begin: `projects/PROJECT/locations/REGION`."""
        return f"projects/{self.project}/locations/{self.region}"


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """How the image is built. Paths are relative to release.yaml; sizes are in bytes."""

    repository: str
    dockerfile: str = "Dockerfile"
    context: str = "."
    platform: str = "linux/amd64"
    tag_policy: TagPolicy = TagPolicy.TIMESTAMP
    also_latest: bool = True
    within: timedelta = timedelta(minutes=10)
    size_budget_bytes: int = 2 * 10**9


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """Commands of the image.

    `status` prints a line of JSON: {"migrations": [{"name", "state", "contracts"}, ...]}.
    `check` proves the data afterwards by its exit status; empty, nothing is checked.
    """

    status: tuple[str, ...]
    apply: tuple[str, ...]
    check: tuple[str, ...] = ()
    within: timedelta = timedelta(minutes=5)
    allow_contracting: bool = False


@dataclass(frozen=True, slots=True)
class PreflightPlan:
    """What has to hold of the working tree before a release.

    `branch` empty: any. `commits` (SHAs, or the beginnings of them) must be in. `quality_gates` are
    commands by name, which end with 0. `known_secrets` is a baseline file of detect-secrets with
    the findings that people have looked at; empty, there is none.
    """

    branch: str = ""
    remote: str = "origin"
    commits: tuple[str, ...] = ()
    quality_gates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gates_within: timedelta = timedelta(minutes=10)
    known_secrets: str = ""


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """Where the record of a release goes, relative to release.yaml.

    `template` empty: greenrun's own. `hand_over` files get an entry each. `commit`: the record is
    committed.
    """

    folder: str = "docs/deployments"
    template: str = ""
    hand_over: tuple[str, ...] = ()
    commit: bool = False


@dataclass(frozen=True, slots=True)
class CanaryPlan:
    """How the share of the candidate rises.

    `increments` are whole percents below 100, rising. `probes_per_second` is our own traffic during
    a bake, spread over `probe_paths`; 0 leaves the service to its users. `fewest_requests` is what
    the candidate must have answered in a bake to be judged at all.
    """

    increments: tuple[int, ...] = (10,)
    bake: timedelta = timedelta(minutes=10)
    fewest_requests: int = 100
    probes_per_second: float = 0.0
    probe_paths: tuple[str, ...] = ("/",)


@dataclass(frozen=True, slots=True)
class Plan:
    """release.yaml and env.yaml as one environment sees them.

    `identities` maps who may ask (`a user`) to the headers that say so; their values are format
    strings over the variables of secrets (`Bearer {API_TOKEN}`). `reuse_rehearsal_within` is how
    old a green rehearsal of the same may be to stand for a new one; None: it never does.
    `keep_images` is how many image tags outlive a release beside those in use; None: all of them.
    """

    service: str
    environment: str
    place: Place
    build: BuildPlan
    settings: RevisionSettings
    public: bool = False
    revision_tag: str = "candidate"
    ready_within: timedelta = timedelta(seconds=60)
    change_within: timedelta = timedelta(seconds=120)
    log_within: timedelta = timedelta(seconds=60)
    migration: MigrationPlan | None = None
    canary: CanaryPlan = CanaryPlan()
    preflight: PreflightPlan = PreflightPlan()
    record: RecordPlan = RecordPlan()
    push_within: timedelta = timedelta(minutes=15)
    lock_time_to_live: timedelta = timedelta(seconds=90)
    reuse_rehearsal_within: timedelta | None = None
    keep_images: int | None = None
    identities: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
