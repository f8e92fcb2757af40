"""Revisions, and the settings that make them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from greenrun.model.revision.rows import Difference, Flag, Settings, flags_of
from greenrun.model.revision.settings import (
    ContainerProbe,
    ContainerSettings,
    RevisionSettings,
    ServiceSettings,
    Sidecar,
    Volume,
)
from greenrun.model.revision.values import SecretReference

__all__ = [
    "FLAGS",
    "NOTHING_SAID",
    "ContainerProbe",
    "ContainerSettings",
    "Difference",
    "Flag",
    "Readiness",
    "Revision",
    "RevisionSettings",
    "SecretReference",
    "ServiceSettings",
    "Settings",
    "Sidecar",
    "Volume",
    "flags_of",
]

FLAGS = (*flags_of(RevisionSettings), *flags_of(ServiceSettings))
NOTHING_SAID = ServiceSettings()


class Readiness(Enum):
    """The platform's account of a revision or a service."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision as the platform describes it.

    One without traffic is READY too, with reason RETIRED. That proves no start: where the platform
    does not say that its container was healthy, only an answer of it does. `others` are settings
    that no flag knows, by their place in the template.
    """

    name: str
    image: str
    readiness: Readiness
    settings: RevisionSettings = field(repr=False)
    reason: str = ""
    message: str = ""
    others: Mapping[str, str] = field(default_factory=dict, repr=False)
