"""The quick part of the campaign, chosen by hand; `python -m tests.campaign` is all of it."""

from collections.abc import Callable
from functools import partial

from hypothesis import HealthCheck, Phase, settings

from tests.campaign import faults, kills, ours, strangers
from tests.campaign.course import Ending
from tests.campaign.faults import FOR_GOOD, Fault
from tests.campaign.life import Life
from tests.campaign.programs import FAILING, HEALTHY
from tests.campaign.running import run

RED, PERSON, RELEASED = Ending.NOT_RELEASED, Ending.NEEDS_PERSON, Ending.RELEASED

UPDATE, READ = "Services.UpdateService", "Services.GetService"
FAULTS = {
    Fault(UPDATE, "UNAVAILABLE", 1): RELEASED,
    Fault(UPDATE, "reply lost", 2, strict_etags=False): RELEASED,
    Fault(UPDATE, "reply lost", 4): RELEASED,
    Fault(UPDATE, "operation never done", 3): RELEASED,
    Fault(UPDATE, "operation never begun", 2): RED,
    Fault(UPDATE, "PERMISSION_DENIED", 3): RED,
    Fault(UPDATE, "ABORTED", FOR_GOOD): RED,
    Fault(UPDATE, "PERMISSION_DENIED", FOR_GOOD, "promote"): PERSON,
    Fault(READ, "stale", 3, strict_etags=False): RELEASED,
    Fault(READ, "DEADLINE_EXCEEDED", 30): RELEASED,
    Fault("Jobs.CreateJob", "reply lost", 1): RELEASED,
    Fault("Jobs.RunJob", "reply lost", 2): RELEASED,
    Fault("Jobs.RunJob", "RESOURCE_EXHAUSTED", 2): RELEASED,
    Fault("Jobs.UpdateJob", "PERMISSION_DENIED", FOR_GOOD): RED,
    Fault("Jobs.ListJobs", "PERMISSION_DENIED", 12): RED,
    Fault("MetricService.ListTimeSeries", "UNAVAILABLE", 1): RELEASED,
    Fault("MetricService.ListTimeSeries", "PERMISSION_DENIED", FOR_GOOD): RED,
    Fault("LoggingServiceV2.ListLogEntries", "PERMISSION_DENIED", FOR_GOOD, "canary"): PERSON,
    Fault("Operations.GetOperation", "PERMISSION_DENIED", FOR_GOOD): RELEASED,
}
"""Each with how a release that meets it ends."""

DEATHS: dict[str, Callable[[], kills.Death]] = {
    "before the baseline is known": partial(kills.at_entry, 1),
    "while its migration runs": partial(kills.after_sending, "Jobs.RunJob", 2),
    "while it deploys": partial(kills.after_sending, UPDATE, 1),
    "while users move": partial(kills.at_entry, 19),
    "after users have moved": partial(kills.after_sending, UPDATE, 2, resume=True),
    "while it promotes": partial(kills.at_entry, 25),
}
MEETINGS = (
    partial(strangers.meet, strangers.DEPLOYS, "deploy", strict_etags=False),
    partial(strangers.meet, strangers.DEPLOYS, "promote"),
    partial(strangers.meet, strangers.MOVES, "deploy"),
    partial(strangers.meet, strangers.MOVES, "promote", strict_etags=False),
    partial(strangers.meet, strangers.TAGS, "canary"),
    partial(strangers.meet, strangers.TAGS, "promote", strict_etags=False),
)

BREAKDOWNS = (
    partial(ours.befall, FAILING, ours.USERS_MOVE, ours.fills_the_disk, ours.closes_the_terminal),
    partial(ours.befall, FAILING, ours.USERS_MOVE, ours.makes_the_journal_a_folder),
    partial(ours.befall, FAILING, ours.USERS_MOVE, ours.turns_the_clock_back),
    partial(ours.befall, FAILING, ours.USERS_MOVE, ours.deletes_the_lock, ours.uses_up_the_memory),
    partial(ours.befall, FAILING, ours.USERS_MOVE, ours.garbles_the_lock),
    partial(ours.befall, FAILING, ours.USERS_MOVE, ours.interrupts),
    partial(ours.befall, HEALTHY, "promote", ours.fills_the_disk, ours.leaves_a_foreign_lock),
)


def test_whatever_call_fails_a_release_succeeds_or_production_is_as_before() -> None:
    cases = list(run(faults.befall, list(FAULTS)))
    assert [str(case) for case in cases if case.broken] == []
    assert {case.fault: case.outcome.ending for case in cases} == FAULTS
    assert [str(case.fault) for case in cases if not case.struck] == []


def test_whoever_comes_after_a_killed_release_restores_or_goes_on() -> None:
    deaths = list(run(lambda die: die(), list(DEATHS.values())))
    assert [str(death) for death in deaths if death.broken] == []


def test_nothing_of_ours_that_breaks_keeps_users_on_a_candidate_that_did_not_pass() -> None:
    cases = list(run(lambda befall: befall(), BREAKDOWNS))
    assert [str(case) for case in cases if case.broken] == []
    assert {case.outcome.ending for case in cases} == {RED}
    assert all(case.asked for case in cases)


def test_nothing_of_other_people_is_overwritten() -> None:
    meetings = list(run(lambda meet: meet(), MEETINGS))
    assert [str(meeting) for meeting in meetings if meeting.broken] == []


@settings(
    max_examples=2,
    stateful_step_count=4,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
class QuickLife(Life):
    """Few and short ones."""


TestLife = QuickLife.TestCase
