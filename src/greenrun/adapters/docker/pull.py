"""Fetching an image that was built elsewhere, by its digest."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from docker import APIClient
from docker.errors import APIError

from greenrun.adapters.docker.engine import FAILURES, Cutoff, connect
from greenrun.adapters.registry.address import Address, refusal, shortened
from greenrun.adapters.registry.login import Login, Logins
from greenrun.model.errors import CallFailed, DeadlineExceeded
from greenrun.model.image import Digest
from greenrun.model.interfaces import Timeout


def pull(
    repository: str, manifest: Digest, platform: str, timeout: Timeout, logins: Logins
) -> None:
    """Have the engine hold an image under its repository and digest.

    Raises CallFailed with what a person has to do, DeadlineExceeded over the time-out.
    """
    address, seen = Address.of(repository), "nothing"
    login, without = _login(address, logins)
    with closing(connect()) as client, Cutoff(client, timeout.within) as cutoff:
        try:
            for event in _events(client, repository, manifest, platform, login):
                if "error" in event:
                    raise _refused(address, manifest, event["error"], without)
                seen = " ".join(filter(None, (event.get("id"), event.get("status"))))
                timeout.watch(seen)
        except APIError as error:
            raise _refused(address, manifest, str(error.explanation), without) from error
        except FAILURES as error:
            if cutoff.struck:
                raise DeadlineExceeded(
                    f"the pull of {repository}@{manifest}",
                    after=timeout.within,
                    last_seen=seen,
                    hint="raise `build.timeout` in release.yaml",
                ) from error
            raise _refused(address, manifest, str(error), without) from error


def _login(address: Address, logins: Logins) -> tuple[Login | None, CallFailed | None]:
    """Who we are there; a public image needs nobody, so that being nobody is told only later."""
    try:
        return logins(address), None
    except CallFailed as error:
        return None, error


def _events(
    client: APIClient, repository: str, manifest: Digest, platform: str, login: Login | None
) -> Iterator[Mapping[str, Any]]:
    yield from client.pull(
        repository,
        tag=str(manifest),
        stream=True,
        decode=True,
        platform=platform,
        auth_config=dict(login.for_engine()) if login else {},
    )


def _refused(
    address: Address, manifest: Digest, said: str, without: CallFailed | None
) -> CallFailed:
    told = refusal("read", address, said) or CallFailed(
        f"could not read {address}@{manifest.short}: got {shortened(said)}",
        hint=f"see that {address.host} can be reached from here, and holds that image",
    )
    return CallFailed(told.message, hint=without.hint) if without else told
