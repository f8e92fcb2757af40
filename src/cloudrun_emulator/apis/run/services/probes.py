"""Start-up probes: whether a container answers, at its own address, within its window."""

import http.client
import socket
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from time import monotonic, sleep

from google.cloud import run_v2

from cloudrun_emulator.apis.run.services.defaults import START_UP
from cloudrun_emulator.core.interfaces import Instance

PAUSE = timedelta(milliseconds=50)
"""Between two tries. The platform keeps the probe's period; whoever rehearses need not wait it."""


def passes(
    instance: Instance, probe: run_v2.Probe, port: int, given_up: Callable[[], bool]
) -> bool:
    """Wait until `instance` answers.

    False once its window is over, its container has exited, or nobody wants it any more.
    `port` is the one that the container serves; a probe of another port asks there.
    """
    deadline = monotonic() + window(probe).total_seconds()
    while monotonic() < deadline and instance.exit_code() is None and not given_up():
        if _answers(instance, probe, port):
            return True
        sleep(PAUSE.total_seconds())
    return False


def window(probe: run_v2.Probe) -> timedelta:
    """The time that a container has to start.

    failureThreshold times period after the initial delay, and never more than four minutes.
    Source: Cloud Run, container health checks.
    """
    tries = (probe.failure_threshold or 3) * (probe.period_seconds or 10)
    return timedelta(seconds=probe.initial_delay_seconds) + min(timedelta(seconds=tries), START_UP)


def _answers(instance: Instance, probe: run_v2.Probe, port: int) -> bool:
    host, own = instance.address
    action = probe.http_get if "http_get" in probe else probe.tcp_socket
    asked = action.port if action.port not in (0, port) else own
    seconds = float(probe.timeout_seconds or 1)
    try:
        if "http_get" in probe:
            return 200 <= _http_status(host, asked, probe.http_get, seconds) < 400
        socket.create_connection((host, asked), timeout=min(seconds, 1)).close()
    except (OSError, http.client.HTTPException):
        return False
    return True


def _http_status(host: str, port: int, action: run_v2.HTTPGetAction, seconds: float) -> int:
    with closing(http.client.HTTPConnection(host, port, timeout=seconds)) as connection:
        headers = {header.name: header.value for header in action.http_headers}
        connection.request("GET", action.path or "/", headers=headers)
        return connection.getresponse().status
