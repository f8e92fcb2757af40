"""What the tags of a scenario mean for its place in a release."""

from collections.abc import Sequence
from difflib import get_close_matches
from enum import IntEnum

from greenrun.model.plan import REHEARSAL

MEANINGS = {
    "rehearsal": "only on this machine",
    "cloud": "not on this machine",
    "drill": "a rehearsal of a failure: only on this machine, independent of the release",
    "way-back": "runs when the release of its environment was stopped, or when asked for alone",
    "record": "always runs, last of its environment",
    "plan": "runs with --plan, too, which runs nothing else",
    "delete-candidate": "part of the way back, with --delete-candidate alone",
    "scale-to-zero": "for emergencies, with --scale-to-zero alone",
}

ON_REQUEST = frozenset({"delete-candidate", "scale-to-zero"})
"""What has these tags runs when the option of the same name was given, and is of the way back."""


class Kind(IntEnum):
    """What a scenario is to the release, in the order in which an environment runs them."""

    FORWARD = 0
    DRILL = 1
    WAY_BACK = 2
    RECORD = 3

    @property
    def rank(self) -> int:
        """Drills stand among the scenarios of their feature; the other kinds come after."""
        return max(self, Kind.DRILL)


def kind(tags: frozenset[str]) -> Kind:
    """The kind that tags ask for."""
    if "record" in tags:
        return Kind.RECORD
    if "way-back" in tags or tags & ON_REQUEST:
        return Kind.WAY_BACK
    return Kind.DRILL if "drill" in tags else Kind.FORWARD


def environments(tags: frozenset[str], stop_policy: Sequence[str]) -> list[str]:
    """The environments of a run that a scenario belongs to."""
    local_only = bool(tags & {"rehearsal", "drill"})
    return [
        name
        for name in stop_policy
        if not (local_only and name != REHEARSAL) and not ("cloud" in tags and name == REHEARSAL)
    ]


def nearest(word: str, known: Sequence[str], cutoff: float = 0.5) -> str:
    """The known word that was probably meant, or nothing; with a cutoff of 1, only itself."""
    return next(iter(get_close_matches(word, known, n=1, cutoff=cutoff)), "")
