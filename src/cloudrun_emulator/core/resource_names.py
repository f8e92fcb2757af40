"""Resource names: their shape, their parts, and the refusals that name them."""

import re
from dataclasses import dataclass
from typing import Self

from grpc import StatusCode

from cloudrun_emulator.core.errors import CloudError

_PARENT = re.compile(r"projects/(?P<project>[^/]+)/locations/(?P<region>[^/]+)")


def invalid(message: str) -> CloudError:
    """An INVALID_ARGUMENT to raise."""
    return CloudError(StatusCode.INVALID_ARGUMENT, message)


@dataclass(frozen=True, slots=True)
class Location:
    """The parent of resources: `projects/PROJECT/locations/REGION`."""

    project: str
    region: str

    @classmethod
    def parse(cls, parent: str) -> Self:
        """Raise INVALID_ARGUMENT for anything but a project and a location."""
        match = _PARENT.fullmatch(parent)
        if match is None:
            raise invalid(f"Expected projects/PROJECT/locations/LOCATION, got '{parent}'.")
        return cls(match["project"], match["region"])

    def __str__(self) -> str:
        return f"projects/{self.project}/locations/{self.region}"


@dataclass(frozen=True, slots=True)
class ResourceName:
    """A full name: a location, then pairs of a collection and an id, outermost first."""

    location: Location
    path: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, name: str, *collections: str) -> Self:
        """`parse(name, "services", "revisions")`; raises INVALID_ARGUMENT for another shape."""
        parts = name.split("/")
        pairs = tuple(zip(parts[4::2], parts[5::2], strict=False))
        shaped = len(parts) == 4 + 2 * len(collections) and all(parts)
        if not shaped or tuple(collection for collection, _ in pairs) != collections:
            pattern = "/".join(f"{collection}/*" for collection in collections)
            raise invalid(f"Expected projects/*/locations/*/{pattern}, got '{name}'.")
        return cls(Location.parse("/".join(parts[:4])), pairs)

    @property
    def id(self) -> str:
        """The last part: the short name."""
        return self.path[-1][1]

    @property
    def parent(self) -> str:
        """The name of what holds this resource."""
        above = "".join(f"/{collection}/{id_}" for collection, id_ in self.path[:-1])
        return f"{self.location}{above}"

    @property
    def kind(self) -> str:
        """The word of messages for it: SERVICE, REVISION, JOB."""
        return self.path[-1][0].removesuffix("s").upper()

    def __str__(self) -> str:
        return f"{self.parent}/{self.path[-1][0]}/{self.id}"

    def missing(self) -> CloudError:
        """The NOT_FOUND to raise, worded as Cloud Run words it."""
        return CloudError(
            StatusCode.NOT_FOUND,
            f"Resource '{self.id}' of kind '{self.kind}' in region '{self.location.region}' "
            f"in project '{self.location.project}' does not exist.",
        )

    def taken(self) -> CloudError:
        """The ALREADY_EXISTS to raise, worded as Cloud Run words it."""
        return CloudError(StatusCode.ALREADY_EXISTS, f"Resource '{self.id}' already exists.")


def short(name: str) -> str:
    """The last part of a full name; a short name is itself."""
    return name.rpartition("/")[2]
