"""Volumes of a template: what an instance finds below its mount paths."""

from collections.abc import Iterator
from dataclasses import dataclass

from google.cloud import run_v2

from cloudrun_emulator.apis.run.containers import SecretValues, memory_bytes, owner_of
from cloudrun_emulator.core.interfaces import File, Mount
from cloudrun_emulator.core.resource_names import short

_MODE, _UMASK = 0o444, 0o222
"""Source: comments on SecretVolumeSource."""


@dataclass(frozen=True, slots=True)
class Volumes:
    """The volumes of one instance, which its containers share.

    `memory_bytes` is what all its containers may take together: no volume in memory takes more.
    """

    instance: str
    project: str
    volumes: tuple[run_v2.Volume, ...]
    secrets: SecretValues
    memory_bytes: int

    def mounts(self, container: run_v2.Container) -> tuple[Mount, ...]:
        """Raise CloudError when a secret cannot be read.

        A Cloud SQL volume is none here: no instance of it can be reached.
        """
        by_name = {volume.name: volume for volume in self.volumes}
        found = ((by_name[mount.name], mount.mount_path) for mount in container.volume_mounts)
        return tuple(
            self._mount(volume, path)
            for volume, path in found
            if "cloud_sql_instance" not in volume
        )

    def _mount(self, volume: run_v2.Volume, path: str) -> Mount:
        if "gcs" in volume:
            return Mount(f"gcs-{volume.gcs.bucket}", path, read_only=volume.gcs.read_only)
        if "nfs" in volume:
            return Mount(f"nfs-{volume.nfs.server}{volume.nfs.path}", path, volume.nfs.read_only)
        own = f"{self.instance}-{volume.name}"
        if "secret" in volume:
            files = tuple(self._files(volume.secret))
            return Mount(own, path, read_only=True, files=files)
        return Mount(own, path, memory_bytes=self._most(volume.empty_dir))

    def _most(self, scratch: run_v2.EmptyDirVolumeSource) -> int:
        wanted = memory_bytes(scratch.size_limit) if scratch.size_limit else self.memory_bytes
        return min(wanted, self.memory_bytes)

    def _files(self, source: run_v2.SecretVolumeSource) -> Iterator[File]:
        project, secret = owner_of(source.secret, self.project), short(source.secret)
        mode = source.default_mode or _MODE
        for item in source.items or [run_v2.VersionToPath(path=secret, version="latest")]:
            content = self.secrets.payload(project, secret, item.version)
            yield File(item.path, content, (item.mode or mode) & ~_UMASK)
