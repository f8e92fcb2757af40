"""Rules that relate flags: what Cloud Run refuses although each value by itself is one.

They apply where all that they relate is said. Sources: https://cloud.google.com/run/docs/configuring
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

from greenrun.model import forms
from greenrun.model.revision.settings import (
    ContainerProbe,
    ContainerSettings,
    RevisionSettings,
    ServiceSettings,
    Volume,
)

Key = tuple[str, ...]
Broken = tuple[Key, str]
"""The key of a flag, and what it needs."""


def broken(settings: RevisionSettings, service: ServiceSettings) -> Iterator[Broken]:
    """Yield every rule that these settings break."""
    yield from _container(settings, ())
    for name, one in settings.containers.items():
        yield from _container(one, ("containers", name))
    for rule in _OF_A_REVISION:
        yield from rule(settings)
    for name, volume in settings.volumes.items():
        yield from _volume(volume, ("volumes", name))
    yield from _at_most(service.min, service.max, "max", "min")
    if service.default_url is False:
        yield ("default-url",), "true: revisions are asked at their own addresses on run.app"


def _container(one: ContainerSettings, at: Key) -> Iterator[Broken]:
    if one.cpu and one.memory:
        try:
            forms.judge_memory(one.memory, cpu=one.cpu)
        except ValueError as error:
            yield (*at, "memory"), str(error)
    for key, probe in (
        ("startup-probe", one.startup_probe),
        ("liveness-probe", one.liveness_probe),
        ("readiness-probe", one.readiness_probe),
    ):
        if probe:
            yield from _probe(probe, (*at, key))
    yield from _sources(one, at)
    yield from _secret_files(one, at)


def _probe(probe: ContainerProbe, at: Key) -> Iterator[Broken]:
    timeout, period, asks = probe.timeout, probe.period, probe.kind
    if timeout and period and timeout > period:
        yield (*at, "timeout"), f"at most its period, {forms.spell_duration(period)}"
    if asks in {"tcp", "grpc"} and (probe.path or probe.headers):
        key = "path" if probe.path else "headers"
        yield (*at, key), f"type http, not {asks}"
    if asks in {"tcp", "http"} and probe.grpc_service:
        yield (*at, "grpc-service"), f"type grpc, not {asks}"
    if at[-1] != "startup-probe" and asks == "tcp":
        yield (*at, "type"), "http or grpc: Cloud Run asks by TCP at the start only"
    longest = timedelta(seconds=240) if at[-1] == "startup-probe" else timedelta(hours=1)
    for key, value in (("period", period), ("initial-delay", probe.initial_delay)):
        if value and value > longest:
            yield (*at, key), f"at most {forms.spell_duration(longest)}"


def _sources(one: ContainerSettings, at: Key) -> Iterator[Broken]:
    plain = {*(one.variables or ()), *(one.update_variables or ())}
    for name in one.secrets:
        if name in plain:
            yield (*at, "update-secrets", name), "a name that is no plain variable as well"


def _secret_files(one: ContainerSettings, at: Key) -> Iterator[Broken]:
    folders: dict[str, str] = {}
    for name, reference in one.secrets.items():
        if not name.startswith("/"):
            continue
        folder = name.rpartition("/")[0]
        if folders.setdefault(folder, reference.secret) != reference.secret:
            needs = f"a folder of its own: {folder} has files of {folders[folder]}"
            yield (*at, "update-secrets", name), needs


def _volume(volume: Volume, at: Key) -> Iterator[Broken]:
    if not volume.kind:
        return
    if volume.mount_options and volume.kind != "gcs":
        yield (*at, "mount-options"), f"a source gcs:BUCKET, not {volume.kind}"
    if volume.size_limit and volume.kind != "in-memory":
        yield (*at, "size-limit"), f"the source in-memory, not {volume.kind}"
    if volume.readonly is not None and volume.kind == "in-memory":
        yield (*at, "readonly"), "a source of nfs or gcs: what is in memory can be written"


def _concurrency(settings: RevisionSettings) -> Iterator[Broken]:
    if settings.cpu and settings.concurrency:
        try:
            forms.judge_concurrency(settings.concurrency, cpu=settings.cpu)
        except ValueError as error:
            yield ("concurrency",), str(error)


def _throttling(settings: RevisionSettings) -> Iterator[Broken]:
    if settings.cpu and forms.is_part_of_cpu(settings.cpu) and settings.cpu_throttling is False:
        yield ("cpu-throttling",), f"true with deploy.cpu {settings.cpu}, which is less than 1"


def _instances(settings: RevisionSettings) -> Iterator[Broken]:
    yield from _at_most(
        settings.min_instances, settings.max_instances, "max-instances", "min-instances"
    )


def _at_most(fewest: int | None, most: int | None, key: str, other: str) -> Iterator[Broken]:
    if fewest is not None and most is not None and most < fewest:
        yield (key,), f"at least deploy.{other}, {fewest}"


def _network(settings: RevisionSettings) -> Iterator[Broken]:
    direct = settings.network or settings.subnet
    if settings.vpc_connector and direct:
        yield ("vpc-connector",), "no deploy.network or deploy.subnet beside it"


def _generation(settings: RevisionSettings) -> Iterator[Broken]:
    generation, key = settings.execution_environment, ("execution-environment",)
    if generation == "gen1":
        shared = [name for name, it in settings.volumes.items() if it.kind in {"nfs", "gcs"}]
        if shared:
            yield key, f"gen2 with the volume {shared[0]}"
        if settings.gpu == "1":
            yield key, "gen2 with deploy.gpu"
    if generation == "gen2" and settings.cpu and forms.is_part_of_cpu(settings.cpu):
        yield key, f"gen1 with deploy.cpu {settings.cpu}, which is less than 1"
    if (
        generation == "gen2"
        and settings.memory
        and not forms.is_memory_from(settings.memory, "512Mi")
    ):
        yield ("memory",), "512Mi or more with deploy.execution-environment gen2"


def _gpu(settings: RevisionSettings) -> Iterator[Broken]:
    if settings.gpu != "1":
        return
    if settings.cpu_throttling:
        yield ("cpu-throttling",), "false with deploy.gpu: a GPU needs its CPU all the time"
    if settings.gpu_type != "nvidia-l4":
        return
    if settings.cpu in {"1", "2"} or (settings.cpu and forms.is_part_of_cpu(settings.cpu)):
        yield ("cpu",), "4 or more with deploy.gpu-type nvidia-l4"
    if settings.memory and not forms.is_memory_from(settings.memory, "16Gi"):
        yield ("memory",), "16Gi or more with deploy.gpu-type nvidia-l4"


def _paths(settings: RevisionSettings) -> Iterator[Broken]:
    seen: dict[str, str] = {}
    for name, volume in settings.volumes.items():
        if volume.path and seen.setdefault(volume.path, name) != name:
            yield ("volumes", name, "path"), f"one of its own: {seen[volume.path]} is there"
    for name in settings.secrets:
        folder = name.rpartition("/")[0]
        if folder in seen:
            needs = f"a folder of its own: the volume {seen[folder]} is at {folder}"
            yield ("update-secrets", name), needs


def _shutdown(settings: RevisionSettings) -> Iterator[Broken]:
    if settings.key_shutdown and settings.key_revocation == "prevent-new":
        needs = "deploy.post-key-revocation-action-type shut-down"
        yield ("encryption-key-shutdown-hours",), needs


_OF_A_REVISION: tuple[Callable[[RevisionSettings], Iterator[Broken]], ...] = (
    _concurrency,
    _throttling,
    _instances,
    _network,
    _generation,
    _gpu,
    _paths,
    _shutdown,
)


def lacking(settings: RevisionSettings) -> Iterator[Broken]:
    """Yield what settings lack to be all that a revision needs."""
    for name, volume in settings.volumes.items():
        if not volume.source:
            yield ("volumes", name, "source"), "what it is: there is no such volume yet"
    yield from _lacking(settings, (), settings)
    for name, one in settings.containers.items():
        if not one.image:
            yield ("containers", name, "image"), "an image: there is no such container yet"
        yield from _lacking(one, ("containers", name), settings)
        for volume_name in one.mounts.keys() - settings.volumes.keys():
            at = ("containers", name, "volume-mounts", volume_name)
            yield at, "the name of a volume of deploy.volumes"
    if settings.network_tags and not (settings.network or settings.subnet):
        yield ("network-tags",), "deploy.network or deploy.subnet"
    if settings.gpu_type and not settings.gpu:
        yield ("gpu-type",), "deploy.gpu 1"


def _lacking(one: ContainerSettings, at: Key, settings: RevisionSettings) -> Iterator[Broken]:
    for key, probe in (
        ("liveness-probe", one.liveness_probe),
        ("readiness-probe", one.readiness_probe),
    ):
        if probe and not probe.kind:
            yield (*at, key), "a path or a grpc-service: there is no such probe yet"
    for name in one.depends_on or ():
        if name not in {settings.container, *settings.containers}:
            yield (*at, "depends-on"), f"names of containers, not {name}"
        elif name in settings.containers and not settings.containers[name].startup_probe:
            yield ("containers", name, "startup-probe"), "one, as another container waits for it"
