"""What a service counts of itself, and exposes to Prometheus at a URL of its own."""

from collections.abc import Sequence
from datetime import timedelta

from greenrun.checks.metrics.exposition import Exposition
from greenrun.checks.metrics.objectives import FamilyPromise, Objective, Rise
from greenrun.model.errors import GateClosed
from greenrun.model.objective import Verdict
from greenrun.model.polling import polls
from greenrun.release.release import Release

_SETTLED_WITHIN = timedelta(seconds=10)
"""Until what was asked for is counted, and the instance that was read before answers again."""

_ONE_INSTANCE = (
    "each instance counts for itself; while counters are compared, let one alone answer, "
    "or leave this sentence out"
)


class OwnMetrics:
    """A service's own metrics: as they stood when first read, and as they are."""

    def __init__(self, release: Release, url: str) -> None:
        self._roles, self._prober = release.dependencies, release.prober
        self._url = url
        self._before = self._read()

    def __repr__(self) -> str:
        return f"<{len(self._before.families)} metric families at {self._url}>"

    def have_families(self, fewest: int, promised: Sequence[FamilyPromise]) -> None:
        """There are so many families, and those that are promised are among them."""
        told = self._read()
        self._roles.evidence.attach("metric families", "\n".join(map(str, told.families)))
        broken = [text for promise in promised if (text := promise.broken_by(told))]
        if len(told.families) < fewest:
            broken.insert(0, f"got {len(told.families)} families, needs at least {fewest}")
        self._close_on(broken)

    def have_risen(self, rises: Sequence[Rise]) -> None:
        """Each counter has risen since the first reading, in the process that told it then.

        Raises:
            GateClosed: it has not, or another process answered at every look.
        """
        before, after = self._before, self._before
        broken: Sequence[str] = ()
        for _ in polls(self._roles.clock, _SETTLED_WITHIN):
            after = self._read()
            broken = [text for rise in rises if (text := rise.broken_by(before, after))]
            if not broken and after.is_of_the_process(before):
                break
        self._tell_rises(rises, after)
        if not after.is_of_the_process(before):
            raise GateClosed(self._another_process(), hint=_ONE_INSTANCE)
        self._close_on(broken)

    def keep(self, objectives: Sequence[Objective]) -> None:
        """Every objective is kept, and none of them for want of data."""
        told = self._read()
        found = [objective.judge(told) for objective in objectives]
        lines = [
            (f"{finding}{f': {reason}' if reason else ''}", finding.verdict)
            for finding, reason in found
        ]
        self._roles.evidence.attach(
            "objectives", "\n".join(f"{verdict.value}: {line}" for line, verdict in lines)
        )
        self._close_on([line for line, verdict in lines if verdict is not Verdict.PASS])

    def _read(self) -> Exposition:
        answer = self._prober.ask(self._url)
        if answer.status != 200:
            raise GateClosed(f"{self._url}: got status {answer.status}, needs 200 and metrics")
        try:
            told = Exposition.parse(answer.body, answer.headers.get("content-type", ""))
        except ValueError as error:
            excerpt = answer.body[:80]
            raise GateClosed(
                f"{self._url}: got {excerpt!r}, needs Prometheus text: {error}"
            ) from error
        if not told.families:
            raise GateClosed(f"{self._url}: got no metric at all, needs Prometheus text")
        return told

    def _tell_rises(self, rises: Sequence[Rise], after: Exposition) -> None:
        lines = (
            f"{rise.counter}: {self._before.value(rise.counter):g} to {after.value(rise.counter):g}"
            for rise in rises
        )
        self._roles.evidence.attach("counters before and after", "\n".join(lines))

    def _another_process(self) -> str:
        return (
            f"{self._url}: got counters of another instance, or of one that began anew, at every "
            f"look for {_SETTLED_WITHIN.total_seconds():g} s; needs the instance that was read "
            "before"
        )

    def _close_on(self, broken: Sequence[str]) -> None:
        if broken:
            raise GateClosed("\n".join(f"{self._url}: {text}" for text in broken))
