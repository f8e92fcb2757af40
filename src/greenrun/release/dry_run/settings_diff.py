"""Settings three ways: as the last release left them, as they are live, as they are wanted."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from greenrun.model.interfaces import Scanner
from greenrun.model.revision import RevisionSettings
from greenrun.release.dry_run.tables import Row

HEAD: Row = ("setting", "last release", "live", "wanted", "remark")

_VARIABLE, _SECRET = "variables.", "secrets."


@dataclass(frozen=True, slots=True)
class SettingsDiff:
    """`last` and `live` are None where they are not known.

    A value that env.yaml does not name was set by somebody's hand and may be a secret: it is told
    as `set`. One that looks like a secret is not told either.
    """

    wanted: RevisionSettings
    live: RevisionSettings | None
    last: RevisionSettings | None
    scanner: Scanner = field(repr=False)

    def rows(self) -> tuple[Row, ...]:
        """Every key where not all that are known have the same, with what follows from that."""
        return tuple(self._rows())

    def lost(self) -> tuple[str, ...]:
        """Variables that are live, by value or from a secret, and not wanted."""
        return self.wanted.lost(self.live) if self.live else ()

    def _rows(self) -> Iterator[Row]:
        kept = self.wanted.over(self.live) if self.live else self.wanted
        last, live, wanted = (_facts(each) for each in (self.last, self.live, kept))
        for key in sorted(last.keys() | live.keys() | wanted.keys()):
            of_last = last.get(key) if self.last else live.get(key)
            if not of_last == live.get(key) == wanted.get(key):
                shown = self._shown(key, of_last) if self.last else "unknown"
                remark = self._remark(key, touched=of_last != live.get(key))
                others = (self._shown(key, facts.get(key)) for facts in (live, wanted))
                yield (key, shown, *others, remark)

    def _remark(self, key: str, *, touched: bool) -> str:
        name = key.removeprefix(_VARIABLE).removeprefix(_SECRET)
        lost = key.startswith((_VARIABLE, _SECRET)) and name in self.lost()
        said = ("would be lost" if lost else "", "changed since then" if touched else "")
        return ", ".join(filter(None, said))

    def _shown(self, key: str, text: str | None) -> str:
        if text is None:
            return "-"
        if not key.startswith(_VARIABLE):
            return text or "empty text"
        name = key.removeprefix(_VARIABLE)
        if name not in (self.wanted.variables or ()):
            return "set"
        leaks = self.scanner.in_text(name, f"{name}={text}")
        return "********" if leaks else text or "empty text"


def _facts(settings: RevisionSettings | None) -> dict[str, str]:
    return dict(settings.facts()) if settings else {}
