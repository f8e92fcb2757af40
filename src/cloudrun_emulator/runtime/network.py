"""A network of one cloud, on which no address is ever given twice."""

from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_network
from secrets import token_hex
from threading import Lock

import docker
from docker.errors import APIError, NotFound
from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool

from cloudrun_emulator.core.interfaces import StartRefused


class PrivateNetwork:
    """A bridge whose addresses we hand out in order.

    The engine gives the address of a container that ended to the next one, in this cloud or in
    another; what is still routed to the first would reach the second, and look well.
    """

    def __init__(self, engine: docker.DockerClient, labels: Mapping[str, str]) -> None:
        """Raise APIError when the engine has no address pool left."""
        self._network = _create(engine, dict(labels))
        self._network.reload()
        (pool,) = self._network.attrs["IPAM"]["Config"]
        gateway = pool["Gateway"].partition("/")[0]
        self._addresses = (
            str(it) for it in ip_network(pool["Subnet"]).hosts() if str(it) != gateway
        )
        self._lock = Lock()

    @property
    def name(self) -> str:
        return str(self._network.name)

    def next_address(self) -> str:
        """Raise StartRefused when all, some thousands at least, were given."""
        with self._lock:
            address = next(self._addresses, None)
        if address is None:
            raise StartRefused(f"network {self.name} has no address left")
        return address

    def close(self) -> None:
        """Once no container is on it any more. Idempotent."""
        with suppress(NotFound):
            self._network.remove()


def _create(engine: docker.DockerClient, labels: dict[str, str], attempts: int = 5) -> Network:
    """The engine lets us choose addresses in a subnet that we name; it knows which ones are free.

    So it picks one, and we name it. Somebody else may be given it in between: then again.
    """
    try:
        return _create_on(engine, labels, _free_pool(engine, labels))
    except APIError as error:
        if attempts == 1 or not error.is_client_error():
            raise
        return _create(engine, labels, attempts - 1)


def _free_pool(engine: docker.DockerClient, labels: dict[str, str]) -> IPAMPool:
    picked = engine.networks.create(_name(), driver="bridge", labels=labels)
    try:
        picked.reload()
        (pool,) = picked.attrs["IPAM"]["Config"]
        return IPAMPool(subnet=pool["Subnet"], gateway=pool["Gateway"])
    finally:
        picked.remove()


def _create_on(engine: docker.DockerClient, labels: dict[str, str], pool: IPAMPool) -> Network:
    ipam = IPAMConfig(pool_configs=[pool])
    return engine.networks.create(_name(), driver="bridge", labels=labels, ipam=ipam)


def _name() -> str:
    return f"greenrun-{token_hex(8)}"
