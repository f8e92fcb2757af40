"""Text: how messages show values, durations and commands, and files that may be anything."""

import json
import re
from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from greenrun.model.plan import Plan

HEADER_NAME_CHARACTER = r"[A-Za-z0-9!#$%&'*+.^_`|~-]"
"""One of a header's name, as a regular expression. Source: RFC 9110, 5.6.2."""

MILLISECONDS: Mapping[str, int] = {"s": 1_000, "ms": 1, "min": 60_000}
"""Milliseconds in each unit that a limit of time may have."""

_LENGTH = 80
"""Characters of a value that a message shows."""

_USER_INFO = re.compile(r"(?<=://)[^/?#\s'\"<>]{1,2000}@")


def shown(found: object) -> str:
    """The beginning of a value, as JSON writes it."""
    return beginning(json.dumps(found, ensure_ascii=False))


def beginning(text: str) -> str:
    """The beginning of a text."""
    whole = writable(text)
    return whole if len(whole) <= _LENGTH else f"{whole[: _LENGTH - 3]}..."


def writable(text: str) -> str:
    """The text, with a question mark for each half of a surrogate pair: UTF-8 has none."""
    return text.encode(errors="replace").decode()


def span(duration: timedelta) -> str:
    """Write `1 h 5 min 30 s`, without what is zero."""
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def rollback_command(plan: Plan) -> str:
    """Sends every user back to the baseline of the last release."""
    return f"pytest features/07-rollback.feature --env={plan.environment}"


def delete_command(plan: Plan) -> str:
    """Deletes the service, without greenrun."""
    return (
        f"gcloud run services delete {plan.service} "
        f"--project={plan.place.project} --region={plan.place.region}"
    )


def deletion_command(plan: Plan) -> str:
    """Undoes a first release that was promoted."""
    return f"{rollback_command(plan)} --delete-candidate"


def restore_command(plan: Plan) -> str:
    """Sends every user to a revision; nothing of an earlier release is open then."""
    return f"{rollback_command(plan)} --to=REVISION"


def traffic_command(plan: Plan, revision: str) -> str:
    """Sends every user to a revision, without greenrun."""
    return (
        f"gcloud run services update-traffic {plan.service} --to-revisions={revision}=100 "
        f"--project={plan.place.project} --region={plan.place.region}"
    )


def without_passwords(text: str) -> str:
    """The text, with stars for whoever an address in it names before its host."""
    return _USER_INFO.sub("********@", text)


class UnreadableFile(ValueError):
    """A file that is no text of limited size; `line` is 0 for the whole of it."""

    def __init__(self, got: str, needs: str, line: int = 0) -> None:
        super().__init__(f"got {got}, needs {needs}")
        self.got, self.needs, self.line = got, needs, line


def read_text_file(path: Path, *, at_most: int = 100_000) -> str:
    """Read a regular file of UTF-8, with or without its mark. Raises as `read_file` does."""
    contents = read_file(path, at_most=at_most)
    try:
        return contents.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UnreadableFile("bytes that are not text", "text in UTF-8", line) from error


def read_file(path: Path, *, at_most: int) -> bytes:
    """Read a regular file of so many bytes at most.

    Raises UnreadableFile; a pipe or a device is refused before it is opened.
    """
    try:
        if path.exists() and not path.is_file():
            raise UnreadableFile("a folder or a device", "a file")
        with path.open("rb") as file:
            contents = file.read(at_most + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, UnreadableFile):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnreadableFile(f"no readable file ({reason})", "a file that can be read") from error
    if len(contents) > at_most:
        raise UnreadableFile(f"more than {at_most:,} bytes", "fewer")
    return contents


class Tail:
    """The end of a text that may go on and on; how much came before is told at its beginning."""

    def __init__(self, most: int = 10_000_000) -> None:
        self._most = most
        self._parts: deque[str] = deque()
        self._size = self._left_out = 0

    def add(self, part: str) -> None:
        """Add to its end."""
        self._parts.append(part)
        self._size += len(part)
        while self._size > self._most and len(self._parts) > 1:
            dropped = len(self._parts.popleft())
            self._size -= dropped
            self._left_out += dropped

    def __str__(self) -> str:
        before = f"[{self._left_out:,} characters left out]\n" if self._left_out else ""
        return before + "".join(self._parts)
