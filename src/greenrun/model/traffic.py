"""Who serves: the traffic split of a service."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

LATEST = ""
"""The target that follows the latest ready revision instead of naming one."""


@dataclass(frozen=True, slots=True)
class Target:
    """One entry of a split: a revision by its short name, its share in whole percent, its tag."""

    revision: str
    percent: int = 0
    tag: str = ""

    def __str__(self) -> str:
        name = self.revision or "LATEST"
        return f"{self.percent} % {name}" + (f" (revision tag {self.tag})" if self.tag else "")


@dataclass(frozen=True, slots=True)
class TrafficSplit:
    """An ordered list of targets; a revision may stand in one for its share and in one per tag."""

    targets: tuple[Target, ...] = ()

    @classmethod
    def all_to(cls, revision: str) -> "TrafficSplit":
        """Every request to one revision."""
        return cls((Target(revision, 100),))

    def __iter__(self) -> Iterator[Target]:
        return iter(self.targets)

    def __str__(self) -> str:
        return ", ".join(map(str, self.targets)) or "no traffic"

    def share(self, revision: str) -> int:
        """The whole percents that reach a revision, over all its targets."""
        return sum(target.percent for target in self.targets if target.revision == revision)

    @property
    def serving(self) -> dict[str, int]:
        """Shares of the revisions that users reach; tag-only targets are not among them."""
        return {target.revision: self.share(target.revision) for target in self if target.percent}

    def tagged(self, revision: str, tag: str) -> "TrafficSplit":
        """Return the same shares, with `tag` on `revision` and on nothing else."""
        return TrafficSplit((*self.without_tag(tag), Target(revision, 0, tag)))

    def without_tag(self, tag: str) -> "TrafficSplit":
        """Return the same shares, and every revision tag but this one."""
        kept = tuple(replace(one, tag="") if one.tag == tag else one for one in self)
        return TrafficSplit(tuple(one for one in kept if one.percent or one.tag))

    def shared(self, shares: dict[str, int]) -> "TrafficSplit":
        """These shares by name, and every revision tag as it was.

        Raises:
            ValueError: the shares do not add to 100, or one is below 0.
        """
        if any(percent < 0 for percent in shares.values()):
            raise ValueError(f"got shares of {shares}, needs none below 0 %")
        if sum(shares.values()) != 100:
            raise ValueError(f"shares of {shares} add to {sum(shares.values())} %, needs 100 %")
        named = tuple(Target(revision, percent) for revision, percent in shares.items() if percent)
        tags = tuple(replace(target, percent=0) for target in self if target.tag)
        return TrafficSplit(named + tags)

    def agrees_with(self, other: "TrafficSplit") -> bool:
        """True where both give every revision the same share."""
        return self.serving == other.serving

    def matches(self, other: "TrafficSplit") -> bool:
        """True where both give every revision the same share, and every revision tag its revision.

        The platform may list the same targets in another order.
        """
        return self.agrees_with(other) and self.tags == other.tags

    @property
    def tags(self) -> dict[str, str]:
        """Revision tags, each with the revision it stands for."""
        return {target.tag: target.revision for target in self if target.tag}

    def pinned(self, latest: str) -> "TrafficSplit":
        """The same split, with every LATEST replaced by the revision it stands for now."""
        return TrafficSplit(
            tuple(
                replace(target, revision=latest) if target.revision == LATEST else target
                for target in self
            )
        )
