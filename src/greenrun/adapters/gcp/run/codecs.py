"""Rows of the tables of settings to Cloud Run's messages and back."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from greenrun.model.revision import Flag, Settings, flags_of
from greenrun.model.revision.rows import NOTHING

S = TypeVar("S", bound=Settings)
_CONTAINER = "container."
_ANY_MEMBER = "*"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows of a table are: `message` is what the paths begin in.

    `template` and `container` are the revision's, for what is told in several places of them.
    """

    message: Any
    template: Any = None
    container: Any = None

    def root(self, flag: Flag) -> Any:  # noqa: ANN401 - protobuf's own messages
        return self.container if flag.path.startswith(_CONTAINER) else self.message

    def within(self, message: Message) -> "Place":
        return replace(self, message=message)


@dataclass(frozen=True, slots=True)
class Codec:
    """A pair of functions for a row: what is there, and what shall be."""

    read: Callable[[Place, Flag], Any]
    write: Callable[[Place, Flag, Any, Any], None]


CODECS: dict[tuple[str, str], Codec] = {}
"""By table and field: rows that are told in more than one place, or otherwise than by a path."""


def read(table: type[S], place: Place) -> S:
    """Read what there is; what is not told is None."""
    flags = flags_of(table)
    return table(
        **{flag.field: _codec(table, flag).read(place, flag) for flag in flags if not flag.asks}
    )


def write(live: S, made: S, place: Place) -> None:
    """Change what is `live` into what is `made`, and touch nothing else."""
    for flag in flags_of(type(live)):
        before, after = getattr(live, flag.field), getattr(made, flag.field)
        if before != after:
            _codec(type(live), flag).write(place, flag, before, after)


def _codec(table: type[Settings], flag: Flag) -> Codec:
    for each in table.__mro__:
        if found := CODECS.get((each.__name__, flag.field)):
            return found
    return _SECTION if flag.table else _LISTED if flag.listed or flag.names else _VALUE


def _read_value(place: Place, flag: Flag) -> Any:  # noqa: ANN401 - of any form
    found = _found(place.root(flag), _names(flag))
    if flag.words:
        return next((ours for ours, theirs in flag.words.items() if theirs == found), None)
    if flag.form is None or found in NOTHING:
        return None
    if isinstance(found, bool | str):
        return flag.form.normal(found)
    # A number that cannot be meant is one that nobody has set.
    return flag.form.parse(found) if isinstance(found, int) else found


def _write_value(place: Place, flag: Flag, before: object, after: Any) -> None:  # noqa: ANN401, ARG001 - of any form
    *above, last = _names(flag)
    if after is None and not _is_told(place.root(flag), above):
        return
    target = _entered(place.root(flag), above)
    if not isinstance(target, Message):
        _write_entry(target, last, after)
    elif (member := _member(target, last)) is not None:
        _assign(target, member, flag.words.get(after, after))


def _write_entry(entries: Any, key: str, after: object) -> None:  # noqa: ANN401 - a map of protobuf
    if after is None:
        del entries[key]
    else:
        entries[key] = after


def _assign(target: Message, name: str, after: Any) -> None:  # noqa: ANN401 - of any form
    field = target.DESCRIPTOR.fields_by_name[name]
    target.ClearField(name)
    if after is None:
        return
    if isinstance(after, tuple):
        getattr(target, name).extend(after)
    elif isinstance(after, timedelta) and field.message_type:
        getattr(target, name).FromTimedelta(after)
    elif isinstance(after, timedelta):
        setattr(target, name, int(after.total_seconds()))
    elif field.enum_type:
        setattr(target, name, field.enum_type.values_by_name[after].number)
    else:
        setattr(target, name, after)


def _found(place: Any, names: list[str]) -> Any:  # noqa: ANN401 - messages, lists, maps and values of protobuf
    """What is at a path, by its default where the message says nothing; None of what it cannot."""
    for name in names:
        if isinstance(place, Message):
            place = _value(place, name)
        elif isinstance(place, Mapping):
            place = place.get(name)
        else:
            place = place[int(name)] if int(name) < len(place) else None
        if place is None:
            return None
    return place


def _value(message: Message, name: str) -> Any:  # noqa: ANN401 - of protobuf
    member = _member(message, name)
    if member is None:
        return None
    field, found = message.DESCRIPTOR.fields_by_name[member], getattr(message, member)
    if field.is_repeated:
        return found if isinstance(found, Mapping) or field.message_type else tuple(found)
    if field.message_type:
        return found.ToTimedelta() if hasattr(found, "ToTimedelta") else found
    if field.has_presence and not message.HasField(member):
        return None
    if field.enum_type:
        return field.enum_type.values_by_number[found].name
    return timedelta(seconds=found) if member.endswith("_seconds") else found


