"""Settings of a revision to Cloud Run's templates and back, by the tables of flags."""

from collections.abc import Mapping
from dataclasses import replace

from google.cloud import run_v2
from google.protobuf.json_format import MessageToDict, ParseDict

from greenrun.adapters.gcp.run.codecs import (
    CODECS,
    Codec,
    Place,
    facts_of,
    named,
    read,
    remove,
    write,
)
from greenrun.adapters.gcp.run.storage import STORAGE
from greenrun.model.revision import (
    Flag,
    RevisionSettings,
    ServiceSettings,
    Sidecar,
)

Described = run_v2.RevisionTemplate | run_v2.Revision
_NONE = run_v2.RevisionTemplate()
_SYSTEM = {
    "run.googleapis.com",
    "cloud.googleapis.com",
    "serving.knative.dev",
    "autoscaling.knative.dev",
    "client.knative.dev",
}
"""Prefixes of labels and annotations that the API does not take back, or that name an image."""
_OF_THE_IMAGE = ("base_image_uri", "build_info", "source_code")
"""How an image came to be, where Google built it: nothing of it is true of another image."""
_USUAL_PORT, _MOST_INSTANCES = 8080, 100


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
    # Resources without cpu_idle mean an instance that is billed all the time. A new service gets
    # what gcloud gives it, CPU during requests; a service that has decided keeps its decision.
    if "resources" not in container:
        container.resources.cpu_idle = True
    live = settings_of(template)
    write(live, settings.over(live), _place(template))
    container.image = image
    for field in _OF_THE_IMAGE:
        run_v2.Container.pb(container).ClearField(field)
    # Ports that are named have a number; gcloud gives them Cloud Run's usual one.
    for port in container.ports:
        port.container_port = port.container_port or _USUAL_PORT
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
    _forget_given_name(template, revision)
    return template


def _forget_given_name(template: run_v2.RevisionTemplate, revision: run_v2.Revision) -> None:
    """A lone container without a name is called SERVICE-1 in the Revision."""
    service = revision.service.rpartition("/")[2]
    if len(template.containers) == 1 and template.containers[0].name == f"{service}-1":
        template.containers[0].name = ""


def settings_of(described: Described) -> RevisionSettings:
    """Read what a template asks for, or what a revision was made with.

    CPU and memory are in the form that settings have: Cloud Run may tell 1 as 1000m, 1Gi as 1024Mi.
    """
    return read(RevisionSettings, _place(described))


def others_of(described: Described) -> Mapping[str, str]:
    """Read the settings that no flag knows, by their place in the template."""
    template = run_v2.RevisionTemplate()
    if isinstance(described, run_v2.Revision):
        template = template_of_revision(described, template)
    else:
        template = run_v2.RevisionTemplate(described)
    write(settings_of(template), RevisionSettings(variables={}), _place(template))
    for container in template.containers:
        container.image, container.name = "", ""
    return dict(facts_of(run_v2.RevisionTemplate.pb(template)))


def service_settings_of(described: run_v2.Service) -> ServiceSettings:
    """Read what a service has, whatever its revision."""
    return read(ServiceSettings, Place(run_v2.Service.pb(described)))


def write_service_settings(settings: ServiceSettings, service: run_v2.Service) -> tuple[str, ...]:
    """Write exactly these settings; the names of the fields that this changed."""
    live, target = service_settings_of(service), run_v2.Service.pb(service)
    before = type(target).FromString(target.SerializeToString())
    write(live, settings, Place(target))
    names = target.DESCRIPTOR.fields_by_name
    return tuple(name for name in names if getattr(before, name) != getattr(target, name))


def image_of(described: Described) -> str:
    """The reference of the image that requests reach."""
    return str(ingress_container(described).image)


def ingress_container(described: Described) -> run_v2.Container:
    """Return the container with a port; a lone one need not name any."""
    named = (container for container in described.containers if container.ports)
    return next(named, described.containers[0])


def _place(described: Described) -> Place:
    template = type(described).pb(described)
    return Place(template, template, run_v2.Container.pb(ingress_container(described)))


# Containers and probes


def _read_containers(place: Place, _: Flag) -> dict[str, Sidecar]:
    return {
        it.name: read(Sidecar, replace(place, message=it, container=it))
        for it in place.template.containers
        if it != place.container
    }


def _write_containers(
    place: Place, _: Flag, before: Mapping[str, Sidecar], after: Mapping[str, Sidecar]
) -> None:
    for name in before.keys() - after.keys():
        message = named(place.template.containers, name)
        gone = replace(place, message=message, container=message)
        write(before[name], Sidecar(variables={}), gone)
    remove(place.template.containers, lambda it: it.name in before and it.name not in after)
    for name, wanted in after.items():
        message = named(place.template.containers, name)
        if name not in before:
            message.resources.cpu_idle = place.container.resources.cpu_idle
        write(
            before.get(name, Sidecar()), wanted, replace(place, message=message, container=message)
        )


def _read_throttling(place: Place, _: Flag) -> bool | None:
    container = place.container
    return container.resources.cpu_idle if container.HasField("resources") else None


def _write_throttling(place: Place, _: Flag, before: object, after: object) -> None:  # noqa: ARG001 - all that there is
    """An instance has its CPU, or not, for all that runs in it."""
    for container in place.template.containers:
        container.resources.cpu_idle = bool(after)


_PROBES = {"http": "http_get", "tcp": "tcp_socket", "grpc": "grpc"}


def _read_type(place: Place, _: Flag) -> str | None:
    member = place.message.WhichOneof("probe_type")
    return next((ours for ours, theirs in _PROBES.items() if theirs == member), None)


def _write_type(place: Place, _: Flag, before: str | None, after: str | None) -> None:  # noqa: ARG001 - all that there is
    if after is not None:
        getattr(place.message, _PROBES[after]).SetInParent()


def _read_headers(place: Place, _: Flag) -> dict[str, str]:
    return {it.name: it.value for it in place.message.http_get.http_headers}


def _write_headers(
    place: Place, _: Flag, before: Mapping[str, str], after: Mapping[str, str]
) -> None:
    headers = place.message.http_get.http_headers
    remove(headers, lambda it: it.name in before and it.name not in after)
    for name, text in after.items():
        named(headers, name).value = text


# The service


def _read_policy(place: Place, _: Flag) -> str | None:
    found = place.message.binary_authorization
    return "default" if found.use_default else found.policy or None


def _write_policy(place: Place, _: Flag, before: str | None, after: str | None) -> None:  # noqa: ARG001 - all that there is
    target = place.message.binary_authorization
    for name in ("use_default", "policy"):
        target.ClearField(name)
    if after == "default":
        target.use_default = True
    elif after:
        target.policy = after


CODECS |= {
    **STORAGE,
    ("RevisionSettings", "containers"): Codec(_read_containers, _write_containers),
    ("RevisionSettings", "cpu_throttling"): Codec(_read_throttling, _write_throttling),
    ("ContainerProbe", "type"): Codec(_read_type, _write_type),
    ("ContainerProbe", "headers"): Codec(_read_headers, _write_headers),
    ("ServiceSettings", "binary_authorization"): Codec(_read_policy, _write_policy),
}
