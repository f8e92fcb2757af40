"""Rows of the tables of settings: a flag of gcloud each, and what is laid over what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any, Self, TypeVar

from greenrun.model.forms import Form, spell_duration

S = TypeVar("S", bound="Settings")
T = TypeVar("T")

NOTHING: tuple[object, ...] = (None, "", (), timedelta())
"""Values that say the same as none at all: what is empty is not there."""

_RESOURCES = frozenset({"vpc-connector", "network", "subnet"})
_VERBS = ("set-", "update-", "add-")


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag of gcloud: all that is known of it.

    `key` stands under `deploy` in release.yaml, `field` in the settings. `path` is its place in the
    template (or the service); `container` there is the one that requests reach, and `*` the member
    of a choice that is made. `words` are what the API calls its values.

    A flag has one value of a `form`; or is a section with a `table` of its own; with `names` it is
    a mapping of such names to either; `listed`, it is a list. A mapping or a list that is said is
    added to what is live, but where it `replaces` that. A flag that `adds` or `removes` asks for a
    change of another field, and is nothing that a revision has.
    """

    key: str
    meaning: str
    path: str = ""
    form: Form[Any] | None = None
    names: Form[str] | None = None
    table: "type[Settings] | None" = None
    words: Mapping[Any, Any] = field(default_factory=dict)
    listed: bool = False
    replaces: bool = False
    adds: str = ""
    removes: tuple[str, ...] = ()
    field: str = ""

    @property
    def asks(self) -> bool:
        """True where it asks for a change of another field."""
        return bool(self.adds or self.removes)

    @property
    def noun(self) -> str:
        """What people call it: the key without its verb."""
        return next(
            (self.key.removeprefix(verb) for verb in _VERBS if self.key.startswith(verb)), self.key
        )

    @property
    def unsaid(self) -> object:
        """The value of a field of which nothing is said."""
        if self.names and not self.replaces and not self.asks:
            return {}
        return () if self.listed else None


def _row(flag: Flag) -> Any:  # noqa: ANN401 - a field of the type that it is declared with
    return field(default_factory=lambda: flag.unsaid, metadata={"flag": flag})


def value(
    key: str, form: Form[T], path: str, meaning: str, words: Mapping[Any, Any] | None = None
) -> T | None:
    """A row: a flag of one value."""
    made: T | None = _row(Flag(key, meaning, path, form, words=words or {}))
    return made


def section(key: str, table: type[S], path: str, meaning: str) -> S | None:
    """A row: a flag with keys of its own."""
    made: S | None = _row(Flag(key, meaning, path, table=table))
    return made


def mapping(key: str, names: Form[str], form: Form[T], path: str, meaning: str) -> Mapping[str, T]:
    """A row: names with values, which go over those that are live."""
    made: Mapping[str, T] = _row(Flag(key, meaning, path, form, names))
    return made


def replacing(
    key: str, names: Form[str], form: Form[T], path: str, meaning: str
) -> Mapping[str, T] | None:
    """A row: names with values, all that there shall be."""
    made: Mapping[str, T] | None = _row(Flag(key, meaning, path, form, names, replaces=True))
    return made


def sections(
    key: str, names: Form[str], table: type[S], path: str, meaning: str
) -> Mapping[str, S]:
    """A row: names with keys below each, which go over those that are live."""
    made: Mapping[str, S] = _row(Flag(key, meaning, path, names=names, table=table))
    return made


def listing(key: str, form: Form[tuple[str, ...]], path: str, meaning: str) -> tuple[str, ...]:
    """A row: a list whose entries are added to those that are live."""
    made: tuple[str, ...] = _row(Flag(key, meaning, path, form, listed=True))
    return made


def adding(
    key: str, to: str, names: Form[str], form: Form[T], meaning: str
) -> Mapping[str, T] | None:
    """A row: entries that are added to those of a field."""
    made: Mapping[str, T] | None = _row(Flag(key, meaning, "", form, names, adds=to))
    return made


def removing(
    key: str, form: Form[tuple[str, ...]], removed_from: str, meaning: str
) -> tuple[str, ...]:
    """A row: names that are taken from a field, on purpose."""
    row = Flag(key, meaning, "", form, listed=True, removes=(removed_from,))
    made: tuple[str, ...] = _row(row)
    return made


