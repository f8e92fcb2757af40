"""Which registry a reference names."""

import pytest

from cloudrun_emulator.runtime.images import registry_of


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
