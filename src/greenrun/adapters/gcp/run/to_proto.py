"""Settings of a revision to Cloud Run's templates and back, by the table of flags."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from google.cloud import run_v2
from google.protobuf.message import Message

from greenrun.model.forms import Form
from greenrun.model.revision import (
    FLAGS,
    Flag,
    RevisionSettings,
    SecretReference,
    StartupProbe,
    Volume,
)

Described = run_v2.RevisionTemplate | run_v2.Revision
_NONE = run_v2.RevisionTemplate()
_CONTAINER = "container."


def template_of(
    settings: RevisionSettings, image: str, onto: run_v2.RevisionTemplate = _NONE
) -> run_v2.RevisionTemplate:
    """Make the template of a revision of `image` with these settings.

    What RevisionSettings does not speak of (sidecars, VPC access, secret volumes, labels, ...)
    stays as in `onto`, as with `gcloud run deploy`; all that it speaks of is replaced.
    """
    template = run_v2.RevisionTemplate(onto)
    if not template.containers:
        template.containers = [run_v2.Container()]
    container = _ingress_container(template)
    container.image = image
    # Resources without cpu_idle mean an instance that is billed all the time. A new service gets
    # what gcloud gives it, CPU during requests; a service that has decided keeps its decision.
    if "resources" not in container:
        container.resources.cpu_idle = True
    container.env = []
    for flag in FLAGS:
        if flag.form is None:
            _CODECS[flag.field].write(template, container, settings)
        elif (value := getattr(settings, flag.field)) is not None:
            _write(flag, template, container, value)
    return template


def settings_of(described: Described) -> RevisionSettings:
    """Read what a template asks for, or what a revision was made with.

    CPU and memory are in the form that settings have: Cloud Run may tell 1 as 1000m, 1Gi as 1024Mi.
    """
    container = _ingress_container(described)
    read: dict[str, Any] = {
        flag.field: _CODECS[flag.field].read(described, container)
        if flag.form is None
        else _read(flag, flag.form, described, container)
        for flag in FLAGS
    }
    return RevisionSettings(**read)


def image_of(described: Described) -> str:
    """The reference of the image that requests reach."""
    return str(_ingress_container(described).image)


def _ingress_container(described: Described) -> run_v2.Container:
    """The container with a port; a lone one need not name any."""
    named = (container for container in described.containers if container.ports)
    return next(named, described.containers[0])


def _write(flag: Flag, template: Described, container: run_v2.Container, value: object) -> None:
    *above, last = _names(flag)
    place = _root(flag, template, container)
    for name in above:
        place = _entered(place, name)
    if isinstance(value, timedelta):
        getattr(place, last).FromTimedelta(value)
    elif isinstance(place, Message):
        setattr(place, last, value)
    else:
        place[last] = value


def _entered(place: Any, name: str) -> Any:  # noqa: ANN401 - messages, lists and maps of protobuf
    if isinstance(place, Message):
        return getattr(place, name)
    while len(place) <= int(name):
        place.add()
    return place[int(name)]


def _read(flag: Flag, form: Form[Any], described: Described, container: run_v2.Container) -> object:
    """The value at the flag's path; its default where the platform tells nothing there."""
    place = _root(flag, described, container)
    for name in _names(flag):
        if isinstance(place, Message):
            told = name in {field.name for field, _ in place.ListFields()}
            message = place.DESCRIPTOR.fields_by_name[name].message_type is not None
            place = getattr(place, name) if told or not message else None
        elif isinstance(place, Mapping):
            place = place.get(name)
        else:
            place = place[int(name)] if int(name) < len(place) else None
        if place is None or place == "":
            return flag.default_value
    return form.normal(place.ToTimedelta() if hasattr(place, "ToTimedelta") else place)


def _names(flag: Flag) -> list[str]:
    return flag.path.removeprefix(_CONTAINER).split(".")


