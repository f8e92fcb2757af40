"""The flags of `gcloud run deploy` that release.yaml can hold: one row each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self, TypeVar

from greenrun.model import forms
from greenrun.model.revision import values as are
from greenrun.model.revision.rows import (
    Settings,
    adding,
    clearing,
    laid_over,
    listing,
    mapping,
    removing,
    replacing,
    section,
    sections,
    value,
)
from greenrun.model.revision.values import SecretReference

C = TypeVar("C", bound="ContainerSettings")
R = TypeVar("R", bound="RevisionSettings")
VARIABLE, SET = "env-vars.", "set"
"""How facts of variables begin, and what is told of a value that may be a secret."""
_NOT = {True: False, False: True}
_ON_PURPOSE = "what is taken away on purpose"


def _choice(*words: str) -> forms.Form[str]:
    return forms.choice({word: word for word in words})


@dataclass(frozen=True, slots=True)
class ContainerProbe(Settings):
    """A check of an instance. Where it is sent follows from what it asks, where `type` is unsaid.

    https://cloud.google.com/run/docs/configuring/healthchecks
    """

    type: str | None = value(
        "type",
        _choice("http", "tcp", "grpc", "none"),
        "",
        "http with a path or headers, grpc with a grpc-service; none takes the probe away",
    )
    path: str | None = value("path", are.URL_PATH, "http_get.path", "what is asked for by HTTP")
    headers: Mapping[str, str] = mapping(
        "headers", are.HEADER_NAME, are.LINE, "http_get.http_headers", "sent by HTTP"
    )
    grpc_service: str | None = value(
        "grpc-service", are.LINE, "grpc.service", "the service that gRPC's health check names"
    )
    port: int | None = value(
        "port", forms.whole(1, 65535), "*.port", "left out: where the container listens"
    )
    initial_delay: timedelta | None = value(
        "initial-delay", are.DELAY, "initial_delay_seconds", "before the first attempt"
    )
    timeout: timedelta | None = value(
        "timeout", are.PERIOD, "timeout_seconds", "of an attempt; not above period"
    )
    period: timedelta | None = value("period", are.PERIOD, "period_seconds", "between attempts")
    failure_threshold: int | None = value(
        "failure-threshold", are.COUNT, "failure_threshold", "attempts before it has failed"
    )

    @property
    def kind(self) -> str:
        implied = "http" if self.path or self.headers else "grpc" if self.grpc_service else ""
        return self.type or implied

    def over(self, live: Self) -> Self:
        """Lay it over the `live` one; the probe that Cloud Run fills in itself is nobody's."""
        if not self.said:
            return live
        kept = type(self)() if replace(live, port=None) == FILLED_IN else live
        if self.kind not in {"", live.kind}:
            kept = replace(kept, path=None, headers={}, grpc_service=None)
        return replace(laid_over(self, kept), type=self.kind or kept.kind or live.kind or None)

    def __bool__(self) -> bool:
        return self.kind != "none"


FILLED_IN = ContainerProbe(
    type="tcp",
    timeout=timedelta(seconds=240),
    period=timedelta(seconds=240),
    failure_threshold=1,
)
"""The startup probe of a container for which nobody named one; recorded of Google."""


@dataclass(frozen=True, slots=True)
class Volume(Settings):
    """Storage beside the container's own."""

    source: str | None = value("source", are.VOLUME_SOURCE, "", "what it is")
    path: str | None = value(
        "path", are.MOUNT_PATH, "", "where the container that requests reach finds it"
    )
    readonly: bool | None = value(
        "readonly", forms.BOOLEAN, "*.read_only", "nothing is written; of nfs and gcs"
    )
    mount_options: tuple[str, ...] | None = value(
        "mount-options", are.OPTIONS, "gcs.mount_options", "of gcs, such as [implicit-dirs]"
    )
    size_limit: str | None = value("size-limit", are.MEMORY, "empty_dir.size_limit", "of in-memory")

    @property
    def kind(self) -> str:
        return (self.source or "").partition(":")[0]

    @property
    def shared(self) -> bool:
        """True where other instances, and other revisions, find the same there."""
        return self.kind in {"nfs", "gcs"}

    def over(self, live: Self) -> Self:
        """Lay it over the `live` one; options of another kind of storage mean nothing here."""
        return laid_over(self, live if self.kind in {"", live.kind} else live.without_kind())

    def without_kind(self) -> Self:
        """Return it without its options: what stays is where it is found."""
        return type(self)(path=self.path)


