"""Variables, secrets and volumes: told in a container and in its template, as one."""

from collections.abc import Callable, Mapping
from typing import Any

from google.cloud import run_v2

from greenrun.adapters.gcp.run.codecs import Codec, Place, named, read, remove, write_anew
from greenrun.model.revision import Flag, SecretReference, Volume

_SQL = "cloudsql"


def _read_variables(place: Place, _: Flag) -> dict[str, str]:
    return {it.name: it.value for it in place.container.env if not it.HasField("value_source")}


def _write_variables(
    place: Place, _: Flag, before: Mapping[str, str] | None, after: Mapping[str, str] | None
) -> None:
    before, after = before or {}, after or {}
    remove(place.container.env, lambda it: it.name in before and it.name not in after)
    for name, value in after.items():
        if before.get(name) != value:
            entry = named(place.container.env, name)
            entry.value = value


def _read_secrets(place: Place, _: Flag) -> dict[str, SecretReference]:
    variables = {
        it.name: SecretReference(
            it.value_source.secret_key_ref.secret, it.value_source.secret_key_ref.version
        )
        for it in place.container.env
        if it.HasField("value_source")
    }
    return {**variables, **_secret_files(place)}


def _secret_files(place: Place) -> dict[str, SecretReference]:
    """Files by their paths. A volume that names none has one, called as the secret."""
    volumes = {it.name: it.secret for it in place.template.volumes if it.HasField("secret")}
    return {
        f"{mount.mount_path}/{path}": SecretReference(secret.secret, version)
        for mount in place.container.volume_mounts
        if (secret := volumes.get(mount.name))
        for path, version in _items(secret)
    }


