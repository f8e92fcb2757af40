"""Every check that a release can be asked for, by the sentence that a feature says of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from greenrun.model.errors import ReleaseError
from greenrun.model.interfaces import Dependencies
from greenrun.model.plan import Plan
from greenrun.model.source import Source
from greenrun.model.stats import SequentialTest
from greenrun.release.preflight import (
    canary_power,
    commands,
    credentials,
    dockerfile,
    engine,
    git_tree,
    references,
    rollback,
    secrets,
)
from greenrun.release.preflight.context import Doubt, Look, Scene


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `number` is the step of the procedure that it takes over."""

    number: str
    title: str
    look: Look


@dataclass(frozen=True, slots=True)
class Finding:
    """What stands in the way of a release, on one line."""

    check: Check
    doubt: Doubt

    def __str__(self) -> str:
        return f"{self.check.number} {self.doubt}"


_CHECKS = (
    Check("P1.2", "the container engine is recent enough", engine.recent),
    Check(
        "P1.4",
        "the Dockerfile makes an image that listens where requests arrive",
        dockerfile.listens,
    ),
    Check(
        "P1.5",
        "no secret stands in env.yaml or in what the image is built from",
        secrets.none_stands,
    ),
    Check("P1.8", "every secret that the service reads exists", references.readable),
    Check("P1.1", "the tree is clean, on its branch and in step with its remote", git_tree.in_step),
    Check("P1.1", "the expected commits are in", git_tree.holds_commits),
    Check("P1.7", "the quality gates pass", commands.pass_all),
    Check(
        "P1.3",
        "credentials exist, with every permission that the release needs",
        credentials.suffice,
    ),
    Check("P1.6", "one revision serves every user", rollback.at_rest),
    Check("P1.6", "the baseline could start again", rollback.startable),
    Check("P9.1", "every step of the canary could see a regression", canary_power.suffices),
)
KNOWN: Mapping[str, Check] = MappingProxyType({check.title: check for check in _CHECKS})


def findings(
    titles: Sequence[str],
    plan: Plan,
    dependencies: Dependencies,
    source: Source,
    trial: SequentialTest,
) -> tuple[Finding, ...]:
    """Make every check, whatever the others found; what was measured becomes evidence.

    A check that cannot be made is a finding. Nothing remote is changed.

    Raises:
        ReleaseError: there is no title, or one that no check has.
    """
    scene = Scene(plan, dependencies, source, trial)
    found = [finding for check in _named(titles) for finding in _made(check, scene)]
    dependencies.evidence.attach("preflight", "\n".join(scene.measured))
    return tuple(found)


def _named(titles: Sequence[str]) -> Sequence[Check]:
    unknown = [title for title in titles if title not in KNOWN]
    if unknown or not titles:
        got = "; ".join(unknown) or "no check"
        raise ReleaseError(f"preflight: got {got}, needs any of: {'; '.join(KNOWN)}")
    return [KNOWN[title] for title in titles]


def _made(check: Check, scene: Scene) -> Iterator[Finding]:
    scene.dependencies.progress.report(f"{check.number} {check.title}")
    try:
        for doubt in check.look(scene):
            yield Finding(check, doubt)
    except ReleaseError as error:
        yield Finding(check, Doubt(f"{check.title}: {error.message}", error.hint))
