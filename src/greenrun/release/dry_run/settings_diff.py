"""Settings three ways: as the last release left them, as they are live, as they are wanted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from greenrun.model.interfaces import Scanner
from greenrun.model.plan import Plan
from greenrun.model.revision import Revision, RevisionSettings, ServiceSettings
from greenrun.model.revision.settings import SET, VARIABLE, is_variable
from greenrun.release.dry_run.tables import Row

HEAD: Row = ("setting", "last release", "live", "wanted", "remark")
HEAD_OF_ALL: Row = ("setting", "value", "from")
HEAD_OF_OTHERS: Row = ("setting", "there", "live, and kept")

_EMPTY: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class SettingsDiff:
    """`last` and `live` are None where they are not known; keys are gcloud's, as far as it has any.

    A value that release.yaml and env.yaml do not name was set by somebody's hand and may be a
    secret: it is told as `set`. One that looks like a secret is not told either.
    """

    plan: Plan
    service: ServiceSettings
    live: Revision | None
    last: Revision | None
    scanner: Scanner = field(repr=False)

    def rows(self) -> tuple[Row, ...]:
        """Every key where not all that are known have the same, with what follows from that."""
        return (*self._of_revision(), *self._of_service())

    def made(self) -> tuple[Row, ...]:
        """Every setting that the candidate will have but variables, and where it comes from."""
        said, made = dict(self.plan.settings.facts()), self._made
        return tuple(
            (key, text or "empty text", "release.yaml" if key in said else "kept")
            for key, text in made.items()
            if not (is_variable(key) or key.startswith("secrets."))
        )

    def not_taken_over(self, newest: Revision | None) -> tuple[Row, ...]:
        """Where a newer revision differs from the live one, of which nothing is taken over."""
        if newest is None or self.live is None or newest.name == self.live.name:
            return ()
        there, live = _facts(newest), _facts(self.live)
        differ = sorted(key for key in {*there, *live} if there.get(key) != live.get(key))
        return (
            ("revision", newest.name, self.live.name),
            *((key, self._shown(key, there), self._shown(key, live)) for key in differ),
        )

    @property
    def _made(self) -> dict[str, str]:
        settings = self.live.settings if self.live else RevisionSettings()
        others = self.live.others if self.live else _EMPTY
        return {**dict(self.plan.settings.over(settings).facts()), **others}

    def _of_revision(self) -> Iterator[Row]:
        live, wanted = _facts(self.live), self._made
        last = _facts(self.last) if self.last else live
        for key in sorted({*last, *live, *wanted}):
            if not last.get(key) == live.get(key) == wanted.get(key):
                shown = self._shown(key, last) if self.last else "unknown"
                remark = self._remark(key, touched=last.get(key) != live.get(key))
                yield key, shown, self._shown(key, live), self._shown(key, wanted), remark

    def _of_service(self) -> Iterator[Row]:
        live = dict(self.service.facts())
        wanted = dict(self.plan.service_settings.over(self.service).facts())
        for key in sorted({*live, *wanted}):
            if live.get(key) != wanted.get(key):
                cells = (live.get(key, "-"), wanted.get(key, "-"))
                yield f"service: {key}", "unknown", *cells, "with the promotion"

    def _remark(self, key: str, *, touched: bool) -> str:
        said = ("would be lost" if key in self._lost else "", "changed since then" * touched)
        return ", ".join(filter(None, said))

    @property
    def _lost(self) -> set[str]:
        lost = self.plan.settings.lost(self.live.settings) if self.live else ()
        return {_key_of(name) for name in lost}

    def _shown(self, key: str, facts: Mapping[str, str]) -> str:
        text = facts.get(key)
        if text is None:
            return "-"
        [(_, shown)] = self.plan.settings.shown([(key, text)])
        if not is_variable(key) or shown == SET:
            return shown or "empty text"
        name = key.rpartition(VARIABLE)[2]
        leaks = self.scanner.in_text(name, f"{name}={text}")
        return "********" if leaks else text or "empty text"


def _key_of(lost: str) -> str:
    container, separator, name = lost.rpartition(": ")
    return f"containers.{container}.{VARIABLE}{name}" if separator else f"{VARIABLE}{name}"


def _facts(revision: Revision | None) -> dict[str, str]:
    return {**dict(revision.settings.facts()), **revision.others} if revision else {}
