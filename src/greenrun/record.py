"""The record of a release: what it did, in words for people and in JSON for machines."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from greenrun.errors import GateClosed
from greenrun.release import Release


@dataclass(frozen=True, slots=True)
class Record:
    """What those who come later need to know. Empty text where it did not come to that."""

    service: str
    environment: str
    at: str
    outcome: str
    image: str
    image_tag: str
    baseline: str
    candidate: str
    ready_seconds: float
    traffic: str
    increments: tuple[str, ...]
    way_back: str

    @classmethod
    def of(cls, release: Release, at: datetime) -> "Record":
        """Everything that is known of a release by now."""
        image = release.image if release.built else None
        return cls(
            service=release.plan.service,
            environment=release.plan.environment,
            at=at.isoformat(timespec="seconds"),
            outcome="released" if release.promoted else "not released, users served as before",
            image=image.reference if image else "",
            image_tag=image.tag if image else "",
            baseline=release.baseline,
            candidate=release.candidate.name if release.deployed else "",
            ready_seconds=_ready_seconds(release),
            traffic=str(release.service.actual),
            increments=tuple(map(str, release.increments)),
            way_back=release.way_back.by_hand if release.baseline else "",
        )

    def as_markdown(self) -> str:
        """The record as people read it."""
        rows = [
            f"| {key.replace('_', ' ')} | {_cell(value)} |" for key, value in asdict(self).items()
        ]
        return "\n".join(
            [f"# Release of {self.service}", "", "| fact | value |", "|---|---|", *rows, ""]
        )

    def is_complete(self) -> None:
        """A released candidate's record names image, revisions and the way back.

        Raises:
            GateClosed: naming what is missing.
        """
        needed = (
            ("image", "baseline", "candidate", "way_back") if self.outcome == "released" else ()
        )
        missing = [name for name in needed if not getattr(self, name)]
        if missing:
            raise GateClosed(f"record: got no {', '.join(missing)}")


def _ready_seconds(release: Release) -> float:
    return release.candidate.ready_after.total_seconds() if release.deployed else 0.0


def _cell(value: object) -> str:
    return "<br>".join(value) if isinstance(value, tuple) else str(value)


def write(release: Release, folder: Path) -> Record:
    """Write `release.json` and `release.md` into a folder, and keep both as evidence."""
    record = Record.of(release, release.roles.clock.now())
    people, machine = record.as_markdown(), json.dumps(asdict(record), indent=2) + "\n"
    (folder / "release.md").write_text(people, "utf-8")
    (folder / "release.json").write_text(machine, "utf-8")
    release.roles.evidence.attach("record", people, "text/markdown")
    release.roles.evidence.attach("record for machines", machine, "application/json")
    return record
