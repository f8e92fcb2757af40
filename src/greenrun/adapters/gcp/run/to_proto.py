"""Settings of a revision to Cloud Run's templates and back, by the table of flags."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from google.cloud import run_v2
from google.protobuf.json_format import MessageToDict, ParseDict
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
_MOST_INSTANCES = 100
_SYSTEM = {
    "run.googleapis.com",
    "cloud.googleapis.com",
    "serving.knative.dev",
    "autoscaling.knative.dev",
}
"""Prefixes of labels and annotations that the API does not take back."""


def template_of(
    settings: RevisionSettings, image: str, onto: run_v2.RevisionTemplate = _NONE
) -> run_v2.RevisionTemplate:
    """Make the template of a revision of `image` with these settings.

    What they do not say stays as in `onto`, field by field, as with `gcloud run deploy`.
    """
    template = run_v2.RevisionTemplate(onto)
    if not template.containers:
        template.containers = [run_v2.Container()]
    container = ingress_container(template)
    container.image = image
    # Resources without cpu_idle mean an instance that is billed all the time. A new service gets
    # what gcloud gives it, CPU during requests; a service that has decided keeps its decision.
    if "resources" not in container:
        container.resources.cpu_idle = True
    for flag in FLAGS:
        if flag.form is None:
            _CODECS[flag.field].write(template, container, settings)
        elif (value := getattr(settings, flag.field)) is not None:
            _write(flag, template, container, value)
    _complete(template.scaling)
    return template


def _complete(scaling: run_v2.RevisionScaling) -> None:
    """Send the most instances that Cloud Run fills in, where only the least were said.

    v2 was seen to refuse a least number alone, which v1, and so gcloud, does not: goblet issue 287.
    """
    if scaling.min_instance_count and not scaling.max_instance_count:
        scaling.max_instance_count = max(_MOST_INSTANCES, scaling.min_instance_count)


def template_of_revision(
    revision: run_v2.Revision, service: run_v2.RevisionTemplate
) -> run_v2.RevisionTemplate:
    """Make the template that the revision was made of.

    Only what a Revision does not tell is as in the template of the service, which may be newer.
    """
    told = MessageToDict(run_v2.Revision.pb(revision))
    known = {field.json_name for field in run_v2.Revision.pb(revision).DESCRIPTOR.fields}
    newer = MessageToDict(run_v2.RevisionTemplate.pb(service))
    told |= {name: value for name, value in newer.items() if name not in known}
    template = run_v2.RevisionTemplate()
    ParseDict(told, run_v2.RevisionTemplate.pb(template), ignore_unknown_fields=True)
    template.revision = ""
    for mapping in (template.labels, template.annotations):
        for key in [key for key in mapping if key.partition("/")[0] in _SYSTEM]:
            del mapping[key]
    return template


def settings_of(described: Described) -> RevisionSettings:
    """Read what a template asks for, or what a revision was made with.

    CPU and memory are in the form that settings have: Cloud Run may tell 1 as 1000m, 1Gi as 1024Mi.
    """
    container = ingress_container(described)
    read: dict[str, Any] = {
        flag.field: _CODECS[flag.field].read(described, container)
        if flag.form is None
        else _read(flag, flag.form, described, container)
        for flag in FLAGS
    }
    return RevisionSettings(**read)


def image_of(described: Described) -> str:
    """The reference of the image that requests reach."""
    return str(ingress_container(described).image)


def ingress_container(described: Described) -> run_v2.Container:
    """Return the container with a port; a lone one need not name any."""
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
    """The value at the flag's path; None where the platform tells nothing there."""
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
            return None
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
    """Replace every plain variable; a secret of the same name gives way."""
    if settings.variables is None:
        return
    container.env = [
        *(item for item in container.env if _is_secret(item)),
        *(run_v2.EnvVar(name=name, value=value) for name, value in settings.variables.items()),
    ]
    _keep_last(container)


def _keep_last(container: run_v2.Container) -> None:
    """Leave a name its last value, as the API takes each once."""
    container.env = list({item.name: item for item in container.env}.values())


def _read_variables(_: Described, container: run_v2.Container) -> dict[str, str]:
    return {item.name: item.value for item in container.env if not _is_secret(item)}


def _write_secrets(
    _: run_v2.RevisionTemplate, container: run_v2.Container, settings: RevisionSettings
) -> None:
    for name, reference in settings.secrets.items():
        selector = run_v2.SecretKeySelector(secret=reference.secret, version=reference.version)
        source = run_v2.EnvVarSource(secret_key_ref=selector)
        container.env.append(run_v2.EnvVar(name=name, value_source=source))
    _keep_last(container)


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
    wanted = settings.startup_probe
    if wanted is None:
        return
    probe = _own_probe(container)
    if wanted.path:
        probe.http_get.path = wanted.path
    elif wanted.path == "":
        probe.tcp_socket = run_v2.TCPSocketAction()
    if wanted.period is not None:
        probe.period_seconds = int(wanted.period.total_seconds())
    if wanted.failure_threshold is not None:
        probe.failure_threshold = wanted.failure_threshold
    container.startup_probe = probe


def _own_probe(container: run_v2.Container) -> run_v2.Probe:
    """The probe that somebody has set; an empty one for that which Cloud Run fills in itself."""
    probe = run_v2.Probe(container.startup_probe)
    filled_in = (
        probe.timeout_seconds,
        probe.period_seconds,
        probe.failure_threshold,
    ) == (240, 240, 1)
    return run_v2.Probe() if filled_in and "tcp_socket" in probe else probe


def _read_probe(_: Described, container: run_v2.Container) -> StartupProbe | None:
    if "startup_probe" not in container:
        return None
    probe = container.startup_probe
    return StartupProbe(
        path=probe.http_get.path if "http_get" in probe else "",
        period=timedelta(seconds=probe.period_seconds),
        failure_threshold=probe.failure_threshold,
    )


def _write_volumes(
    template: run_v2.RevisionTemplate, container: run_v2.Container, settings: RevisionSettings
) -> None:
    volumes, replaced = settings.volumes, {volume.name for volume in settings.volumes}
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
