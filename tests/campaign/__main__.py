"""The whole campaign: `python -m tests.campaign [MINUTES]`. Ends with 1 where a promise broke.

The minutes are for the faults of single calls, of which there are more than anybody waits for (4);
all else takes about ten more.
"""

import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import product

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.campaign import faults, figures, inputs, kills, ours, strangers
from tests.campaign.course import Outcome
from tests.campaign.life import Life
from tests.campaign.running import run

_LIVES, _STEPS = 8, 5
_INPUTS = 100_000


def main(minutes: str = "4") -> int:
    """Each part tells what it came to as soon as it has ended."""
    outcomes: list[Outcome] = []
    broken = [
        *_faults(outcomes, timedelta(minutes=float(minutes))),
        *_deaths(outcomes),
        *_strangers(outcomes),
        *_breakdowns(outcomes),
        *_lives(),
        *_inputs(),
    ]
    _say(figures.endings(outcomes), figures.rollback(outcomes), f"{len(broken)} broken", *broken)
    return 1 if broken else 0


def _faults(outcomes: list[Outcome], within: timedelta) -> Iterator[str]:
    calls = faults.recorded()
    cases = list(_every_fault(calls))
    found = list(run(faults.befall, cases, within))
    outcomes += [case.outcome for case in found]
    beta = sum(not case.struck for case in found)
    _say(figures.table(found))
    _say(f"faults: {len(found)} of {len(cases)}, of which {beta} met no call")
    yield from (str(case) for case in found if case.broken)


def _every_fault(calls: Mapping[str, int]) -> Iterator[faults.Fault]:
    """What tells most comes first; etags are strict and lax by turns."""
    first = [*faults.at_the_ends(calls), *faults.since_users_moved(calls)]
    for some in (first, list(faults.between_the_ends(calls))):
        random.Random(0).shuffle(some)
        yield from (replace(one, strict_etags=at % 2 == 0) for at, one in enumerate(some))


def _deaths(outcomes: list[Outcome]) -> Iterator[str]:
    found = list(run(lambda die: die(), list(_every_death())))
    outcomes += [death.outcome for death in found]
    longest = max(death.took for death in found).total_seconds()
    _say(f"kill -9: {len(found)}; the next release took {longest:.0f} s at most")
    yield from (str(death) for death in found if death.broken)


def _every_death() -> Iterator[Callable[[], kills.Death]]:
    entries = kills.entries_of_a_release()
    deployed = entries.index("deploy begun") + 1
    for number in range(1, len(entries) + 1):
        yield partial(kills.at_entry, number)
    for number in range(deployed, len(entries)):
        yield partial(kills.at_entry, number, resume=True)
    for ordinal, resume in product(range(1, 5), (False, True)):
        yield partial(kills.after_sending, "Services.UpdateService", ordinal, resume=resume)
    for ordinal in range(1, 5):
        yield partial(kills.after_sending, "Jobs.RunJob", ordinal)
    yield partial(kills.after_sending, "Jobs.CreateJob", 1)


def _strangers(outcomes: list[Outcome]) -> Iterator[str]:
    cases = list(product(strangers.KINDS, strangers.boundaries(), (True, False)))
    found = list(run(_meet, cases))
    outcomes += [meeting.outcome for meeting in found]
    _say(f"somebody else's changes: {len(found)}, {figures.endings(one.outcome for one in found)}")
    yield from (str(meeting) for meeting in found if meeting.broken)


def _breakdowns(outcomes: list[Outcome]) -> Iterator[str]:
    found = list(run(lambda case: ours.befall(*case), list(ours.every_case())))
    outcomes += [case.outcome for case in found]
    asked = sum(case.asked for case in found)
    ended = figures.endings(case.outcome for case in found)
    _say(f"what is ours breaks: {len(found)}, {asked} requests of an onlooker, {ended}")
    yield from (str(case) for case in found if case.broken)


def _meet(case: tuple[str, str, bool]) -> strangers.Meeting:
    kind, step, strict_etags = case
    return strangers.meet(kind, step, strict_etags=strict_etags)


def _lives() -> Sequence[str]:
    lived = settings(
        max_examples=_LIVES,
        stateful_step_count=_STEPS,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(Life, settings=lived)
    except Exception as error:  # noqa: BLE001 - whatever it was, the other parts are told, too
        return ["\n".join((f"a life broke: {error!r}", *getattr(error, "__notes__", ())))]
    _say(f"lives: {_LIVES} of {_STEPS} steps each")
    return ()


def _inputs() -> Iterator[str]:
    found = list(inputs.try_all(_INPUTS))
    _say(*map(str, found), f"malformed: {sum(tried.inputs for tried in found)} inputs")
    yield from (str(one) for tried in found for one in tried.broken)


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join((*lines, "", "")))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
