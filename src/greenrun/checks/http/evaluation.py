"""What the answers to a table come to, in its order."""

from collections.abc import Sequence

from greenrun.checks.http import Expectation, Responses, Schema
from greenrun.checks.http.responses import milliseconds
from greenrun.checks.http.runner import Asked
from greenrun.model.errors import CallFailed, DeadlineExceeded, GateClosed

_EXCERPT = 160
"""Characters of a refusal that a message quotes."""

_KEPT = 2000, 200_000
"""Characters of bodies in the evidence: of each, and of all."""

_TOLD = 50
"""Lines that a message has; the evidence has them all."""

_WHERE_TO_LOOK = "the report holds the answers and the revision's log, below this sentence"


class Judgement:
    """Every row with what it got, judged when the last one has its answers."""

    def __init__(self, asked: Sequence[Asked], schemas: dict[str, Schema]) -> None:
        self._asked = asked
        self._broken = [_broken(one, schemas.get(one.row.schema)) for one in asked]

    def __str__(self) -> str:
        """The evidence: requests and answers."""
        excerpt = min(_KEPT[0], _KEPT[1] // max(1, len(self._asked)))
        each = zip(self._asked, self._broken, strict=True)
        return "\n".join(_guard(one, broken, excerpt) for one, broken in each)

    def stop_if_broken(self) -> None:
        """Raise what it comes to, with everything that is wrong in one message.

        Raises:
            GateClosed: a promise was broken, or only some of the requests were answered.
            CallFailed: no request was answered.
            DeadlineExceeded: time was up, and nothing else is wrong.
        """
        troubles = [one.trouble for one in self._asked if one.trouble]
        wrong = _cut([line for lines in self._broken for line in lines])
        if not wrong:
            return
        silent = any(not isinstance(trouble, DeadlineExceeded) for trouble in troubles)
        answered = [bool(one.answers) for one in self._asked]
        broken = any(it and lines for it, lines in zip(answered, self._broken, strict=True))
        if broken or (silent and any(answered)):
            raise GateClosed(wrong, hint=_WHERE_TO_LOOK)
        if silent:
            raise CallFailed(wrong)
        raise troubles[0]


def _cut(lines: Sequence[str]) -> str:
    more = len(lines) - _TOLD
    return "\n".join([*lines[:_TOLD], *([f"and {more} more, in the report"] if more > 0 else [])])


def _broken(asked: Asked, schema: Schema | None) -> list[str]:
    """Each broken promise, and what a refusal said for itself."""
    if asked.answers is None:
        return [asked.trouble.message] if asked.trouble else []
    row = asked.row
    found = [f"{row}: {text}" for text in row.broken_by(asked.answers, schema)]
    expected = {*row.statuses, 503}
    refused = (answer.body for answer in asked.answers.each if answer.status not in expected)
    if found and (said := next(refused, "")):
        found.append(f"  it said: {said[:_EXCERPT]}")
    return found


def _guard(asked: Asked, broken: Sequence[str], excerpt: int) -> str:
    # Never cut here: what is redacted later must still be whole then.
    sent = (f"  {line}" for line in asked.row.sends.told())
    lines = [str(asked.row), *sent, *(f"  broken: {line}" for line in broken)]
    if asked.answers is not None:
        last = asked.answers.each[-1]
        lines += [f"  {last.status}, {_latency(asked.row, asked.answers)}"]
        lines += [f"  {last.body[:excerpt]}"]
    return "\n".join(lines)


def _latency(row: Expectation, answers: Responses) -> str:
    if not row.latency:
        return f"in {milliseconds(answers.measured[-1].latency)}"
    *lower, highest = sorted({50, 95, *(limit.percent for limit in row.latency)})
    short = [f"p{percent} {milliseconds(answers.latency(percent))}" for percent in lower]
    return ", ".join((*short, answers.told(highest)))
