"""The record of a release: what it did, in words for people and in JSON for machines."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from greenrun.domain.traffic import TrafficSplit
from greenrun.errors import GateClosed, ReleaseError
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
        """Everything that is known of a release by now, also where the platform is silent."""
        image, split = release.image if release.built else None, _split(release)
        return cls(
            service=release.plan.service,
            environment=release.plan.environment,
            at=at.isoformat(timespec="seconds"),
            outcome=_outcome(release, split),
            image=image.reference if image else "",
            image_tag=image.tag if image else "",
            baseline=release.baseline,
            candidate=release.candidate.name if release.deployed else "",
            ready_seconds=_ready_seconds(release),
            traffic=str(split or "unknown: the platform did not answer"),
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

    def as_json(self) -> str:
        """The record as machines read it."""
        return json.dumps(asdict(self), indent=2) + "\n"

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


def _split(release: Release) -> TrafficSplit | None:
    try:
        return release.service.resolved
    except ReleaseError:
        return None


def _outcome(release: Release, split: TrafficSplit | None) -> str:
    if release.promoted:
        return "released"
    if release.deployed and (split is None or split.serving != {release.baseline: 100}):
        return "not released, and a person is needed"
    return "not released, users served as before"


def _cell(value: object) -> str:
    return "<br>".join(value) if isinstance(value, tuple) else str(value)


def discard(folder: Path) -> None:
    """Take away the record of an earlier release, so that none is read as this one's."""
    for name in ("release.md", "release.json"):
        (folder / name).unlink(missing_ok=True)


def save(release: Release, folder: Path) -> Record:
    """Write `release.json` and `release.md` into a folder."""
    record = Record.of(release, release.roles.clock.now())
    (folder / "release.md").write_text(record.as_markdown(), "utf-8")
    (folder / "release.json").write_text(record.as_json(), "utf-8")
    return record


def write(release: Release, folder: Path) -> Record:
    """Save the record, and keep it as evidence."""
    record = save(release, folder)
    release.roles.evidence.attach("record", record.as_markdown(), "text/markdown")
    release.roles.evidence.attach("record for machines", record.as_json(), "application/json")
    return record
