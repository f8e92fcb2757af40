"""Every check that a release can be asked for, by the sentence that a feature says of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from greenrun.model.errors import ReleaseError
from greenrun.release.preflight import (
    canary,
    git_tree,
    image,
    permissions,
    quality_gates,
    rollback,
    settings,
)
from greenrun.release.preflight.context import CheckFunction, Context, Problem


@dataclass(frozen=True, slots=True)
class Check:
    """A check, by the sentence that a feature says of it."""

    title: str
    check: CheckFunction


_CHECKS = (
    Check("the container engine is recent enough", image.engine_is_recent),
    Check("everything that the image is built from is there", image.sources_are_there),
    Check(
        "neither env.yaml nor what the image is built from contains a secret",
        settings.none_stands,
    ),
    Check("every secret that the service reads exists", settings.readable),
    Check("the tree is clean, on its branch and in step with its remote", git_tree.in_step),
    Check("the expected commits are in", git_tree.holds_commits),
    Check("the quality gates pass", quality_gates.pass_all),
    Check(
        "credentials exist, with every permission that the release needs",
        permissions.suffice,
    ),
    Check("nobody else releases the service", rollback.alone),
    Check("the service can be reached by those who should reach it", rollback.reachable),
    Check("one revision serves every user", rollback.at_rest),
    Check("the baseline could start again", rollback.startable),
    Check("every probe of the canary is answered as it should be", canary.answers_probes),
    Check("every step of the canary could see a regression", canary.has_power),
)
_ALWAYS = Check("the candidate keeps what the baseline has", rollback.kept)
"""No sentence asks for it, as none may leave it out."""
KNOWN: Mapping[str, Check] = MappingProxyType({check.title: check for check in _CHECKS})


def find_problems(titles: Sequence[str], context: Context) -> tuple[Problem, ...]:
    """Make every check, whatever the others found; what was measured becomes evidence.

    A check that cannot be made is a problem. Nothing remote is changed.

    Raises:
        ReleaseError: there is no title, or one that no check has.
    """
    found = [
        problem for check in (*_named(titles), _ALWAYS) for problem in _performed(check, context)
    ]
    context.dependencies.evidence.attach("preflight", "\n".join(context.measured))
    return tuple(found)


def _named(titles: Sequence[str]) -> Sequence[Check]:
    unknown = [title for title in titles if title not in KNOWN]
    if unknown or not titles:
        got = "; ".join(unknown) or "no check"
        raise ReleaseError(f"preflight: got {got}, needs any of: {'; '.join(KNOWN)}")
    return [KNOWN[title] for title in titles]


def _performed(check: Check, context: Context) -> Iterator[Problem]:
    context.dependencies.progress.report(check.title)
    try:
        yield from check.check(context)
    except ReleaseError as error:
        yield Problem(f"{check.title}: {error.message}", error.hint)
