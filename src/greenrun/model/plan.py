"""The plan of a release, decided before it starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from pathlib import Path

from greenrun.model.image import TagPolicy
from greenrun.model.monitoring import Figure
from greenrun.model.revision import NOTHING_SAID, RevisionSettings, ServiceSettings

IDENTITY_TOKEN = "identity token"  # noqa: S105 - its name, none of them
"""Placeholder, in braces, of a Google identity token for the service."""

REHEARSAL = "local"
"""The environment in which nobody but we use the service."""


@dataclass(frozen=True, slots=True)
class Location:
    """Project and region of the service."""

    project: str
    region: str

    @property
    def parent(self) -> str:
        """The beginning of resource names: `projects/PROJECT/locations/REGION`."""
        return f"projects/{self.project}/locations/{self.region}"


TAG_FILE = "build_tag.txt"

START_TAG = "gr-start"
"""The revision tag under which a revision is started and asked before users are sent to it."""


@dataclass(frozen=True, slots=True)
class BuildSecret:
    """What a build may read and no image keeps: a variable of this machine, or else a file.

    A path is relative to release.yaml, absolute, or begins with `~`.
    """

    variable: str = ""
    file: str = ""

    def path(self, directory: Path) -> Path:
        """Where the file is, of a release.yaml in this directory."""
        return directory / Path(self.file).expanduser()


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """The build of the image. Paths are relative to release.yaml; sizes are in bytes.

    `tag_file` is told the image tag, for whoever rolls back by hand. `args` and `target` are those
    of the Dockerfile, `secrets` what its instructions may mount, by id. `image`, by digest or by
    image tag, was built elsewhere, and is neither built nor pushed; empty, there is none.
    """

    repository: str
    image: str = ""
    dockerfile: str = "Dockerfile"
    context: str = "."
    args: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    secrets: Mapping[str, BuildSecret] = field(default_factory=dict)
    platform: str = "linux/amd64"
    tag_policy: TagPolicy = TagPolicy.TIMESTAMP
    also_latest: bool = True
    tag_file: str = TAG_FILE
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
    """Conditions of the working tree before a release.

    `branch` empty: any. `commits` (SHAs, or the beginnings of them) must be in. `quality_gates` are
    commands by name, which end with 0. `secrets_baseline` is a baseline file of detect-secrets with
    the findings that people have looked at; empty, there is none.
    """

    branch: str = ""
    remote: str = "origin"
    commits: tuple[str, ...] = ()
    quality_gates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    quality_gate_timeout: timedelta = timedelta(minutes=10)
    secrets_baseline: str = ""


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """Places of the record of a release, relative to release.yaml.

    `template` empty: greenrun's own. `changelogs` are files that get an entry each. `commit`: the
    record is committed.
    """

    folder: str = "docs/deployments"
    template: str = ""
    changelogs: tuple[str, ...] = ()
    commit: bool = False


USER, NOBODY = "a user", "nobody"
"""Who asks where nothing else is said, and who shows nothing."""

DONE, SERVES = range(200, 400), range(100, 500)
"""Statuses of an answer to what was asked for, and of whatever serves at all."""

NEVER_ARRIVES = frozenset({"/healthz", "/eventlog"})
"""Paths that the platform's front end answers with 404 by itself; no container and no log sees
them. Source: https://cloud.google.com/run/docs/known-issues, and reports of users for /healthz
(exactly: /healthz/ and /readyz arrive)."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A request that we send, and the `statuses` of a good answer.

    `json` is its body, where it is not None; `headers` go beside those of the `identity`.
    """

    method: str = "GET"
    path: str = "/"
    identity: str = USER
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: object = field(default=None, repr=False)
    statuses: Sequence[int] = DONE

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def needs(self) -> str:
        """The statuses in words."""
        words = {DONE: "2xx or 3xx", SERVES: "a status below 500"}
        if isinstance(self.statuses, range):
            return words[self.statuses]
        return " or ".join(map(str, self.statuses))


ANY_ANSWER = (Probe(statuses=SERVES),)
"""Where nothing is said: GET /, whatever it answers that is no error of a server."""


class Underpowered(Enum):
    """Fate of a step that could detect nothing of the tolerated size in its time."""

    REFUSED = "refuse"
    LENGTHENED = "lengthen"


@dataclass(frozen=True, slots=True)
class CanaryPlan:
    """Steps of the canary, and the error probabilities and margins of its tests.

    `steps` are whole percents below 100, rising. Each is watched until the evidence decides: for
    `min_duration` at least, `max_duration` at most. `probes_per_second` is our own traffic
    meanwhile, spread over `probes`; 0 leaves the service to its users, and None says nothing of it.
    `alone`: there are no users beside it.

    `alpha`: the chance of ever rolling back a candidate that is no worse. `beta`: that of ever
    passing one that is worse by more than `max_error_increase` (of the error share; 0.01 is 1
    percentage point) or `max_latency_increase` (of a latency quantile; 0.25 is a quarter). Answers
    that take less than `latency_floor` count as equally fast. What a revision answers within one
    `stall` weighs as one request, as it may have been slow together. `underpowered` is what becomes
    of a step that could see nothing of that size within its time.
    """

    steps: tuple[int, ...] = (10,)
    min_duration: timedelta = timedelta()
    max_duration: timedelta = timedelta(minutes=15)
    probes_per_second: float | None = None
    probes: tuple[Probe, ...] = ANY_ANSWER
    alpha: float = 0.01
    beta: float = 0.05
    max_error_increase: float = 0.01
    max_latency_increase: float = 0.25
    latency_floor: timedelta = timedelta(milliseconds=10)
    stall: timedelta = timedelta(milliseconds=250)
    alone: bool = False
    underpowered: Underpowered = Underpowered.REFUSED

    @property
    def is_probed(self) -> bool:
        """True where our own probes are sent: where nothing is said, in a rehearsal alone."""
        return self.alone if self.probes_per_second is None else self.probes_per_second > 0

    @property
    def named_probes(self) -> Mapping[str, Probe]:
        """The probes by what the verdict calls them; of the same request, the second as `(2)`."""
        named: dict[str, Probe] = {}
        for probe in self.probes:
            same = sum(str(one) == str(probe) for one in named.values())
            named[f"{probe} ({same + 1})" if same else str(probe)] = probe
        return named

    def probed_share(self, share: int) -> float:
        """The candidate's part (0 to 1) of our own probes, at a share of the users in percent.

        As of the users, so that both revisions meet the same mixture of users and probes, and what
        the platform counts of them can be compared. Half of them where there are no users.
        """
        return 0.5 if self.alone else share / 100

    @property
    def alpha_each(self) -> float:
        """The part of each who counts: the platform, and our own probes if there are any."""
        return self.alpha / 2 if self.is_probed else self.alpha


@dataclass(frozen=True, slots=True)
class MonitoringPlan:
    """Dashboards and alerts of the service once it is released.

    `folder` is where its files go, relative to release.yaml. `credentials_file` is where Prometheus
    finds the bearer token that the service asks for; empty, it asks for none. `target` is
    `HOST:PORT`; empty, it is where the platform serves. `alerts` names objectives of the canary
    whose breach, lasting for `alert_after`, is told to people. `overwrite`: what people changed by
    hand is made what release.yaml says.
    """

    figures: tuple[Figure, ...]
    folder: str = "monitoring"
    metrics_path: str = "/metrics"
    scrape_interval: timedelta = timedelta(seconds=30)
    credentials_file: str = ""
    target: str = ""
    alerts: tuple[str, ...] = ("error rate", "p99 latency")
    alert_after: timedelta = timedelta(minutes=5)
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """release.yaml and env.yaml as one environment sees them.

    `identities` maps who may ask (`a user`) to the headers that say so; their values are format
    strings over the variables of secrets (`Bearer {API_TOKEN}`). `rehearsal_max_age` is how
    old a green rehearsal of the same may be to stand for a new one; None: it never does.
    `keep_images` is how many image tags outlive a release beside those in use; None: all of them.
    """

    service: str
    environment: str
    place: Location
    build: BuildPlan
    settings: RevisionSettings
    service_settings: ServiceSettings = NOTHING_SAID
    public: bool = False
    revision_tag: str = "candidate"
    baseline_tag: str = "baseline"
    ready_timeout: timedelta = timedelta(seconds=60)
    traffic_timeout: timedelta = timedelta(seconds=120)
    log_timeout: timedelta = timedelta(seconds=60)
    migration: MigrationPlan | None = None
    canary: CanaryPlan = CanaryPlan()
    preflight: PreflightPlan = PreflightPlan()
    record: RecordPlan = RecordPlan()
    push_timeout: timedelta = timedelta(minutes=15)
    lease_duration: timedelta = timedelta(seconds=90)
    rehearsal_max_age: timedelta | None = None
    keep_images: int | None = None
    identities: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    monitoring: MonitoringPlan | None = None

    @property
    def for_everybody(self) -> bool:
        """True where everybody may invoke the service: it is granted to them, or not checked."""
        return self.public or self.service_settings.invoker_iam_check is False