def clearing(key: str, form: Form[bool], cleared: tuple[str, ...], meaning: str) -> bool | None:
    """A row: fields that are taken away, on purpose."""
    made: bool | None = _row(Flag(key, meaning, "", form, removes=cleared))
    return made


class Settings:
    """What is said of something by flags, or what it has. None is not said."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """The choice that has to stay for the rest to keep its meaning; empty without one."""
        return ""

    def over(self, live: Self) -> Self:
        """Lay what is said over what is `live`; what is not said is kept."""
        return laid_over(self, live)

    def without_kind(self) -> Self:
        """What of it stays where another choice is made."""
        return type(self)()

    def facts(self, above: str = "") -> Iterator[tuple[str, str]]:
        """Yield every setting that there is, by its key in gcloud's words."""
        for flag in flags_of(type(self)):
            if not flag.asks:
                yield from _facts(flag, above + flag.noun, getattr(self, flag.field))

    def differences(self, live: Self) -> "tuple[Difference, ...]":
        """Compare with `live` what is said, key by key."""
        wanted, found = dict(self.over(live).facts()), dict(live.facts())
        keys = sorted(wanted.keys() | found.keys())
        return tuple(
            Difference(key, wanted.get(key), found.get(key))
            for key in keys
            if not _same(key, wanted.get(key), found.get(key))
        )

    @property
    def said(self) -> bool:
        """True where anything is said."""
        return any(getattr(self, flag.field) != flag.unsaid for flag in flags_of(type(self)))


_ROWS: dict[type, tuple[Flag, ...]] = {}


def flags_of(table: type[Settings]) -> tuple[Flag, ...]:
    """Collect the rows of a table."""
    if table not in _ROWS:
        rows = fields(table)  # type: ignore[arg-type] # every table is a dataclass
        _ROWS[table] = tuple(replace(item.metadata["flag"], field=item.name) for item in rows)
    return _ROWS[table]


def laid_over(said: S, live: S) -> S:
    """Lay `said` over `live`, row by row."""
    flags = flags_of(type(said))
    made = {
        flag.field: flag.unsaid if flag.asks else _laid(flag, said, live, flags) for flag in flags
    }
    return type(said)(**made)


def _laid(flag: Flag, said: Settings, live: Settings, flags: tuple[Flag, ...]) -> object:
    now, then = getattr(said, flag.field), getattr(live, flag.field)
    removed: set[str] = set()
    for other in flags:
        asked = getattr(said, other.field)
        if other.adds == flag.field and asked is not None:
            now = {**((then or {}) if now is None else now), **asked}
        elif flag.field in other.removes and asked is True:
            then = flag.unsaid
        elif flag.field in other.removes and asked:
            removed |= set(asked)
    if flag.names and flag.table:
        now = {name: each.over(then.get(name, flag.table())) for name, each in now.items()}
    elif flag.table and now is not None:
        return now.over(then or flag.table()) or None
    if flag.names:
        kept = then if now is None else now if flag.replaces else {**then, **now}
        return kept and {name: it for name, it in kept.items() if name not in removed}
    if flag.listed:
        return tuple(it for it in dict.fromkeys((*then, *now)) if it not in removed)
    made = then if now is None else now
    return None if made in NOTHING else made


def _facts(flag: Flag, key: str, found: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - of any row
    if flag.names and flag.table:
        for name, each in found.items():
            yield from each.facts(f"{key}.{name}.")
    elif flag.names:
        yield from ((f"{key}.{name}", _text(each)) for name, each in (found or {}).items())
    elif isinstance(found, Settings):
        yield from found.facts(f"{key}.")
    elif found not in NOTHING:
        yield key, _text(found)


def _text(found: object) -> str:
    match found:
        case bool():
            return str(found).lower()
        case timedelta():
            return spell_duration(found)
        case tuple():
            return ", ".join(found)
        case _:
            return str(found)


def _same(key: str, wanted: str | None, live: str | None) -> bool:
    """Tell whether both name the same: a resource may be told by its path, with a number in it."""
    if key in _RESOURCES and wanted and live:
        return wanted.rpartition("/")[2] == live.rpartition("/")[2]
    return wanted == live


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that is not what it was meant to be; None where it is missing."""

    key: str
    wanted: str | None
    live: str | None

    def __str__(self) -> str:
        return f"{self.key}: got {_shown(self.live)}, needs {_shown(self.wanted)}"


def _shown(text: str | None) -> str:
    return "nothing" if text is None else text or "empty text"