@dataclass(frozen=True, slots=True)
class ContainerSettings(Settings):
    """All that is said of a container but its image."""

    command: tuple[str, ...] | None = value(
        "command", are.WORDS, "container.command", "instead of the image's ENTRYPOINT; [] is that"
    )
    args: tuple[str, ...] | None = value(
        "args", are.WORDS, "container.args", "instead of the image's CMD; [] is that"
    )
    variables: Mapping[str, str] | None = replacing(
        "set-env-vars",
        are.VARIABLE_NAME,
        are.TEXT,
        "container.env",
        "all plain variables; one that is live and not named stops the release",
    )
    update_variables: Mapping[str, str] | None = adding(
        "update-env-vars", "variables", are.VARIABLE_NAME, are.TEXT, "some plain variables"
    )
    remove_variables: tuple[str, ...] = removing(
        "remove-env-vars", are.TO_REMOVE, "variables", "plain variables"
    )
    secrets: Mapping[str, SecretReference] = mapping(
        "update-secrets",
        are.SECRET_PLACE,
        are.SECRET_VERSION,
        "container.env",
        "variables and files that Secret Manager fills: NAME or /FOLDER/FILE: SECRET:VERSION",
    )
    remove_secrets: tuple[str, ...] = removing(
        "remove-secrets", are.TO_REMOVE, "secrets", "variables and files from Secret Manager"
    )
    cpu: str | None = value("cpu", are.CPU, "container.resources.limits.cpu", "of an instance")
    memory: str | None = value(
        "memory",
        are.MEMORY,
        "container.resources.limits.memory",
        "of an instance; what Cloud Run allows with so many CPUs",
    )
    gpu: str | None = value(
        "gpu", are.GPU, "container.resources.limits.nvidia.com/gpu", "of an instance; 0 is none"
    )
    startup_probe: ContainerProbe | None = section(
        "startup-probe",
        ContainerProbe,
        "container.startup_probe",
        "how Cloud Run finds out that an instance has started",
    )
    liveness_probe: ContainerProbe | None = section(
        "liveness-probe",
        ContainerProbe,
        "container.liveness_probe",
        "how it finds out that one has to be replaced",
    )
    readiness_probe: ContainerProbe | None = section(
        "readiness-probe",
        ContainerProbe,
        "container.readiness_probe",
        "how it finds out that one may get requests",
    )
    depends_on: tuple[str, ...] | None = value(
        "depends-on", are.NAMES, "container.depends_on", "containers that start before"
    )

    def over(self, live: Self) -> Self:
        """Lay it over the `live` one; a name is plain or from Secret Manager, as said last."""
        return _mended(self, laid_over(self, live))

    @property
    def names(self) -> set[str]:
        """Variables, plain or from Secret Manager, and files of secrets."""
        return {*(self.variables or ()), *self.secrets}


def _mended(said: C, made: C) -> C:
    """Give each variable one source, as said last, and a startup probe something to ask."""
    plain = {*(said.variables or ()), *(said.update_variables or ())}
    variables = {
        name: text for name, text in (made.variables or {}).items() if name not in said.secrets
    }
    secrets = {name: it for name, it in made.secrets.items() if name not in plain}
    probe = made.startup_probe
    if probe and not probe.kind:
        probe = replace(probe, type="tcp")
    return replace(made, variables=variables, secrets=secrets, startup_probe=probe)


@dataclass(frozen=True, slots=True)
class Sidecar(ContainerSettings):
    """A container beside the one that requests reach."""

    image: str | None = value("image", are.IMAGE, "container.image", "required of a new one")
    mounts: Mapping[str, str] = mapping(
        "volume-mounts",
        are.NAME,
        are.MOUNT_PATH,
        "container.volume_mounts",
        "where it finds which volume",
    )


