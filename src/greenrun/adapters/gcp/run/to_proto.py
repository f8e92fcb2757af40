"""Settings of a revision as Cloud Run's templates write them, and back."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from google.cloud import run_v2

from greenrun.adapters.gcp.run import quantities
from greenrun.model.revision import RevisionSettings, SecretReference, StartupProbe, Volume

Described = run_v2.RevisionTemplate | run_v2.Revision
_NONE = run_v2.RevisionTemplate()


def template_of(
    settings: RevisionSettings, image: str, onto: run_v2.RevisionTemplate = _NONE
) -> run_v2.RevisionTemplate:
    """The template that makes a revision of `image` with these settings.

    What RevisionSettings does not speak of (sidecars, VPC access, secret volumes, labels, ...)
    stays as in `onto`, as with `gcloud run deploy`; all that it speaks of is replaced.
    """
    template = run_v2.RevisionTemplate(onto)
    run_v2.RevisionTemplate.pb(template).timeout.FromTimedelta(settings.timeout)
    template.max_instance_request_concurrency = settings.concurrency
    template.scaling.min_instance_count = settings.min_instances
    template.scaling.max_instance_count = settings.max_instances
    template.service_account = settings.service_account or template.service_account
    if not template.containers:
        template.containers = [run_v2.Container()]
    container = _ingress_container(template)
    _write_container(container, settings, image)
    _write_volumes(template, container, settings.volumes)
    return template


def settings_of(described: Described) -> RevisionSettings:
    """What a template asks for, or what a revision was made with.

    CPU and memory are in the form that settings have: Cloud Run may tell 1 as 1000m, 1Gi as 1024Mi.
    """
    container = _ingress_container(described)
    limits = container.resources.limits
    return RevisionSettings(
        variables={item.name: item.value for item in container.env if not _is_secret(item)},
        secrets={item.name: _reference(item) for item in container.env if _is_secret(item)},
        timeout=type(described).pb(described).timeout.ToTimedelta(),
        cpu=quantities.cpu(limits.get("cpu", "1")),
        memory=quantities.memory(limits.get("memory", "512Mi")),
        port=container.ports[0].container_port if container.ports else 8080,
        concurrency=described.max_instance_request_concurrency,
        min_instances=described.scaling.min_instance_count,
        max_instances=described.scaling.max_instance_count,
        startup_probe=_startup_probe(container),
        volumes=tuple(_read_volumes(described.volumes, container)),
        service_account=described.service_account,
    )


def image_of(described: Described) -> str:
    """The reference of the image that requests reach."""
    return str(_ingress_container(described).image)


def _ingress_container(described: Described) -> run_v2.Container:
    """The container with a port; a lone one need not name any."""
    named = (container for container in described.containers if container.ports)
    return next(named, described.containers[0])


def _write_container(container: run_v2.Container, settings: RevisionSettings, image: str) -> None:
    # Resources without cpu_idle mean an instance that is billed all the time. A new service gets
    # what gcloud gives it, CPU during requests; a service that has decided keeps its decision.
    decided = container.resources.cpu_idle if "resources" in container else True
    container.image = image
    container.env = [*_variables(settings), *_secrets(settings)]
    container.resources.cpu_idle = decided
    container.resources.limits["cpu"] = settings.cpu
    container.resources.limits["memory"] = settings.memory
    name = container.ports[0].name if container.ports else ""
    container.ports = [run_v2.ContainerPort(name=name, container_port=settings.port)]
    container.startup_probe = _probe(settings.startup_probe, settings.port)


def _variables(settings: RevisionSettings) -> Iterator[run_v2.EnvVar]:
    return (run_v2.EnvVar(name=name, value=value) for name, value in settings.variables.items())


def _secrets(settings: RevisionSettings) -> Iterator[run_v2.EnvVar]:
    for name, reference in settings.secrets.items():
        selector = run_v2.SecretKeySelector(secret=reference.secret, version=reference.version)
        source = run_v2.EnvVarSource(secret_key_ref=selector)
        yield run_v2.EnvVar(name=name, value_source=source)


def _is_secret(variable: run_v2.EnvVar) -> bool:
    return "value_source" in variable


def _reference(variable: run_v2.EnvVar) -> SecretReference:
    selector = variable.value_source.secret_key_ref
    return SecretReference(selector.secret, selector.version)


def _probe(wanted: StartupProbe, port: int) -> run_v2.Probe:
    seconds = int(wanted.period.total_seconds())
    probe = run_v2.Probe(period_seconds=seconds, failure_threshold=wanted.failure_threshold)
    if wanted.path:
        probe.http_get = run_v2.HTTPGetAction(path=wanted.path, port=port)
    else:
        # One try that lasts the whole period, as in the probe that Cloud Run itself fills in.
        probe.timeout_seconds = seconds
        probe.tcp_socket = run_v2.TCPSocketAction(port=port)
    return probe


def _startup_probe(container: run_v2.Container) -> StartupProbe:
    if "startup_probe" not in container:
        return StartupProbe()
    probe = container.startup_probe
    return StartupProbe(
        path=probe.http_get.path if "http_get" in probe else "",
        period=timedelta(seconds=probe.period_seconds),
        failure_threshold=probe.failure_threshold,
    )


def _write_volumes(
    template: run_v2.RevisionTemplate, container: run_v2.Container, wanted: Iterable[Volume]
) -> None:
    """Shared volumes are replaced; others (secrets, memory, Cloud SQL) stay."""
    volumes = tuple(wanted)
    replaced = {volume.name for volume in template.volumes if _is_shared(volume)}
    replaced |= {volume.name for volume in volumes}
    template.volumes = [
        *(volume for volume in template.volumes if volume.name not in replaced),
        *map(_volume, volumes),
    ]
    container.volume_mounts = [
        *(mount for mount in container.volume_mounts if mount.name not in replaced),
        *(run_v2.VolumeMount(name=item.name, mount_path=item.path) for item in volumes),
    ]


def _is_shared(volume: run_v2.Volume) -> bool:
    return "nfs" in volume or "gcs" in volume


def _volume(wanted: Volume) -> run_v2.Volume:
    kind, _, rest = wanted.source.partition(":")
    if kind == "gcs":
        return run_v2.Volume(name=wanted.name, gcs=run_v2.GCSVolumeSource(bucket=rest))
    server, _, path = rest.partition(":")
    return run_v2.Volume(name=wanted.name, nfs=run_v2.NFSVolumeSource(server=server, path=path))


def _read_volumes(
    volumes: Iterable[run_v2.Volume], container: run_v2.Container
) -> Iterator[Volume]:
    paths = {mount.name: mount.mount_path for mount in container.volume_mounts}
    for volume in volumes:
        if _is_shared(volume) and volume.name in paths:
            yield Volume(volume.name, _source(volume), paths[volume.name])


def _source(volume: run_v2.Volume) -> str:
    if "gcs" in volume:
        return f"gcs:{volume.gcs.bucket}"
    return f"nfs:{volume.nfs.server}:{volume.nfs.path}"
