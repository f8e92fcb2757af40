"""Files that a release writes for people to review, and never over what people have edited."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff
from enum import Enum
from pathlib import Path

from greenrun.model.monitoring import Figure
from greenrun.model.plan import MonitoringPlan, Plan
from greenrun.reporting.monitoring import prometheus

SUMS = "SHA256SUMS"
"""What a release has written, as `sha256sum --check` reads it: whatever differs was edited."""


class FileOutcome(Enum):
    """What became of a file."""

    WRITTEN = "written"
    SAME = "as it was"
    EDITED = "edited by hand, and left so"
    OVERWRITTEN = "edited by hand, and overwritten"


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file. `difference` is from what stood there to what is generated, line by line."""

    path: Path
    outcome: FileOutcome
    difference: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.path.name}: {self.outcome.value}"


def generate_files(
    plan: Plan, monitoring: MonitoringPlan, figures: Sequence[Figure], url: str
) -> Mapping[str, str]:
    """The files of a plan by their names; `url` is where the platform serves."""
    from greenrun.reporting.monitoring.dashboard import dashboard  # noqa: PLC0415 - Grafana's SDK takes a while

    return {
        "prometheus.yml": prometheus.scrape_job(plan, monitoring, url),
        "rules.yml": prometheus.alert_rules(plan, monitoring, figures),
        "dashboard.json": dashboard(plan, figures),
    }


@dataclass(frozen=True, slots=True)
class MonitoringFiles:
    """The files of one folder."""

    folder: Path

    def keep(self, wanted: Mapping[str, str], *, overwrite: bool = False) -> tuple[KeptFile, ...]:
        """Write those that differ, and are still as a release has written them."""
        sums = self._sums()
        kept = tuple(
            self._keep(name, text, sums.get(name, ""), overwrite=overwrite)
            for name, text in wanted.items()
        )
        ours = {one.path.name for one in kept if one.outcome is not FileOutcome.EDITED}
        sums |= {name: _sum(wanted[name]) for name in ours}
        self._write(SUMS, "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))
        return kept

    def _keep(self, name: str, wanted: str, ours: str, *, overwrite: bool) -> KeptFile:
        path, found = self.folder / name, self._read(name)
        difference = "" if found is None else _difference(name, found, wanted)
        if found == wanted:
            return KeptFile(path, FileOutcome.SAME)
        edited = found is not None and _sum(found) != ours
        if edited and not overwrite:
            return KeptFile(path, FileOutcome.EDITED, difference)
        self._write(name, wanted)
        return KeptFile(
            path, FileOutcome.OVERWRITTEN if edited else FileOutcome.WRITTEN, difference
        )

    def _sums(self) -> dict[str, str]:
        lines = (line.split(maxsplit=1) for line in (self._read(SUMS) or "").splitlines())
        return {words[1]: words[0] for words in lines if len(words) == 2}

    def _read(self, name: str) -> str | None:
        path = self.folder / name
        return path.read_bytes().decode(errors="replace") if path.is_file() else None

    def _write(self, name: str, text: str) -> None:
        if self._read(name) != text:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(text.encode())


def _difference(name: str, found: str, wanted: str) -> str:
    return "".join(_lines(found, wanted, name))


def _lines(found: str, wanted: str, name: str) -> Iterable[str]:
    before, after = found.splitlines(keepends=True), wanted.splitlines(keepends=True)
    return unified_diff(before, after, f"{name} as it stands", f"{name} as generated")


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