@dataclass(frozen=True, slots=True)
class RevisionSettings(ContainerSettings):
    """All that is said of a revision but its image: the table of the flags.

    From a row follow the key of release.yaml and its form, what is written to Cloud Run and read
    from it, the difference that a dry run shows, and the table in docs/release-yaml.md.
    """

    container: str | None = value(
        "container", are.NAME, "container.name", "the name of the one that requests reach"
    )
    port: int | None = value(
        "port",
        forms.whole(1, 65535),
        "container.ports.0.container_port",
        "where the container listens",
    )
    use_http2: bool | None = value(
        "use-http2",
        forms.BOOLEAN,
        "container.ports.0.name",
        "HTTP/2 end to end",
        {True: "h2c", False: "http1"},
    )
    timeout: timedelta | None = value(
        "timeout", are.TIMEOUT, "timeout", "for a request; a number alone is seconds"
    )
    concurrency: int | None = value(
        "concurrency",
        forms.whole(1, 1000),
        "max_instance_request_concurrency",
        "requests at a time of an instance; 1 with less than one CPU",
    )
    min_instances: int | None = value(
        "min-instances", forms.whole(0), "scaling.min_instance_count", "kept warm"
    )
    max_instances: int | None = value(
        "max-instances",
        forms.whole(1),
        "scaling.max_instance_count",
        "at most; not below min-instances",
    )
    cpu_throttling: bool | None = value(
        "cpu-throttling",
        forms.BOOLEAN,
        "container.resources.cpu_idle",
        "CPU during requests only",
    )
    cpu_boost: bool | None = value(
        "cpu-boost",
        forms.BOOLEAN,
        "container.resources.startup_cpu_boost",
        "more CPU while an instance starts",
    )
    gpu_type: str | None = value(
        "gpu-type", are.ACCELERATOR, "node_selector.accelerator", "such as nvidia-l4"
    )
    gpu_zonal_redundancy: bool | None = value(
        "gpu-zonal-redundancy",
        forms.BOOLEAN,
        "gpu_zonal_redundancy_disabled",
        "GPUs in several zones",
        _NOT,
    )
    volumes: Mapping[str, Volume] = sections(
        "volumes", are.NAME, Volume, "volumes", "storage, by name"
    )
    remove_volumes: tuple[str, ...] = removing(
        "remove-volumes", are.TO_REMOVE, "volumes", "volumes, with their mounts"
    )
    containers: Mapping[str, Sidecar] = sections(
        "containers", are.NAME, Sidecar, "containers", "those beside it, by name"
    )
    remove_containers: tuple[str, ...] = removing(
        "remove-containers", are.TO_REMOVE, "containers", "containers beside it"
    )
    service_account: str | None = value(
        "service-account", are.SERVICE_ACCOUNT, "service_account", "as whom the service runs"
    )
    cloudsql_instances: tuple[str, ...] = listing(
        "add-cloudsql-instances", are.INSTANCES, "volumes", "found below /cloudsql"
    )
    remove_cloudsql_instances: tuple[str, ...] = removing(
        "remove-cloudsql-instances", are.TO_REMOVE, "cloudsql_instances", "Cloud SQL instances"
    )
    vpc_connector: str | None = value(
        "vpc-connector", are.RESOURCE, "vpc_access.connector", "a Serverless VPC Access connector"
    )
    clear_vpc_connector: bool | None = clearing(
        "clear-vpc-connector", forms.BOOLEAN, ("vpc_connector",), "takes the connector away"
    )
    network: str | None = value(
        "network",
        are.RESOURCE,
        "vpc_access.network_interfaces.0.network",
        "a VPC network, without a connector",
    )
    subnet: str | None = value(
        "subnet", are.RESOURCE, "vpc_access.network_interfaces.0.subnetwork", "of the network"
    )
    network_tags: tuple[str, ...] | None = value(
        "network-tags",
        are.NETWORK_TAGS,
        "vpc_access.network_interfaces.0.tags",
        "all of them; [] is none",
    )
    clear_network: bool | None = clearing(
        "clear-network",
        forms.BOOLEAN,
        ("network", "subnet", "network_tags"),
        "takes network, subnet and network tags away",
    )
    vpc_egress: str | None = value(
        "vpc-egress",
        _choice("all-traffic", "private-ranges-only"),
        "vpc_access.egress",
        "what goes through the VPC",
        {"all-traffic": "ALL_TRAFFIC", "private-ranges-only": "PRIVATE_RANGES_ONLY"},
    )
    execution_environment: str | None = value(
        "execution-environment",
        _choice("gen1", "gen2"),
        "execution_environment",
        "gen2 for NFS, buckets and GPUs",
        {"gen1": "EXECUTION_ENVIRONMENT_GEN1", "gen2": "EXECUTION_ENVIRONMENT_GEN2"},
    )
    session_affinity: bool | None = value(
        "session-affinity",
        forms.BOOLEAN,
        "session_affinity",
        "a client's requests go to one instance, as far as possible",
    )
    labels: Mapping[str, str] = mapping(
        "labels", are.LABEL, are.LABEL_VALUE, "labels", "of the revision and of the service"
    )
    remove_labels: tuple[str, ...] = removing(
        "remove-labels", are.TO_REMOVE, "labels", "labels of both"
    )
    key: str | None = value(
        "key", are.KEY, "encryption_key", "a key of Cloud KMS that encrypts the container"
    )
    clear_key: bool | None = clearing(
        "clear-key",
        forms.BOOLEAN,
        ("key", "key_revocation", "key_shutdown"),
        "takes the key away, and what follows its revocation",
    )
    key_revocation: str | None = value(
        "post-key-revocation-action-type",
        _choice("prevent-new", "shut-down"),
        "encryption_key_revocation_action",
        "what becomes of instances when the key is revoked",
        {"prevent-new": "PREVENT_NEW", "shut-down": "SHUTDOWN"},
    )
    key_shutdown: timedelta | None = value(
        "encryption-key-shutdown-hours",
        are.HOURS,
        "encryption_key_shutdown_duration",
        "until instances are shut down then",
    )

    def over(self, live: Self) -> Self:
        """Lay it over the `live` one; what depends on something that changes goes with it."""
        made = _mended(self, laid_over(self, live))
        made = _probes_follow(made, live)
        if made.gpu == "0":
            made = replace(made, gpu=None, gpu_type=None, gpu_zonal_redundancy=None)
        if not (made.vpc_connector or made.network or made.subnet):
            made = replace(made, vpc_egress=None)
        gone = {*self.remove_volumes} - {*made.volumes}
        return replace(
            made, containers={name: _without(one, gone) for name, one in made.containers.items()}
        )

    def lost(self, live: Self, made: Self | None = None) -> tuple[str, ...]:
        """Variables that are live, would be gone, and that nobody takes away on purpose.

        Those of another container than the one that requests reach begin with its name. `made` is
        what came of it, where that is known already.
        """
        made = self.over(live) if made is None else made
        gone = live.names - made.names - {*self.remove_variables, *self.remove_secrets}
        return (*sorted(gone), *self._lost_beside(live, made))

    def _lost_beside(self, live: Self, made: Self) -> Iterator[str]:
        for name, one in live.containers.items():
            if name in self.remove_containers:
                continue
            said, now = self.containers.get(name, Sidecar()), made.containers.get(name, Sidecar())
            removed = {*said.remove_variables, *said.remove_secrets}
            yield from (f"{name}: {each}" for each in sorted(one.names - now.names - removed))

    def shown(self, facts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Hide the values of variables that nobody says here: set by hand, they may be secrets."""
        said = {key for key, _ in self.over(type(self)()).facts()}
        for key, text in facts:
            yield key, SET if is_variable(key) and key not in said else text

    @property
    def every_secret(self) -> Mapping[str, SecretReference]:
        """All secrets by what they fill, in every container."""
        beside = {
            f"{name} of container {container}": reference
            for container, one in self.containers.items()
            for name, reference in one.secrets.items()
        }
        return {**self.secrets, **beside}


def is_variable(key: str) -> bool:
    """True of a fact that is a plain variable, of whichever container."""
    return key.startswith(VARIABLE) or f".{VARIABLE}" in key


def _probes_follow(made: R, live: R) -> R:
    """A probe that went to the port of its container goes on doing so."""
    if made.port == live.port:
        return made
    names = ("startup_probe", "liveness_probe", "readiness_probe")
    probes = {name: getattr(made, name) for name in names}
    moved = {
        name: replace(probe, port=made.port)
        for name, probe in probes.items()
        if probe and probe.port and probe.port == live.port
    }
    return replace(made, **moved)


def _without(one: Sidecar, volumes: set[str]) -> Sidecar:
    mounts = {name: path for name, path in one.mounts.items() if name not in volumes}
    return replace(one, mounts=mounts)


@dataclass(frozen=True, slots=True)
class ServiceSettings(Settings):
    """All that is said of a service whatever its revision: the same table's other part.

    It is applied together with the promotion, and taken back by a rollback.
    """

    ingress: str | None = value(
        "ingress",
        _choice("all", "internal", "internal-and-cloud-load-balancing"),
        "ingress",
        "from where requests are let in",
        {
            "all": "INGRESS_TRAFFIC_ALL",
            "internal": "INGRESS_TRAFFIC_INTERNAL_ONLY",
            "internal-and-cloud-load-balancing": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
        },
    )
    min: int | None = value(
        "min", forms.whole(0), "scaling.min_instance_count", "kept warm, of all revisions"
    )
    max: int | None = value(
        "max", forms.whole(1), "scaling.max_instance_count", "at most, of all revisions"
    )
    description: str | None = value("description", are.LINE, "description", "for people")
    custom_audiences: tuple[str, ...] = listing(
        "add-custom-audiences", are.AUDIENCES, "custom_audiences", "accepted in identity tokens"
    )
    remove_custom_audiences: tuple[str, ...] = removing(
        "remove-custom-audiences", are.TO_REMOVE, "custom_audiences", "audiences"
    )
    invoker_iam_check: bool | None = value(
        "invoker-iam-check",
        forms.BOOLEAN,
        "invoker_iam_disabled",
        "whoever calls needs the invoker role",
        _NOT,
    )
    default_url: bool | None = value(
        "default-url", forms.BOOLEAN, "default_uri_disabled", "the address on run.app", _NOT
    )
    binary_authorization: str | None = value(
        "binary-authorization", are.LINE, "", "default, or the name of a policy"
    )
    breakglass: str | None = value(
        "breakglass",
        are.LINE,
        "binary_authorization.breakglass_justification",
        "why an image may pass that the policy refuses",
    )
    labels: Mapping[str, str] = mapping(
        "labels", are.LABEL, are.LABEL_VALUE, "labels", "of the revision and of the service"
    )
    remove_labels: tuple[str, ...] = removing(
        "remove-labels", are.TO_REMOVE, "labels", "labels of both"
    )
