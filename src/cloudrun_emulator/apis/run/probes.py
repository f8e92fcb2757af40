"""Probes: what is asked of a container until it has started, and while it runs.

Source: https://cloud.google.com/run/docs/configuring/healthchecks
"""

import http.client
import socket
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from threading import Event, Thread
from time import monotonic, sleep

import grpc
from google.cloud import run_v2
from google.protobuf.wrappers_pb2 import Int32Value, StringValue

from cloudrun_emulator.core.interfaces import Instance
from cloudrun_emulator.core.resource_names import invalid

LONGEST_START_UP = timedelta(seconds=240)
LAST_PORT = 65_535
PAUSE = timedelta(milliseconds=50)
"""Between two tries. The platform keeps the probe's period; whoever rehearses need not wait it."""

_PERIOD, _TIMEOUT, _FAILURES = 10, 1, 3
"""Filled in where a probe leaves them open. Source: comments on Probe."""

_LONGEST_STARTUP_PERIOD, _LONGEST_PERIOD = 240, 3600
_SERVING = 1
"""Of grpc.health.v1.HealthCheckResponse.ServingStatus."""


def check_startup(probe: run_v2.Probe, field: str) -> None:
    """Raise INVALID_ARGUMENT for a number out of its range. Source: comments on Probe."""
    _check(probe, field, _LONGEST_STARTUP_PERIOD)


def check_running(probe: run_v2.Probe, field: str) -> None:
    """As check_startup, for a probe of a container that has started."""
    _check(probe, field, _LONGEST_PERIOD)


def check_port(port: int, field: str) -> None:
    if not 0 <= port <= LAST_PORT:
        raise invalid(f"{field}: a port is from 1 to {LAST_PORT}, got {port}.")


def _check(probe: run_v2.Probe, field: str, longest: int) -> None:
    for port in (probe.http_get.port, probe.tcp_socket.port, probe.grpc.port):
        check_port(port, field)
    for name in ("initial_delay_seconds", "period_seconds", "timeout_seconds"):
        if not 0 <= (value := getattr(probe, name)) <= longest:
            raise invalid(f"{field}.{name}: from 0 to {longest}, got {value}.")
    if probe.timeout_seconds > (probe.period_seconds or _PERIOD):
        raise invalid(f"{field}.timeout_seconds: must be less than period_seconds")
    if probe.failure_threshold < 0:
        raise invalid(f"{field}.failure_threshold: from 0, got {probe.failure_threshold}.")


def passes_startup(
    instance: Instance, probe: run_v2.Probe, port: int, abandoned: Callable[[], bool]
) -> bool:
    """Wait until `instance` answers, not asked before the probe's initial delay.

    False once its window is over, its container has exited, or nobody wants it any more.
    `port` is the one that the container serves; a probe of another port asks there.
    """

    def hopeless() -> bool:
        return monotonic() > ends or instance.exit_code() is not None or abandoned()

    begun = monotonic()
    ends = begun + window(probe).total_seconds()
    while not hopeless():
        if monotonic() - begun >= probe.initial_delay_seconds and answers(instance, probe, port):
            return True
        sleep(PAUSE.total_seconds())
    return False


def window(probe: run_v2.Probe) -> timedelta:
    """The time that a container has to start.

    failureThreshold times period after the initial delay, and never more than four minutes.
    """
    tries = (probe.failure_threshold or _FAILURES) * (probe.period_seconds or _PERIOD)
    return timedelta(seconds=probe.initial_delay_seconds) + min(
        timedelta(seconds=tries), LONGEST_START_UP
    )


class LivenessProbe:
    """Asks a container that has started, and ends its instance when that is not alive.

    `instance` is the whole of which the container is a part: all of it is killed, at once, once
    `failed` was told.
    """

    def __init__(
        self,
        is_alive: Callable[[], bool],
        instance: Instance,
        probe: run_v2.Probe,
        failed: Callable[[], None],
        closed: Event,
    ) -> None:
        self._is_alive, self._instance, self._probe = is_alive, instance, probe
        self._failed, self._closed = failed, closed
        Thread(target=self._watch, name=f"liveness of {instance!r}", daemon=True).start()

    def _watch(self) -> None:
        failures = 0
        pause = self._probe.initial_delay_seconds
        while not self._closed.wait(pause) and self._instance.exit_code() is None:
            failures = 0 if self._is_alive() else failures + 1
            if failures >= (self._probe.failure_threshold or _FAILURES):
                self._failed()
                self._instance.stop(timedelta())
                return
            pause = self._probe.period_seconds or _PERIOD


def describe_failure(kind: str, probe: run_v2.Probe, container: str, port: int) -> str:
    """Say that a probe has failed for good, as the platform's log does: `kind` is STARTUP, say.

    Source of the words for TCP: 1Password/scim-examples issue 309 [PASTE]; of the others, inferred.
    """
    times = probe.failure_threshold or _FAILURES
    where, how = f"on port {_action(probe).port or port}", "TCP"
    if "http_get" in probe:
        where, how = f'on path "{probe.http_get.path or "/"}"', "HTTP"
    elif "grpc" in probe:
        how = "GRPC"
    counted = f"{times} time{'s' * (times != 1)} consecutively"
    return f'{kind} {how} probe failed {counted} for container "{container}" {where}.'


def answers(instance: Instance, probe: run_v2.Probe, port: int) -> bool:
    """Whether one try succeeds within the probe's time-out."""
    host, own = instance.address
    action = _action(probe)
    asked = action.port if action.port not in (0, port) else own
    seconds = float(probe.timeout_seconds or _TIMEOUT)
    try:
        if "http_get" in probe:
            return 200 <= _http_status(host, asked, probe.http_get, seconds) < 400
        if "grpc" in probe:
            return _is_serving(f"{host}:{asked}", probe.grpc.service, seconds)
        socket.create_connection((host, asked), timeout=min(seconds, 1)).close()
    except (OSError, http.client.HTTPException, ValueError):  # the last for a header that is none
        return False
    return True


def _action(
    probe: run_v2.Probe,
) -> run_v2.HTTPGetAction | run_v2.GRPCAction | run_v2.TCPSocketAction:
    if "http_get" in probe:
        return probe.http_get
    return probe.grpc if "grpc" in probe else probe.tcp_socket


def _http_status(host: str, port: int, action: run_v2.HTTPGetAction, seconds: float) -> int:
    with closing(http.client.HTTPConnection(host, port, timeout=seconds)) as connection:
        headers = {header.name: header.value for header in action.http_headers}
        connection.request("GET", action.path or "/", headers=headers)
        return connection.getresponse().status


def _is_serving(address: str, service: str, seconds: float) -> bool:
    """Ask grpc.health.v1.Health. Its messages have one field each, as these two wrappers have.

    Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
    """
    with grpc.insecure_channel(address) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=StringValue.SerializeToString,
            response_deserializer=Int32Value.FromString,
        )
        try:
            return bool(check(StringValue(value=service), timeout=seconds).value == _SERVING)
        except grpc.RpcError:
            return False
