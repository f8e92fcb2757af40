"""Secrets by reference: every version that is read has to exist (P1.8)."""

from collections.abc import Iterator, Mapping

from greenrun.model.interfaces import SecretStore
from greenrun.model.revision import SecretReference
from greenrun.release.preflight.context import Doubt, Scene


def readable(scene: Scene) -> Iterator[Doubt]:
    """Every secret version that the service reads exists, and is enabled."""
    secrets = scene.plan.settings.secrets
    scene.measure("secret versions", ", ".join(map(str, secrets.values())) or "none")
    for reference in missing(secrets, scene.dependencies.secret_store):
        yield Doubt(
            f"secret version: got no {reference}, needs an enabled version",
            "gcloud secrets versions add, or correct `deploy.update-secrets` in release.yaml",
        )


def missing(secrets: Mapping[str, SecretReference], secret_store: SecretStore) -> Iterator[str]:
    """References to versions that cannot be read, as `NAME:VERSION for VARIABLE`."""
    for variable, reference in secrets.items():
        if not secret_store.exists(reference.secret, reference.version):
            yield f"{reference} for {variable}"
