"""Proofs that a release may begin."""

from pathlib import Path

from greenrun import preflight
from greenrun.errors import GateClosed
from greenrun.proofs import service
from greenrun.release import Release


def one_serves(release: Release) -> None:
    """One revision has all the traffic."""
    serving = release.service.resolved.serving
    if serving != {release.baseline: 100}:
        raise GateClosed(f"traffic: got {serving}, needs one revision at 100 %")


def is_answering(release: Release) -> None:
    """The baseline is who answers the users, by the request log."""
    service.served_by(release, release.baseline)


def recent_engine(release: Release) -> None:
    """The container engine is 20.10 or later."""
    number = release.roles.builder.engine()
    if not preflight.engine_is_recent(number):
        raise GateClosed(f"container engine: got {number}, needs 20.10 or later")


def listening_dockerfile(release: Release, directory: Path) -> None:
    """The Dockerfile names a command, the port of the platform, and files that exist."""
    doubts = preflight.dockerfile_doubts(release.plan, directory)
    if doubts:
        raise GateClosed(f"{release.plan.build.dockerfile}: {'; '.join(doubts)}")


def existing_secrets(release: Release) -> None:
    """Every secret version that the service reads exists, and is enabled."""
    missing = preflight.missing_secrets(release.plan, release.roles.vault)
    if missing:
        raise GateClosed(
            f"secret versions: got no {', '.join(missing)}",
            hint="add the version, or correct `deploy.update-secrets` in release.yaml",
        )
