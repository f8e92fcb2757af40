"""Secrets in files and in texts, found by detect-secrets."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from detect_secrets.core import scan
from detect_secrets.core.plugins import initialize
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.settings import Settings, transient_settings

from greenrun.adapters.secrets import kinds
from greenrun.model import json_codec
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import Leak
from greenrun.model.text import beginning, read_text_file

_NOISY = frozenset({"Base64HighEntropyString", "HexHighEntropyString", "IPPublicDetector"})
"""Digests, checksums and addresses are in every tree, and no secrets."""

_REFERENCES = f"{kinds.__name__}.{kinds.is_reference.__name__}"
_SETTINGS = Lock()  # the package keeps its settings once for the whole process

_Found = tuple[str, str, str]
_LARGEST = 10_000_000
"""Bytes of a baseline file that are read."""


class DetectSecrets:
    """Names files relative to `root`, as a baseline file does that was written there.

    A line that ends with `pragma: allowlist secret` is accepted, as everywhere with the package.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def leaks(self, files: Sequence[Path], known: Path | None) -> Sequence[Leak]:
        """What stands in these files, each looked at once.

        Raises CallFailed where one of them, or `known`, cannot be read.
        """
        accepted = _accepted(known) if known else frozenset[_Found]()
        with _settings():
            found = [
                (path, secret)
                for path in dict.fromkeys(files)
                for secret in _scan(path)
                if (self._name(path), secret.secret_hash, secret.type) not in accepted
            ]
        return _in_order(Leak(self._name(path), it.line_number, it.type) for path, it in found)

    def in_text(self, name: str, text: str) -> Sequence[Leak]:
        """What stands in a text of a line or more, read as settings are written (`NAME=value`)."""
        with TemporaryDirectory() as private:
            path = Path(private) / "text.cfg"
            path.write_text(text, "utf-8")
            with _settings():
                return _in_order(Leak(name, it.line_number, it.type) for it in _scan(path))

    def _name(self, path: Path) -> str:
        inside = path.is_relative_to(self._root)
        return (path.relative_to(self._root) if inside else path).as_posix()


def _scan(path: Path) -> Iterator[Any]:
    """What the package finds; it would pass over a file that it cannot read."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise CallFailed(
            f"could not look for secrets in {path}: got {error.strerror}", hint="make it readable"
        ) from error
    yield from scan.scan_file(str(path))


def _in_order(leaks: Iterator[Leak]) -> Sequence[Leak]:
    return sorted(set(leaks), key=lambda leak: (leak.file, leak.line, leak.kind))


@contextmanager
def _settings() -> Iterator[None]:
    filters = [{"path": path} for path in (*Settings().filters, _REFERENCES)]
    with _SETTINGS, transient_settings({"filters_used": filters}) as settings:
        initialize.from_file(kinds.__file__)
        settings.configure_plugins([{"name": name} for name in sorted(_plugins() - _NOISY)])
        yield


def _plugins() -> set[str]:
    known: Mapping[str, type] = get_mapping_from_secret_type_to_class()
    return {plugin.__name__ for plugin in known.values()}


def _accepted(known: Path) -> frozenset[_Found]:
    """File, hash and kind of what people have looked at, and did not call a true secret."""
    try:
        return json_codec.document(read_text_file(known, at_most=_LARGEST), known.name, _baseline)
    except ValueError as error:
        raise CallFailed(
            f"could not read {known}, needs a baseline file of detect-secrets: {error}",
            hint=f"detect-secrets scan > {known.name}, then detect-secrets audit {known.name}",
        ) from error


def _baseline(found: object, key: str) -> frozenset[_Found]:
    written = found if isinstance(found, dict) else json_codec.refuse(found, key, "an object")
    results, place = written.get("results"), f"{key}.results"
    files = results if isinstance(results, dict) else json_codec.refuse(results, place, "an object")
    return frozenset(
        (json_codec.text(name, place), *secret)
        for name, secrets in files.items()
        for secret in json_codec.each(_secret)(secrets, f"{place}.{beginning(name)}")
        if secret
    )


def _secret(found: object, key: str) -> tuple[str, str] | None:
    """The hash and the kind of a finding; None of one that people called a true secret."""
    match found:
        case {"hashed_secret": str() as hashed, "type": str() as kind, **others}:
            is_secret = json_codec.flag(others.get("is_secret") or False, f"{key}.is_secret")
            return None if is_secret else (hashed, kind)
        case _:
            return json_codec.refuse(found, key, "an object with hashed_secret and type")
