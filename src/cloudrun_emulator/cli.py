"""The command line: `greenrun cloud` starts Google Cloud on this machine."""

import json
import os
import signal
import sys
from datetime import timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

import click

from cloudrun_emulator.core.time import parse_duration

if TYPE_CHECKING:
    from cloudrun_emulator.emulator import LocalCloud

_SIBLINGS = ("LOGGING_EMULATOR_HOST", "MONITORING_EMULATOR_HOST", "SECRET_MANAGER_EMULATOR_HOST")
"""Siblings of CLOUD_RUN_EMULATOR_HOST: one address serves every API."""


def _duration(_context: click.Context, _option: click.Parameter, text: str) -> timedelta:
    """180s, 1.5m."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="greenrun")
def main() -> None:
    """A release is a test run: `pytest features/` performs and proves it.

    What is here beside it is the cloud that releases are rehearsed against.
    """


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the addresses as one line of JSON.")
@click.option(
    "--runtime",
    type=click.Choice(["docker", "in-process"]),
    default="docker",
    show_default=True,
    help="What revisions and tasks run as: containers, or programs of this process.",
)
@click.option("--until-stdin-closes", is_flag=True, help="End when stdin ends, as with a parent.")
@click.option("--lax-etags", is_flag=True, help="Accept stale etags, as Cloud Run was seen to.")
@click.option(
    "--metrics-lag",
    callback=_duration,
    default="0s",
    metavar="DURATION",
    help="Withhold younger metrics; Cloud Run's may be 180s late.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="FAULT",
    help='Let this go wrong: "Services.UpdateService: UNAVAILABLE, twice". Repeatable.',
)
@click.option(
    "--deny",
    "denied",
    multiple=True,
    metavar="PERMISSION",
    help="Tell callers that they lack this one: run.jobs.create. Repeatable.",
)
def cloud(  # noqa: PLR0913 - one argument for each option
    *,
    as_json: bool,
    runtime: str,
    until_stdin_closes: bool,
    lax_etags: bool,
    metrics_lag: timedelta,
    faults: tuple[str, ...],
    denied: tuple[str, ...],
) -> None:
    """Google Cloud on this machine, for any client of Cloud Run.

    Speaks the official APIs over gRPC and REST: Cloud Run services, revisions, jobs, executions
    and tasks; Logging, Monitoring, Secret Manager, Resource Manager. Runs until it is interrupted;
    then its state is gone and nothing of it remains on the machine.
    """
    ended = _end_on_signals()
    if until_stdin_closes:
        Thread(target=_await_end_of_stdin, args=(ended,), daemon=True).start()
    with _start(
        runtime,
        strict_etags=not lax_etags,
        metrics_lag=metrics_lag,
        faults=faults,
        denied=denied,
    ) as started:
        click.echo(_line(started) if as_json else _welcome(started))
        ended.wait()


def _start(
    runtime: str,
    *,
    strict_etags: bool,
    metrics_lag: timedelta,
    faults: tuple[str, ...],
    denied: tuple[str, ...],
) -> "LocalCloud":
    from cloudrun_emulator import emulator  # noqa: PLC0415 - a second that `--help` need not take

    try:
        return emulator.start(
            runtime,
            strict_etags=strict_etags,
            metrics_lag=metrics_lag,
            faults=faults,
            denied=denied,
        )
    except emulator.UnknownFault as error:
        raise click.BadParameter(str(error), param_hint="'--fault'") from error
    except emulator.UnknownPermission as error:
        raise click.BadParameter(str(error), param_hint="'--deny'") from error
    except emulator.CannotStart as error:
        raise click.ClickException(str(error)) from error


def _end_on_signals() -> Event:
    """Set by the first signal; until then a start under way is not torn apart."""
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    return ended


def _await_end_of_stdin(ended: Event) -> None:
    """Unbuffered: a buffered read under way is fatal when the interpreter shuts down."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    ended.set()


def _line(started: "LocalCloud") -> str:
    addresses = {"grpc": started.grpc, "rest": started.rest, "metadata": started.metadata}
    return json.dumps(addresses)


def _welcome(started: "LocalCloud") -> str:
    siblings = " ".join(f"{name}={started.grpc}" for name in _SIBLINGS)
    return f"""\
Google Cloud is ready on this machine, until Ctrl-C.

  gRPC      {started.grpc}
  REST      {started.rest}
  metadata  {started.metadata}

Where clients look for it:

export CLOUD_RUN_EMULATOR_HOST={started.grpc}
export {siblings}
export GCE_METADATA_HOST={started.metadata} GCE_METADATA_IP={started.metadata}
"""
