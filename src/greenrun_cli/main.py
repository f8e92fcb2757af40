"""The commands of `greenrun`."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from cloudrun_emulator.cli import cloud

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="greenrun")
def main() -> None:
    """A release is a test run: `pytest features/` performs and proves it."""


@main.command()
@click.argument("folder", type=FOLDER, default=".")
@click.option("--no-observe", is_flag=True, help="Do not build and start the image to ask it.")
@click.option(
    "--from",
    "procedures",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Read a script, a page, a GitHub workflow or a cloudbuild.yaml. Repeatable.",
)
@click.option("--from-service", metavar="NAME", help="Read the live service, with its settings.")
@click.option("--project", metavar="ID", help="The project of the live service.")
@click.option("--region", metavar="REGION", help="The region of the live service.")
@click.option(
    "--allow-unauthenticated/--no-allow-unauthenticated",
    default=None,
    help="Whether everybody may ask the service; where nothing tells, it is taken for private.",
)
@click.option("--diff", is_flag=True, help="Show what would be written, and write nothing.")
def init(  # noqa: PLR0913 - one argument for each option
    *,
    folder: Path,
    no_observe: bool,
    procedures: tuple[Path, ...],
    from_service: str | None,
    project: str | None,
    region: str | None,
    allow_unauthenticated: bool | None,
    diff: bool,
) -> None:
    """Write the release of the service whose Dockerfile is in FOLDER.

    Builds and starts the image once, and asks what answers. What exists is never overwritten.
    """
    from greenrun_cli.init import command  # noqa: PLC0415 - seconds that `--help` need not take

    live = None
    if from_service or project or region:
        if not (from_service and project and region):
            raise click.UsageError("--from-service, --project and --region need each other")
        live = from_service, project, region
    command.run(
        command.Options(
            folder,
            procedures,
            live,
            public=allow_unauthenticated,
            observe=not no_observe,
            diff=diff,
        )
    )


@main.command()
@click.argument("folder", type=FOLDER, default=".")
def check(folder: Path) -> None:
    """Read release.yaml, env.yaml and every feature of FOLDER, and run nothing.

    Exits with 0 where a release could begin, and with 1 and every complaint where it could not.
    """
    from greenrun_cli import checking  # noqa: PLC0415 - a second that `--help` need not take

    complaints = checking.complaints(folder)
    for line in complaints:
        click.echo(line, err=True)
    if complaints:
        sys.exit(1)
    click.echo("release.yaml, env.yaml, every sentence and every table can be read")


@main.command()
@click.argument("folder", type=FOLDER, default=".")
def sentences(folder: Path) -> None:
    """List every sentence that a feature can say, with its table: Markdown.

    Where FOLDER has a release.yaml, its own sentences come last.
    """
    from greenrun_cli import vocabulary  # noqa: PLC0415 - likewise

    click.echo(vocabulary.page(folder))


@main.command()
def schema() -> None:
    """Print the JSON schema of release.yaml, for editors."""
    from greenrun_cli import schema as of_release  # noqa: PLC0415 - likewise

    click.echo(of_release.text(), nl=False)


@main.command()
@click.argument("parts", nargs=-1, metavar="[PART]...")
def machine(parts: tuple[str, ...]) -> None:
    """Install what a rehearsal needs and this machine lacks.

    PART is engine, base-image, browser or report; without any, all of them in turn.
    """
    if find_spec("greenrun.setup") is None:
        raise click.ClickException("got sources that are not installed; use `make machine`")
    command = [sys.executable, "-m", "greenrun.setup", *parts]
    sys.exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - our own module


main.add_command(cloud)
