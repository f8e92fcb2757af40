"""A document of a deployment, read into facts; what nobody could read is told by file and line."""

from collections.abc import Sequence
from pathlib import Path

from greenrun.model.errors import ReleaseError
from greenrun.model.text import UnreadableFile
from greenrun_cli.init.facts import Facts
from greenrun_cli.init.reading import documents, gcloud
from greenrun_cli.init.reading.curl import Calls
from greenrun_cli.init.reading.shell import Command


def read(path: Path, facts: Facts) -> None:
    """Take over all that a document says. Raises ReleaseError where it cannot be read at all."""
    calls = Calls(facts, str(path))
    read_before = len(facts.said)
    try:
        for passage in documents.read(path):
            if isinstance(passage, Command):
                calls.command(passage)
                gcloud.read(passage, f"{path}:{passage.line}", facts)
            else:
                calls.comment(passage)
    except UnreadableFile as error:
        where = f"{path}:{error.line}" if error.line else str(path)
        got = f"got {error.got}, needs {error.needs}"
        raise ReleaseError(f"could not read {where}: {got}") from error

    except RecursionError as error:
        raise ReleaseError(f"could not read {path}: got nesting without end, needs less") from error
    calls.end()
    if len(facts.said) == read_before and not facts.calls:
        facts.skip(str(path), "the whole file", "it says nothing of a service that init knows")


def read_all(paths: Sequence[Path], facts: Facts) -> None:
    """Read documents in their order: the first that says something counts."""
    for path in paths:
        read(path, facts)