def _root(flag: Flag, described: Described, container: run_v2.Container) -> Any:  # noqa: ANN401 - protobuf's own messages
    if flag.path.startswith(_CONTAINER):
        return run_v2.Container.pb(container)
    return type(described).pb(described)


def _write_variables(
    _: run_v2.RevisionTemplate, container: run_v2.Container, settings: RevisionSettings
) -> None:
    container.env.extend(
        run_v2.EnvVar(name=name, value=value) for name, value in settings.variables.items()
    )


def _read_variables(_: Described, container: run_v2.Container) -> dict[str, str]:
    return {item.name: item.value for item in container.env if not _is_secret(item)}


def _write_secrets(
    _: run_v2.RevisionTemplate, container: run_v2.Container, settings: RevisionSettings
) -> None:
    for name, reference in settings.secrets.items():
        selector = run_v2.SecretKeySelector(secret=reference.secret, version=reference.version)
        source = run_v2.EnvVarSource(secret_key_ref=selector)
        container.env.append(run_v2.EnvVar(name=name, value_source=source))


def _read_secrets(_: Described, container: run_v2.Container) -> dict[str, SecretReference]:
    return {item.name: _reference(item) for item in container.env if _is_secret(item)}


def _is_secret(variable: run_v2.EnvVar) -> bool:
    return "value_source" in variable


def _reference(variable: run_v2.EnvVar) -> SecretReference:
    selector = variable.value_source.secret_key_ref
    return SecretReference(selector.secret, selector.version)


def _write_probe(
    _: run_v2.RevisionTemplate, container: run_v2.Container, settings: RevisionSettings
) -> None:
    wanted, port = settings.startup_probe, settings.port
    seconds = int(wanted.period.total_seconds())
    probe = run_v2.Probe(period_seconds=seconds, failure_threshold=wanted.failure_threshold)
    if wanted.path:
        probe.http_get = run_v2.HTTPGetAction(path=wanted.path, port=port)
    else:
        # One try that lasts the whole period, as in the probe that Cloud Run itself fills in.
        probe.timeout_seconds = seconds
        probe.tcp_socket = run_v2.TCPSocketAction(port=port)
    container.startup_probe = probe


def _read_probe(_: Described, container: run_v2.Container) -> StartupProbe:
    if "startup_probe" not in container:
        return StartupProbe()
    probe = container.startup_probe
    return StartupProbe(
        path=probe.http_get.path if "http_get" in probe else "",
        period=timedelta(seconds=probe.period_seconds),
        failure_threshold=probe.failure_threshold,
    )


def _write_volumes(
    template: run_v2.RevisionTemplate, container: run_v2.Container, settings: RevisionSettings
) -> None:
    """Shared volumes are replaced; others (secrets, memory, Cloud SQL) stay."""
    volumes = settings.volumes
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


def _read_volumes(described: Described, container: run_v2.Container) -> tuple[Volume, ...]:
    paths = {mount.name: mount.mount_path for mount in container.volume_mounts}
    return tuple(
        Volume(volume.name, _source(volume), paths[volume.name])
        for volume in described.volumes
        if _is_shared(volume) and volume.name in paths
    )


def _source(volume: run_v2.Volume) -> str:
    if "gcs" in volume:
        return f"gcs:{volume.gcs.bucket}"
    return f"nfs:{volume.nfs.server}:{volume.nfs.path}"


@dataclass(frozen=True, slots=True)
class _Codec:
    """A pair of functions for a flag of several values: into a template, and from it."""

    write: Callable[[run_v2.RevisionTemplate, run_v2.Container, RevisionSettings], None]
    read: Callable[[Described, run_v2.Container], Any]


_CODECS = {
    "variables": _Codec(_write_variables, _read_variables),
    "secrets": _Codec(_write_secrets, _read_secrets),
    "startup_probe": _Codec(_write_probe, _read_probe),
    "volumes": _Codec(_write_volumes, _read_volumes),
}
