"""`greenrun init`: reads, observes, writes, and says what it did not read."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from greenrun.adapters.git import Git
from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.plan import Location
from greenrun.model.text import UnreadableFile
from greenrun_cli.init import card, observing
from greenrun_cli.init.facts import Facts
from greenrun_cli.init.files import Files
from greenrun_cli.init.observation import Observation
from greenrun_cli.init.reading import dockerfile, live, procedure

_DOCKERFILE = "Dockerfile"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for. `live` is service, project and region, or nothing."""

    folder: Path
    procedures: Sequence[Path] = ()
    live: tuple[str, str, str] | None = None
    public: bool | None = None
    observe: bool = True
    diff: bool = False


def run(options: Options) -> None:
    """Write the files of a release; end with status 1 and one error where that cannot be done."""
    try:
        facts = read(options)
        seen = _observed(options, facts) if options.observe else None
        _finish(options, facts, seen)
    except (UnreadableFile, ReleaseError) as error:
        raise click.ClickException(f"nothing was written: {error}") from error


def _observed(options: Options, facts: Facts) -> Observation:
    try:
        return observing.observe(options.folder, facts, _tell)
    except (GateClosed, ReleaseError) as error:
        raise ReleaseError(
            error.message,
            hint="`greenrun machine` installs what a rehearsal needs; `--no-observe` goes without",
        ) from error


def read(options: Options) -> Facts:
    """Everything that is said about the service, the most certain first."""
    facts = Facts()
    if options.public is not None:
        facts.say("deploy.allow-unauthenticated", options.public, "the command line")
    if options.live:
        service, project, region = options.live
        live.read(service, Location(project, region), facts)
    procedure.read_all(options.procedures, facts)
    _settle_variables(options.folder, facts)
    name = facts.text("build.dockerfile", _DOCKERFILE)
    if not (options.folder / name).is_file():
        raise ReleaseError(
            f"could not find {name} in {options.folder}",
            hint="go to the folder that the image is built from",
        )
    dockerfile.read(options.folder, name, facts)
    if "service" not in facts.said:
        facts.say("service", _name(options.folder), "the folder's name")
    return facts


def _settle_variables(folder: Path, facts: Facts) -> None:
    """A file of variables counts where it is there, and alone."""
    named = facts.said.get("deploy.env-vars-file")
    if named is None:
        return
    if not (folder / str(named.value)).is_file():
        del facts.said["deploy.env-vars-file"]
        facts.skip(named.place, f"env-vars-file {named.value}", f"no such file in {folder}")
        return
    for name, said in facts.variables.items():
        facts.skip(said.place, name, f"{named.value} has the variables; add it there if it lacks")
    facts.variables.clear()


def _name(folder: Path) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-0123456789")
    return words[:40].rstrip("-") or "service"


def _finish(options: Options, facts: Facts, seen: Observation | None) -> None:
    files = Files(options.folder)
    wanted, added = card.card(facts, seen, options.folder), card.added(facts)
    if options.diff:
        click.echo("".join(files.diff(wanted, added)), nl=False)
    else:
        files.write(wanted, added)
        _tell_of(files)
    if other := card.configures_pytest(options.folder):
        _tell(
            f"{other} configures pytest: add `{card.NO_FEATURES}`, so that a bare `pytest` "
            "runs no feature"
        )
    if "deploy.allow-unauthenticated" not in facts.said:
        _tell(
            "not known: who may ask the service, so it is taken for private; "
            "--allow-unauthenticated says that everybody may"
        )
    for passage in facts.unread:
        _tell(f"not read: {passage}")
    for remark in seen.remarks if seen else ():
        _tell(f"observed: {remark}")
    if not options.diff:
        _tell(f"next: {_commit_first(options.folder)}greenrun check, then pytest features/")


def _commit_first(folder: Path) -> str:
    """A release is of a commit."""
    try:
        Git(folder).checkout()
    except ReleaseError:
        return "git init, git add --all, git commit, "
    return ""


def _tell_of(files: Files) -> None:
    for what, names in (
        ("written", files.created),
        ("added to", files.extended),
        ("left as it is", files.kept),
    ):
        if names:
            _tell(f"{what}: {', '.join(names)}")


def _tell(text: str) -> None:
    click.echo(text, file=sys.stderr)
