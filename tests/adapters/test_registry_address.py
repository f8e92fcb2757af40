"""Which host a repository is at, and how it is spoken to."""

import pytest

from greenrun.adapters.registry.address import Address
from greenrun.model.errors import CallFailed

GOOGLE = "europe-west1-docker.pkg.dev"


@pytest.mark.parametrize(
    ("repository", "host", "url"),
    [
        (f"{GOOGLE}/p/app/web", GOOGLE, f"https://{GOOGLE}/v2/p/app/web"),
        ("eu.gcr.io/p/web", "eu.gcr.io", "https://eu.gcr.io/v2/p/web"),
        ("127.0.0.1:5000/web", "127.0.0.1:5000", "http://127.0.0.1:5000/v2/web"),
        ("localhost/team/web", "localhost", "http://localhost/v2/team/web"),
        ("team/web", "docker.io", "https://registry-1.docker.io/v2/team/web"),
        ("web", "docker.io", "https://registry-1.docker.io/v2/library/web"),
    ],
)
def test_the_address_of_a_repository(repository: str, host: str, url: str) -> None:
    address = Address.of(repository)
    assert (address.host, address.url) == (host, url)


@pytest.mark.parametrize("host", [GOOGLE, "gcr.io", "us.gcr.io"])
def test_google_has_these_hosts(host: str) -> None:
    assert Address(host, "p/web").is_google


@pytest.mark.parametrize("host", ["pkg.dev.example", "agcr.io", "example.com:443", "10.0.0.1:5000"])
def test_any_other_host_is_neither_googles_nor_ours(host: str) -> None:
    address = Address(host, "web")
    assert not address.is_google
    assert not address.is_loopback


@pytest.mark.parametrize("host", ["localhost:1", "127.3.2.1", "[::1]:5000"])
def test_this_machine_is_on_loopback(host: str) -> None:
    assert Address(host, "web").is_loopback


def test_what_is_no_name_of_a_repository() -> None:
    with pytest.raises(CallFailed, match=r"could not find 'https://gcr\.io/p/web'"):
        Address.of("https://gcr.io/p/web")
