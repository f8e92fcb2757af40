"""httpx's client, by the proxies that the environment names."""

from typing import Any

import httpx

from greenrun.model.errors import CallFailed


def new_client(**options: Any) -> httpx.Client:  # noqa: ANN401 - as httpx has them
    """A client with httpx's `options`. Raises CallFailed for a proxy that cannot be meant."""
    try:
        return httpx.Client(**options)
    except (ValueError, httpx.InvalidURL) as error:
        raise CallFailed(
            f"could not use the proxy that the environment names: got {error}, "
            "needs http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT",
            hint="correct or unset ALL_PROXY, HTTPS_PROXY and HTTP_PROXY, in either case",
        ) from error
