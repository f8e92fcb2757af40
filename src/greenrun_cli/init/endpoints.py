"""The rows of a feature's tables: what was seen first, then what procedures expect."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from greenrun_cli.init.facts import Call, Facts
from greenrun_cli.init.observation import Answer, Observation, budget_milliseconds

Rows = list[list[str]]

_HEAD = ["request", "sends", "status", "headers", "body", "requests", "p95 at most"]
_OF_THE_RUNTIME = ("process_", "python_", "go_", "nodejs_", "jvm_", "promhttp_")
_MOST = 5
_USER_LEAST, _CANARY_LEAST = 500, {"p95 latency": 1000, "p99 latency": 2000}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Everything that features say about requests."""

    facts: Facts
    seen: Observation | None

    @property
    def rows(self) -> Rows:
        """What the candidate has to answer; of what nobody knows, that `/` answers."""
        body = [*self._seen_rows(), *self._called_rows()]
        return [_HEAD, *(body or [["GET /", "", "", "", "", "", ""]])]

    def _seen_rows(self) -> Iterator[list[str]]:
        asked = [each for each in (self.seen.answers if self.seen else ()) if each.method == "GET"]
        found = [each for each in asked if each.status != 404 and each.status < 500]
        yield from map(self._row, found or asked[:1])

    @staticmethod
    def _row(answer: Answer) -> list[str]:
        limit = budget_milliseconds(answer.slowest, _USER_LEAST)
        return [
            answer.request,
            answer.sends,
            "" if answer.status == 200 else str(answer.status),
            f"content-type ~ {answer.content_type}" if answer.content_type else "",
            "; ".join(answer.promises),
            "20",
            f"{limit} ms",
        ]

    def _called_rows(self) -> Iterator[list[str]]:
        """What nobody has seen yet: all that procedures ask, where nothing was observed."""
        if self.seen is None:
            for call in self._called:
                if call.changes_nothing:
                    status = "" if call.status in {None, 200} else str(call.status)
                    yield [call.request, "", status, "", "; ".join(call.promises), "", ""]

    @property
    def _called(self) -> Sequence[Call]:
        """Each request once, with all that is expected of it anywhere."""
        found: dict[tuple[str, str], Call] = {}
        for call in self.facts.calls:
            before = found.get((call.request, call.sends), call)
            promises = tuple(dict.fromkeys((*before.promises, *call.promises)))
            status = before.status or call.status
            found[call.request, call.sends] = replace(before, promises=promises, status=status)
        return list(found.values())

    @property
    def aside(self) -> Sequence[str]:
        """What procedures expect, and was not seen: a comment each, for people to settle."""
        return [] if self.seen is None else list(self._contradicted())

    def _contradicted(self) -> Iterator[str]:
        assert self.seen is not None  # noqa: S101 - the caller has looked
        for call in self._called:
            answer = self.seen.answer(call.method, call.path, call.sends)
            if why := self._difference(call, answer):
                yield f"{call.place}: {call.request}: {why}"

    def _difference(self, call: Call, answer: Answer | None) -> str:
        if self.seen is not None and call.path == self.seen.metrics_path:
            return ""
        if answer is None:
            return "was not answered, or each time differently"
        wanted = call.status or 200
        if answer.status != wanted:
            return f"got {answer.status}, the procedure expects {wanted}"
        broken = [each for each in call.promises if each not in answer.promises]
        return f"did not hold: {'; '.join(broken)}" if broken else ""

    @property
    def strangers(self) -> Rows:
        """Who is let in, where IAM decides it."""
        if self.facts.text("deploy.allow-unauthenticated") == "True" or self.seen is None:
            return []
        paths = [each.path for each in self.seen.answers if each.is_good]
        rows = [[f"GET {path}", "nobody", "403"] for path in paths[:1]]
        return [["request", "as", "status"], *rows] if rows else []

    @property
    def pushed(self) -> Rows:
        """What changes something, and is asked in a rehearsal alone."""
        if self.seen is None:
            told = [each for each in self._called if not each.changes_nothing]
            rows = [
                [each.request, each.sends, str(each.status or ""), "; ".join(each.promises)]
                for each in told
            ]
        else:
            rows = [
                [each.request, each.sends, str(each.status), "; ".join(each.promises)]
                for each in self.seen.answers
                if each.method not in {"GET", "HEAD"} and self._is_wanted(each)
            ]
        return [["request", "sends", "status", "body"], *rows] if rows else []

    def _is_wanted(self, answer: Answer) -> bool:
        """True unless a procedure expects another status."""
        calls = [each for each in self._called if each.request == answer.request]
        return all((each.status or 200) == answer.status for each in calls)

    @property
    def of_the_service(self) -> Rows:
        """What users meet once it is promoted: the first rows, without their limits."""
        picked = [row for row in self.rows[1:] if not row[1]][:3]
        return [_HEAD, *([*row[:5], "", ""] for row in picked)]

    @property
    def objectives(self) -> Rows:
        """Generous limits of the canary; what it compares is the baseline."""
        slowest = self.seen.slowest if self.seen else timedelta()
        limits = {
            name: budget_milliseconds(slowest, least) for name, least in _CANARY_LEAST.items()
        }
        rows = [[name, f"{limit} ms"] for name, limit in limits.items()]
        return [["measure", "at most"], ["error rate", "5 %"], *rows]

    @property
    def families(self) -> Rows:
        """Metrics that are there from the start."""
        found = self.seen.families if self.seen else ()
        wanted = [prefix for call in self.facts.calls for prefix in call.families]
        held = [each for each in wanted if any(name.startswith(each) for name, _ in found)]
        own = [(name, kind) for name, kind in found if not name.startswith(_OF_THE_RUNTIME)]
        rows = [*([name, kind] for name, kind in own[:_MOST]), *([prefix, ""] for prefix in held)]
        return [["family", "type"], *rows] if rows else []