def _items(secret: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - a source of protobuf
    items = [(item.path, item.version) for item in secret.items]
    return items or [(secret.secret.rpartition("/")[2], "latest")]


def _write_secrets(
    place: Place,
    _: Flag,
    before: Mapping[str, SecretReference],
    after: Mapping[str, SecretReference],
) -> None:
    for name in before:
        if name not in after:
            _remove_secret(place, name)
    for name, reference in after.items():
        if before.get(name) == reference:
            continue
        if name.startswith("/"):
            _write_file(place, name, reference)
        else:
            selector = named(place.container.env, name).value_source.secret_key_ref
            selector.secret, selector.version = reference.secret, reference.version


def _remove_secret(place: Place, name: str) -> None:
    if not name.startswith("/"):
        remove(place.container.env, lambda it: it.name == name and it.HasField("value_source"))
        return
    folder, _, file = name.rpartition("/")
    volume = _secret_volume(place, folder)
    remove(volume.secret.items, lambda item: item.path == file)
    if not volume.secret.items:
        remove(place.container.volume_mounts, lambda mount: mount.name == volume.name)
        _remove_unused(place, volume.name)


def _write_file(place: Place, path: str, reference: SecretReference) -> None:
    folder, _, file = path.rpartition("/")
    volume = _secret_volume(place, folder)
    secret = volume.secret
    if secret.secret and not secret.items:
        name, version = _items(secret)[0]
        secret.items.add(path=name, version=version)
    remove(secret.items, lambda item: item.path == file)
    secret.secret = reference.secret
    secret.items.add(path=file, version=reference.version)


def _secret_volume(place: Place, folder: str) -> Any:  # noqa: ANN401 - a volume of protobuf
    """The volume of secrets that is mounted there; a new one where none is."""
    mounted = {it.name for it in place.container.volume_mounts if it.mount_path == folder}
    for volume in place.template.volumes:
        if volume.name in mounted:
            return volume
    taken, number = {it.name for it in place.template.volumes}, 1
    while f"secret-{number}" in taken:
        number += 1
    place.container.volume_mounts.add(name=f"secret-{number}", mount_path=folder)
    return place.template.volumes.add(name=f"secret-{number}")


def _is_named(name: str) -> Callable[[Any], bool]:
    return lambda it: bool(it.name == name)


def _remove_unused(place: Place, name: str) -> None:
    """Delete a volume that no container mounts."""
    mounts = (mount.name for one in place.template.containers for mount in one.volume_mounts)
    if name not in set(mounts):
        remove(place.template.volumes, lambda volume: volume.name == name)


def _read_volumes(place: Place, flag: Flag) -> dict[str, Volume]:
    """Volumes but for secrets, which are told as files, and Cloud SQL, told by its instances."""
    return {
        volume.name: read(Volume, place.within(volume))
        for volume in place.template.volumes
        if flag.table and volume.WhichOneof("volume_type") in _SOURCES
    }


def _write_volumes(
    place: Place, _: Flag, before: Mapping[str, Volume], after: Mapping[str, Volume]
) -> None:
    for name in before.keys() - after.keys():
        for container in place.template.containers:
            remove(container.volume_mounts, _is_named(name))
        remove(place.template.volumes, _is_named(name))
    for name, wanted in after.items():
        message = named(place.template.volumes, name)
        write_anew(before.get(name, Volume()), wanted, place.within(message))


_SOURCES = {"nfs": "nfs", "gcs": "gcs", "empty_dir": "in-memory"}


def _read_source(place: Place, _: Flag) -> str | None:
    volume = place.message
    match volume.WhichOneof("volume_type"):
        case "nfs":
            return f"nfs:{volume.nfs.server}:{volume.nfs.path}"
        case "gcs":
            return f"gcs:{volume.gcs.bucket}"
        case member:
            return _SOURCES.get(member or "")


def _write_source(place: Place, flag: Flag, before: str | None, after: str | None) -> None:  # noqa: ARG001 - all that there is
    kind, _, rest = (after or "").partition(":")
    match kind:
        case "nfs":
            server, _, path = rest.partition(":")
            place.message.nfs.server, place.message.nfs.path = server, path
        case "gcs":
            place.message.gcs.bucket = rest
        case "in-memory":
            place.message.empty_dir.medium = run_v2.EmptyDirVolumeSource.Medium.MEMORY


def _read_path(place: Place, _: Flag) -> str | None:
    mounts = place.container.volume_mounts
    return next((it.mount_path for it in mounts if it.name == place.message.name), None)


def _write_path(place: Place, _: Flag, before: str | None, after: str | None) -> None:
    mounts, name = place.container.volume_mounts, place.message.name
    if before is None:
        mounts.add(name=name, mount_path=after)
        return
    for mount in [it for it in mounts if it.name == name and it.mount_path == before]:
        mount.mount_path = after


def _read_mounts(place: Place, _: Flag) -> dict[str, str]:
    known = {it.name for it in place.template.volumes if it.WhichOneof("volume_type") in _SOURCES}
    return {it.name: it.mount_path for it in place.container.volume_mounts if it.name in known}


def _write_mounts(
    place: Place, _: Flag, before: Mapping[str, str], after: Mapping[str, str]
) -> None:
    mounts = place.container.volume_mounts
    remove(mounts, lambda it: it.name in before and it.name not in after)
    for name, path in after.items():
        if before.get(name) != path:
            named(mounts, name).mount_path = path


def _read_instances(place: Place, _: Flag) -> tuple[str, ...]:
    found = (it.cloud_sql_instance.instances for it in place.template.volumes)
    return tuple(dict.fromkeys(name for instances in found for name in instances))


def _write_instances(
    place: Place, _: Flag, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    volumes = [it for it in place.template.volumes if it.HasField("cloud_sql_instance")]
    if not volumes:
        place.container.volume_mounts.add(name=_SQL, mount_path=f"/{_SQL}")
        volumes = [place.template.volumes.add(name=_SQL)]
    for volume in volumes:
        kept = [name for name in volume.cloud_sql_instance.instances if name in after]
        volume.cloud_sql_instance.instances[:] = kept
    volumes[0].cloud_sql_instance.instances.extend(it for it in after if it not in before)
    for name in [it.name for it in volumes if not it.cloud_sql_instance.instances]:
        for container in place.template.containers:
            remove(container.volume_mounts, _is_named(name))
        remove(place.template.volumes, _is_named(name))


STORAGE: Mapping[tuple[str, str], Codec] = {
    ("ContainerSettings", "variables"): Codec(_read_variables, _write_variables),
    ("ContainerSettings", "secrets"): Codec(_read_secrets, _write_secrets),
    ("RevisionSettings", "volumes"): Codec(_read_volumes, _write_volumes),
    ("RevisionSettings", "cloudsql_instances"): Codec(_read_instances, _write_instances),
    ("Sidecar", "mounts"): Codec(_read_mounts, _write_mounts),
    ("Volume", "source"): Codec(_read_source, _write_source),
    ("Volume", "path"): Codec(_read_path, _write_path),
}
