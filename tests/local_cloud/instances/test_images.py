"""Which registry a reference names, and whether it is on this machine."""

import pytest

from greenrun.local_cloud.instances.images import is_local, registry_of


@pytest.mark.parametrize(
    ("reference", "registry"),
    [
        ("python:3.11-slim", ""),
        ("library/python", ""),
        ("localhost/app", "localhost"),
        ("127.0.0.1:5000/team/app:1", "127.0.0.1:5000"),
        ("[::1]:5000/app@sha256:abc", "[::1]:5000"),
        ("europe-west1-docker.pkg.dev/p/r/app@sha256:abc", "europe-west1-docker.pkg.dev"),
    ],
)
def test_the_registry_of_a_reference(reference: str, registry: str) -> None:
    assert registry_of(reference) == registry


@pytest.mark.parametrize(
    "registry", ["localhost", "localhost:5000", "127.0.0.1:5000", "127.1.2.3", "[::1]:5000"]
)
def test_a_loopback_registry_is_local(registry: str) -> None:
    assert is_local(registry)


@pytest.mark.parametrize("registry", ["", "gcr.io", "192.0.2.1:5000", "localhost.example:5000"])
def test_any_other_registry_is_not(registry: str) -> None:
    assert not is_local(registry)
