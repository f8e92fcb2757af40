"""What a green rehearsal vouches for, and for how long."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from greenrun.model import json_codec
from greenrun.model.image import Checkout, Source
from greenrun.model.plan import Plan
from greenrun.model.text import read_text_file, shown
from greenrun.release.preflight.git_tree import unrecorded

_LARGEST = 1_000_000
"""Bytes of what was kept that are read."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """A rehearsal in which everything passed.

    `image_tag` and `image_id` name what was rehearsed, `migrations` those that it brings;
    `fingerprint` stands for everything that it was made of and judged by; `at` is when it ended.
    """

    image_tag: str
    image_id: str
    migrations: tuple[str, ...]
    fingerprint: str
    at: datetime

    def counts(self, fingerprint: str, *, within: timedelta | None, now: datetime) -> bool:
        """True where it was a rehearsal of the same, and not too long ago."""
        recent = within is not None and timedelta() <= now - self.at <= within
        return recent and self.is_of(fingerprint)

    def is_of(self, fingerprint: str) -> bool:
        """True where it was a rehearsal of the same, however long ago."""
        return bool(fingerprint) and self.fingerprint == fingerprint

    def save(self, path: Path) -> None:
        """Keep it for the next run."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fields = {
            "image_tag": self.image_tag,
            "image_id": self.image_id,
            "migrations": self.migrations,
            "fingerprint": self.fingerprint,
            "at": self.at.isoformat(),
        }
        path.write_text(json.dumps(fields, indent=2) + "\n", "utf-8")

    @classmethod
    def load(cls, path: Path) -> "Attestation | None":
        """What was kept last; None where nothing was, or it cannot be read."""
        try:
            return json_codec.document(read_text_file(path, at_most=_LARGEST), path.name, _read)
        except ValueError:
            return None


def _read(found: object, key: str) -> Attestation:
    text = json_codec.text
    reads: dict[str, json_codec.Read[object]] = {
        "image_tag": text,
        "image_id": text,
        "migrations": json_codec.each(text),
        "fingerprint": text,
        "at": _moment,
    }
    return Attestation(**json_codec.fields(found, key, reads))


def _moment(found: object, key: str) -> datetime:
    try:
        return datetime.fromisoformat(json_codec.text(found, key)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{key}: got {shown(found)}, needs a time as ISO 8601 has it") from error


def fingerprint(checkout: Checkout, plan: Plan, source: Source) -> str:
    """Stands for image, settings and features: a commit with nothing changed, and a plan of it.

    Empty for a tree that is not what its commit says: nothing can be said of it later.
    """
    if unrecorded(checkout, plan, source):
        return ""
    return sha256(f"{checkout.commit}\n{plan!r}".encode()).hexdigest()
