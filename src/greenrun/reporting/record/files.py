"""Files that people keep: read and written byte by byte, and all of one or nothing."""

import os
import shutil
from pathlib import Path


def text_of(path: Path) -> str:
    """What stands in a file, line ends and bytes of no encoding included; empty without one."""
    return path.read_bytes().decode(errors="surrogateescape") if path.exists() else ""


def replace(path: Path, text: str) -> None:
    """Write a file by renaming a finished one onto it; folders are made, its mode is kept."""
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    try:
        with draft.open("wb") as file:
            file.write(text.encode(errors="surrogateescape"))
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def line_end(text: str) -> str:
    """How the lines of a text end."""
    return "\r\n" if "\r\n" in text else "\n"
