"""The release state: enough of a release to finish or to undo it from another machine."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Self

from greenrun.model import json_codec
from greenrun.model.revision import NOTHING_SAID, Flag, ServiceSettings, flags_of
from greenrun.model.service import Service
from greenrun.model.traffic import Target, TrafficSplit

DELETION = "delete the service"
"""What a first release promises for the case that a gate closes."""

FIRST_TAG = "gr-first"
"""The revision tag that marks a service which a first release has created and not opened yet."""


class Stage(Enum):
    """How far a release came. The last three are ends: nothing of it is open."""

    BEGUN = "begun"
    DEPLOYED = "deployed"
    MOVED = "users moved"
    PROMOTED = "promoted"
    RESTORED = "restored"
    LEFT = "left as it is"

    @property
    def ended(self) -> bool:
        return self in {Stage.PROMOTED, Stage.RESTORED, Stage.LEFT}


@dataclass(frozen=True, slots=True)
class ReleaseState:
    """What a release found, and what it has asked of the service since.

    `before` is the split that served, LATEST pinned to a name. Without a `baseline` it is a first
    release: nobody was served before, and what it created is deleted on the way back. `asked` are
    the splits that this release has asked for, oldest first; each is written down before it is
    asked for. `contracted`: the schema no longer bears the baseline, so that users are not sent
    back to it. `migrations` are the names of all that the database has had applied.
    `service_settings` are those of before this release changed any; none said: it has not.
    """

    run: str
    baseline: str
    before: TrafficSplit
    generation: int = 0
    candidate: str = ""
    image: str = ""
    asked: tuple[TrafficSplit, ...] = ()
    stage: Stage = Stage.BEGUN
    contracted: bool = False
    migrations: tuple[str, ...] = ()
    service_settings: ServiceSettings = NOTHING_SAID

    def asking(self, split: TrafficSplit) -> "ReleaseState":
        """Return the same, about to ask for a split."""
        return replace(self, asked=(*self.asked, split))

    @property
    def moved_users(self) -> bool:
        """True once it has asked for a split that sends users elsewhere than to the baseline."""
        return any(split.share(self.baseline) != 100 for split in self.asked)

    def knows(self, split: TrafficSplit) -> bool:
        """True for a split that this release found or asked for: nobody else has set it since."""
        return any(split.matches(known) for known in (self.before, *self.asked))

    @property
    def is_first(self) -> bool:
        """True for the first release of a service: there is nobody to go back to."""
        return not self.baseline

    @property
    def promise(self) -> str:
        """What happens to users when a gate closes."""
        if self.is_first:
            return DELETION
        return "freeze" if self.contracted else "roll back"

    def as_json(self) -> str:
        """Return one line, from which `from_json` makes an equal one.

        Raises ValueError, as `from_json` does, for what nobody could read again.
        """
        fields = {
            **asdict(self),
            "before": _listed(self.before),
            "asked": [_listed(split) for split in self.asked],
            "stage": self.stage.value,
            "service_settings": _written(self.service_settings),
        }
        text = json.dumps(fields, separators=(",", ":"))
        self.from_json(text)
        return text

    @classmethod
    def from_json(cls, text: str) -> "ReleaseState":
        """Raises ValueError for what `as_json` did not write: the key, got X, needs Y."""
        return json_codec.document(text, "state", _release_state)

    @classmethod
    def left_in(cls, service: Service, candidate_tag: str, our_tags: set[str]) -> Self | None:
        """What an unfinished release has left of itself in a service, where no lock tells of it.

        That is the mark of a first release, or two revisions that serve, of which one has the
        candidate's revision tag; None for any other service. `before` is all to the other one,
        without `our_tags`.
        """
        split = service.resolved
        if FIRST_TAG in service.wanted.tags:
            wanted = service.wanted.pinned(service.latest_created)
            created, stage = wanted.tags[FIRST_TAG], Stage.DEPLOYED
            return cls("", "", TrafficSplit(), 0, created, asked=(service.wanted,), stage=stage)
        candidate = split.tags.get(candidate_tag, "")
        others = [name for name in split.serving if name != candidate]
        if candidate not in split.serving or len(others) != 1:
            return None
        wanted = service.wanted.pinned(service.latest_ready)
        asked = (split, wanted) if wanted.serving.keys() <= split.serving.keys() else (split,)
        theirs = TrafficSplit(tuple(one for one in split if one.tag not in our_tags))
        before = theirs.shared({others[0]: 100})
        return cls("", others[0], before, 0, candidate, asked=asked, stage=Stage.MOVED)


def _listed(split: TrafficSplit) -> list[list[object]]:
    return [[target.revision, target.percent, target.tag] for target in split]


def _release_state(found: object, key: str) -> ReleaseState:
    state = ReleaseState(**json_codec.fields(found, key, _FIELDS))
    if state.baseline and not state.before.targets:
        json_codec.refuse([], f"{key}.before", "shares that add to 100")
    return state


def _split(found: object, key: str) -> TrafficSplit:
    split = TrafficSplit(json_codec.each(_target)(found, key))
    adds_up = sum(target.percent for target in split) == 100
    return split if adds_up else json_codec.refuse(found, key, "shares that add to 100")


def _before(found: object, key: str) -> TrafficSplit:
    """Read the split of before, which is empty for a first release."""
    return TrafficSplit() if found == [] else _split(found, key)


def _target(found: object, key: str) -> Target:
    match found:
        case [revision, percent, tag]:
            return Target(
                json_codec.text(revision, f"{key}.0"),
                json_codec.percent(percent, f"{key}.1"),
                json_codec.text(tag, f"{key}.2"),
            )
        case _:
            return json_codec.refuse(found, key, "a revision, its share and its revision tag")


def _stage(found: object, key: str) -> Stage:
    known = {stage.value: stage for stage in Stage}
    name = json_codec.text(found, key)
    return known.get(name) or json_codec.refuse(found, key, f"one of: {', '.join(known)}")


def _written(settings: ServiceSettings) -> dict[str, object]:
    return {} if settings == NOTHING_SAID else asdict(settings)


def _service_settings(found: object, key: str) -> ServiceSettings:
    if found == {}:
        return NOTHING_SAID
    reads = {flag.field: _setting(flag) for flag in flags_of(ServiceSettings)}
    return ServiceSettings(**json_codec.fields(found, key, reads))


def _setting(flag: Flag) -> json_codec.Read[object]:
    """Read a setting as it is kept, in none of the forms that people write."""

    def read(found: object, key: str) -> object:
        if flag.listed:
            return json_codec.each(json_codec.text)(found, key)
        if flag.names:
            return json_codec.texts(found, key)
        known = found is None or isinstance(found, bool | int | str)
        return found if known else json_codec.refuse(found, key, "a text, a number or a truth")

    return read


_FIELDS: Mapping[str, json_codec.Read[object]] = {
    "run": json_codec.text,
    "baseline": json_codec.text,
    "before": _before,
    "generation": json_codec.whole,
    "candidate": json_codec.text,
    "image": json_codec.text,
    "asked": json_codec.each(_split),
    "stage": _stage,
    "contracted": json_codec.flag,
    "migrations": json_codec.each(json_codec.text),
    "service_settings": _service_settings,
}
"""What `as_json` writes."""
