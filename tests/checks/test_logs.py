"""A log is judged by severity and by what looks like an error, since the deploy."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from greenrun.checks import logs as log_checks
from greenrun.checks.logs import PATTERNS, LinearPattern
from greenrun.model.errors import GateClosed, ReleaseError
from greenrun.model.image import Source
from greenrun.model.interfaces import Dependencies, HttpResponse, LogEntry, NewRevision, Timeout
from greenrun.model.lease import LeaseHolder
from greenrun.model.plan import BuildPlan, Location, Plan
from greenrun.model.revision import RevisionSettings
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.coordination.journal import Journal
from greenrun.release.coordination.lock import Lock
from greenrun.release.release import Release
from tests.checks.deployed import deploy
from tests.dependencies import fake_roles
from tests.fakes import FakeClock, FakeLogs, FakePlatform, FakeWeb, MemoryEvidence

CANDIDATE = "shop-20261121-080000"
TIME = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
STARTED = LogEntry(TIME, "INFO", "Application startup complete")


def patterns(*texts: str) -> Sequence[LinearPattern]:
    return PATTERNS.read([["pattern"], *([text] for text in texts)])


class LateLogs(FakeLogs):
    """Entries of which none is found before it is due; counts how often it was asked."""

    clock: FakeClock
    due: datetime
    looks = 0

    def of_revision(self, name: str) -> Sequence[LogEntry]:
        self.looks += 1
        return self.entries[name] if self.clock.now() >= self.due else ()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def logs(clock: FakeClock) -> LateLogs:
    logs = LateLogs(lambda: [CANDIDATE])
    logs.clock, logs.due = clock, clock.now()
    return logs


@pytest.fixture
def evidence() -> MemoryEvidence:
    return MemoryEvidence()


@pytest.fixture
def dependencies(clock: FakeClock, logs: LateLogs, evidence: MemoryEvidence) -> Dependencies:
    web = FakeWeb({"/": HttpResponse(200, {}, "{}", timedelta(milliseconds=5))})
    platform = FakePlatform("shop")
    baseline = NewRevision("shop-baseline", "x", RevisionSettings())
    platform.create(baseline, Timeout(timedelta(seconds=1)))
    return fake_roles("shop", clock=clock, logs=logs, evidence=evidence, web=web, platform=platform)


@pytest.fixture
def release(dependencies: Dependencies, tmp_path: Path) -> Iterator[Release]:
    place, build = Location("rehearsal", "europe-west1"), BuildPlan("registry.test/shop")
    plan = Plan("shop", "local", place, build, RevisionSettings())
    owner = LeaseHolder("somebody@example.com", "here", 1, "a run")
    lock = Lock("shop", owner, dependencies.leases, dependencies.clock, timedelta(hours=1))
    journal = Journal(tmp_path / "journal.jsonl", dependencies.clock)
    guard = ChangeGuard(journal, lock, "a run", dependencies.progress)
    identities = {"a user": {"authorization": "Bearer x"}}
    release = Release(plan, dependencies, guard, identities, Source(tmp_path, "c0ffee"))
    yield deploy(release)
    lock.release()


def said(logs: LateLogs, *told: tuple[str, str]) -> None:
    """The candidate has started well, and said this afterwards."""
    logs.entries[CANDIDATE] = [STARTED, *(LogEntry(TIME, *each) for each in told)]


def test_a_start_without_errors_passes(release: Release, logs: LateLogs) -> None:
    said(logs, ("WARNING", "the cache is cold"), ("DEFAULT", "LOG_LEVEL=ERROR"))
    log_checks.has_lines(release, ["startup complete"])
    log_checks.no_errors(release)


def test_lines_that_come_late_are_waited_for(
    release: Release, logs: LateLogs, clock: FakeClock, evidence: MemoryEvidence
) -> None:
    said(logs)
    logs.due = clock.now() + timedelta(seconds=50)
    log_checks.has_lines(release, ["startup complete"])
    assert evidence.kept["log of the candidate"] == (
        "         08:00:00.000000 INFO     Application startup complete"
    )


def test_lines_that_never_come_close_the_gate_at_the_deadline(
    release: Release, logs: LateLogs, clock: FakeClock
) -> None:
    begun = clock.now()
    said(logs)
    with pytest.raises(GateClosed) as closed:
        log_checks.has_lines(release, ["Worker 0", "startup complete", "Worker 1"])
    assert str(closed.value) == (
        f"log of {CANDIDATE}: got no line 'Worker 0', 'Worker 1' within 60 s"
    )
    assert clock.now() - begun == timedelta(seconds=60)


def test_a_log_is_not_read_more_often_than_its_quota_allows(
    release: Release, logs: LateLogs
) -> None:
    with pytest.raises(GateClosed):
        log_checks.has_lines(release, ["never said"])
    assert logs.looks <= 40


@pytest.mark.parametrize(
    ("severity", "text"),
    [
        ("ERROR", "it went wrong"),
        ("CRITICAL", "it went wrong"),
        ("ALERT", "it went wrong"),
        ("EMERGENCY", "it went wrong"),
        ("INFO", "SQL error: no such column: usd (GET /api)"),
        ("WARNING", "sqlite3.OperationalError: database is locked"),
        ("DEFAULT", "psycopg.errors.UndefinedColumn: column costs.usd"),
        ("DEFAULT", "sqlalchemy.exc.NoResultFound"),
        ("DEBUG", 'relation "costs" does not exist'),
        ("INFO", "retrying after IntegrityError"),
        ("DEFAULT", "ERROR:    Exception in ASGI application"),
        ("DEFAULT", "2026-11-21 08:00:00,123 CRITICAL out of disk"),
        ("DEFAULT", "[2026-11-21T08:00:00.123Z] ERROR out of disk"),
        ("DEFAULT", "Traceback (most recent call last):"),
    ],
)
def test_an_error_closes_the_gate(
    release: Release, logs: LateLogs, severity: str, text: str
) -> None:
    said(logs, (severity, text), (severity, text))
    with pytest.raises(GateClosed) as closed:
        log_checks.no_errors(release)
    assert str(closed.value) == (
        f"log of {CANDIDATE}: got 2 errors, needs none; the first is\n"
        f"  08:00:00.000000 {severity:<8} {text}"
    )


@pytest.mark.parametrize(
    ("severity", "text"),
    [
        ("WARNING", "an ERROR of before was mended"),
        ("INFO", "ERROR is what this line is about, and it says of itself that it is none"),
        ("DEFAULT", "0 errors found"),
        ("DEFAULT", "errors: none; TERROR and mirrors"),
        ("DEFAULT", "SELECT * FROM errors"),
        ("NOTICE", "connected by sqlalchemy 2.0"),
    ],
)
def test_what_merely_speaks_of_errors_is_none(
    release: Release, logs: LateLogs, severity: str, text: str
) -> None:
    said(logs, (severity, text))
    log_checks.no_errors(release)


def test_allowed_errors_pass_and_are_marked(
    release: Release, logs: LateLogs, evidence: MemoryEvidence
) -> None:
    said(logs, ("ERROR", "cannot reach mail: 421"), ("INFO", "mail is off"))
    log_checks.no_errors(release, patterns(r"reach mail: \d+$"))
    assert evidence.kept["log of the candidate"] == (
        "         08:00:00.000000 INFO     Application startup complete\n"
        "allowed  08:00:00.000000 ERROR    cannot reach mail: 421\n"
        "         08:00:00.000000 INFO     mail is off"
    )


def test_an_allowed_error_excuses_no_other(
    release: Release, logs: LateLogs, evidence: MemoryEvidence
) -> None:
    said(logs, ("ERROR", "cannot reach mail: 421"), ("ERROR", "cannot reach the database"))
    with pytest.raises(GateClosed, match=r"got 1 errors.*\n.*cannot reach the database"):
        log_checks.no_errors(release, patterns("reach mail", "never met"))
    assert "error    08:00:00.000000 ERROR    cannot reach the database" in str(
        evidence.kept["log of the candidate"]
    )


def test_a_long_log_is_kept_readable_and_its_errors_whole(
    release: Release, logs: LateLogs, evidence: MemoryEvidence
) -> None:
    said(logs, *[("INFO", "chatter")] * 3000, ("ERROR", "the last word"))
    with pytest.raises(GateClosed):
        log_checks.no_errors(release)
    *_, error, rest = str(evidence.kept["log of the candidate"]).splitlines()
    assert error.endswith("the last word")
    assert rest == "2001 more entries are of no concern"


def test_an_empty_log_is_no_proof(release: Release, evidence: MemoryEvidence) -> None:
    with pytest.raises(GateClosed, match="got nothing, needs a log to judge by"):
        log_checks.no_errors(release)
    assert evidence.kept["log of the candidate"] == "nothing"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "(",
            r"row 2: pattern: got '\(', needs a regular expression as RE2 reads it \(missing \)",
        ),
        ("(?=a)", r"needs a regular expression as RE2 reads it \(invalid perl operator: \(\?="),
        ("\ud800", r"needs a regular expression as RE2 reads it \(half a character"),
        ("", "pattern: got '', needs a pattern that some lines match, and not every one"),
        (".*", r"pattern: got '\.\*', needs a pattern that some lines match"),
    ],
)
def test_a_pattern_that_cannot_be_meant_is_refused(text: str, told: str) -> None:
    with pytest.raises(ReleaseError, match=told):
        patterns("fine", text)


@pytest.mark.parametrize(
    "text", ["1T" + "1" * 64_000, "x" * 64_000, 'relation "' * 6_400, "\ud800"]
)
def test_no_line_takes_long_to_judge(text: str) -> None:
    """One of 32,000 digits after a T took 27 s once; processor time is measured, not the wall's."""
    allowed = patterns("(x+x+)+y", "(1+)+$", ".*.*.*found")
    began = time.process_time()

    log_checks.judged([LogEntry(TIME, "DEFAULT", text), LogEntry(TIME, "ERROR", text)], allowed)

    assert time.process_time() - began < 1


def test_a_log_that_stayed_clean_was_judged_after_our_own_requests_arrived(
    release: Release, logs: LateLogs, dependencies: Dependencies
) -> None:
    said(logs)
    log_checks.stayed_clean(release)
    assert isinstance(dependencies.web, FakeWeb)
    assert len(dependencies.web.asked) == 10


def test_an_error_since_then_closes_the_gate(release: Release, logs: LateLogs) -> None:
    said(logs, ("ERROR", "cannot reach mail"), ("ERROR", "out of disk"))
    with pytest.raises(GateClosed, match="out of disk"):
        log_checks.stayed_clean(release, patterns("reach mail"))