def _is_told(place: Any, names: list[str]) -> bool:  # noqa: ANN401 - messages, lists and maps of protobuf
    for name in names:
        if not isinstance(place, Message):
            return int(name) < len(place)
        member = _member(place, name)
        if member is None:
            return False
        field = place.DESCRIPTOR.fields_by_name[member]
        if field.has_presence and not place.HasField(member):
            return False
        place = getattr(place, member)
    return True


def _member(message: Message, name: str) -> str | None:
    """The name of a field; None where the message has none such, or no choice is made."""
    if name == _ANY_MEMBER:
        [choice] = message.DESCRIPTOR.oneofs
        member: str | None = message.WhichOneof(choice.name)
        return member
    return name if name in message.DESCRIPTOR.fields_by_name else None


def _entered(place: Any, names: list[str]) -> Any:  # noqa: ANN401 - messages, lists and maps of protobuf
    """What is at a path, made on the way there."""
    for name in names:
        if isinstance(place, Message):
            place = getattr(place, _member(place, name) or name)
        else:
            while len(place) <= int(name):
                place.add()
            place = place[int(name)]
    return place


def _names(flag: Flag) -> list[str]:
    path, key = flag.path.removeprefix(_CONTAINER), ""
    if ".limits." in path:
        path, _, key = path.partition(".limits.")
        return [*path.split("."), "limits", key]
    return path.split(".")


def _read_section(place: Place, flag: Flag) -> Settings | None:
    if flag.table is None or not _is_told(place.root(flag), _names(flag)):
        return None
    return read(flag.table, place.within(_found(place.root(flag), _names(flag))))


def _write_section(place: Place, flag: Flag, before: Settings | None, after: Settings) -> None:
    *above, last = _names(flag)
    holder = _entered(place.root(flag), above)
    if not after or not flag.table:
        holder.ClearField(last)
        return
    message = getattr(holder, last)
    message.SetInParent()
    write_anew(before or flag.table(), after, place.within(message))


def write_anew(before: S, after: S, place: Place) -> None:
    """Change a section; one of another kind than before is made anew."""
    if before.kind != after.kind:
        name = getattr(place.message, "name", "")
        place.message.Clear()
        if name:
            place.message.name = name
        before = before.without_kind()
    write(before, after, place)


def _read_listed(place: Place, flag: Flag) -> Any:  # noqa: ANN401 - a tuple or a mapping
    found = _found(place.root(flag), _names(flag))
    return dict(found or {}) if flag.names else tuple(found or ())


def _write_listed(place: Place, flag: Flag, before: object, after: Any) -> None:  # noqa: ANN401, ARG001 - a tuple or a mapping
    *above, last = _names(flag)
    holder = _entered(place.root(flag), above)
    holder.ClearField(last)
    if isinstance(after, Mapping):
        getattr(holder, last).update(after)
    else:
        getattr(holder, last).extend(after)


_VALUE = Codec(_read_value, _write_value)
_SECTION = Codec(_read_section, _write_section)
_LISTED = Codec(_read_listed, _write_listed)


def named(entries: Any, name: str) -> Any:  # noqa: ANN401 - of a repeated field of protobuf
    """Return the entry of that name; a new one where there is none."""
    return next((it for it in entries if it.name == name), None) or entries.add(name=name)


def remove(entries: Any, unwanted: Any) -> None:  # noqa: ANN401 - a repeated field of protobuf, a predicate of its entries
    """Delete what is unwanted, and leave the rest where it is."""
    for position in reversed(range(len(entries))):
        if unwanted(entries[position]):
            del entries[position]


def facts_of(message: Message, above: str = "") -> Iterator[tuple[str, str]]:
    """Yield what a message tells, by the paths of its fields."""
    for field, found in message.ListFields():
        name = f"{above}{field.name}"
        if isinstance(found, Mapping):
            yield from ((f"{name}.{key}", str(each)) for key, each in found.items())
        elif not field.is_repeated:
            yield from _facts(field, name, found)
        else:
            for position, each in enumerate(found):
                yield from _facts(field, f"{name}.{position}", each)


def _facts(field: FieldDescriptor, name: str, found: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - of any type
    if field.message_type is not None and not hasattr(found, "ToTimedelta"):
        yield from facts_of(found, f"{name}.")
    elif field.enum_type:
        yield name, field.enum_type.values_by_number[found].name
    else:
        yield name, str(found.ToTimedelta() if hasattr(found, "ToTimedelta") else found)
