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


ERRORS = (
    'time="2024-05-01T10:00:00Z" level=error msg="db down"',
    'ts=1 lvl=eror msg="db down"',
    '{"level":"error","ts":1,"msg":"db down"}',
    '{"level":50,"time":1,"msg":"db down"}',
    '{"level":400,"level_name":"ERROR","message":"db down"}',
    '{"log.level":"error"}',
    '{"log":{"level":"ERROR"}}',
    '{"LogLevel":"Critical"}',
    '{"@l":"Fatal"}',
    '{"levelno":40}',
    '{"severity_number":17}',
    '{"version":"1.1","short_message":"db down","level":3}',
    "10:00:00.123 [main] ERROR c.a.App - db down",
    "2024-05-01T10:00:00.123+02:00 ERROR 1 --- [main] c.a.App : db down",
    "01-May-2024 10:00:00.123 SEVERE [main] org.apache.catalina db down",
    "2024-05-01 10:00:00,123 - myapp - ERROR - db down",
    "ERROR:root:db down",
    "panic: runtime error: index out of range",
    "fatal error: all goroutines are asleep - deadlock!",
    "thread 'main' panicked at src/main.rs:2:5:",
    "\x1b[31mERROR\x1b[0m db down",
    "\x1b[31mERRO\x1b[0m[0000] db down",
    "E0102 15:04:05.000000       1 file.go:10] db down",
    "F0102 15:04:05.000000       1 file.go:10] db down",
    "2024-05-01T10:00:00.000Z\tERROR\tapp/main.go:10\tdb down",
    "[2024-05-01T10:00:00Z ERROR app] db down",
    "fail: Microsoft.Hosting.Internal[0]",
    "Unhandled exception. System.InvalidOperationException: db down",
    "[10:00:00 ERR] db down",
    "E, [2024-05-01T10:00:00.123 #1] ERROR -- : db down",
    "[2024-05-01 10:00:00] production.ERROR: db down",
    "PHP Fatal error:  Uncaught PDOException",
    "2024/05/01 10:00:00 [emerg] 7#7: bind() failed",
    "[Wed May 01 10:00:00.1 2024] [core:error] [pid 1] db down",
    "2024-05-01 10:00:00.000 UTC [1] FATAL:  db down",
    "web[12]: ERROR db down",
    "error: db down",
    "Error: connect ECONNREFUSED 127.0.0.1:5432",
    "TypeError: x is not a function",
    "java.lang.NullPointerException: db",
    'Exception in thread "main" java.lang.Error',
)

NO_ERRORS = (
    "error=null",
    "error: null",
    "ERROR: 0",
    "Error: none",
    "errors: 0",
    "Errors reported: none",
    "LOG_LEVEL: ERROR",
    "log level set to ERROR",
    "[error handler] registered",
    "[INFO] ERROR pages registered",
    "10:00:00 [main] INFO  c.a.App - ERROR handler ready",
    "W0102 15:04:05.000000 1 file.go:1] ERROR in the words",
    "I, [2024-05-01T10:00:00.123 #1]  INFO -- : ERROR pages registered",
    "info: Microsoft.Hosting.Lifetime[14]",
    "2026/12/01 10:25:14 [notice] 1#1: using the epoll method",
    '172.17.0.1 - - [01/Dec/2026:10:25:15 +0000] "GET /error HTTP/1.1" 500 216',
    'time=1 level=info msg="level=error"',
    'time=1 level=info error=null msg="no error"',
    '{"error":""}',
    '{"level":"info","error":""}',
    '{"level":30,"error":null,"errors":0}',
    '{"level":200,"level_name":"INFO"}',
    '{"level":200}',
    '{"level":true}',
    '{"level":"info","upstream":{"level":"error"}}',
    '{"level":"info","msg":"{\\"level\\":\\"error\\"}"}',
    '{"short_message":"well","level":6}',
    '{"level": NaN}',
)


@pytest.mark.parametrize("text", ERRORS)
def test_a_line_that_calls_itself_an_error_is_one(
    release: Release, logs: LateLogs, text: str
) -> None:
    said(logs, ("DEFAULT", text))
    with pytest.raises(GateClosed, match="got 1 errors, needs none"):
        log_checks.no_errors(release)


@pytest.mark.parametrize("text", NO_ERRORS)
def test_a_line_that_calls_itself_none_or_nothing_is_none(
    release: Release, logs: LateLogs, text: str
) -> None:
    said(logs, ("DEFAULT", text))
    log_checks.no_errors(release)


def test_what_the_platform_calls_an_information_is_taken_at_its_word(
    release: Release, logs: LateLogs
) -> None:
    said(logs, ("INFO", "panic: this is the name of a song"))
    log_checks.no_errors(release)


def test_a_line_is_found_in_json_as_it_was_said(release: Release, logs: LateLogs) -> None:
    said(logs, ("DEFAULT", '{"level":30,"msg":"it says \\"hello\\""}'))
    log_checks.has_lines(release, ['it says "hello"'])


def test_a_service_that_may_say_nothing_is_judged_by_what_it_says(
    release: Release, logs: LateLogs
) -> None:
    log_checks.no_errors(release, says_something=False)
    with pytest.raises(GateClosed, match="got nothing, needs a log"):
        log_checks.none_match(release, patterns("gave up"))
    said(logs, ("ERROR", "db down"))
    with pytest.raises(GateClosed, match="got 1 errors"):
        log_checks.no_errors(release, says_something=False)


def test_unwanted_lines_close_the_gate_whatever_their_level(
    release: Release, logs: LateLogs, evidence: MemoryEvidence
) -> None:
    said(logs, ("INFO", "retrying in 5 s"), ("INFO", "retrying in 9 s"))
    log_checks.none_match(release, patterns("gave up"))
    with pytest.raises(GateClosed) as closed:
        log_checks.none_match(release, patterns("gave up", r"retrying in \d+ s"))
    assert str(closed.value) == (
        f"log of {CANDIDATE}: got 2 unwanted lines, needs none; the first is\n"
        "  08:00:00.000000 INFO     retrying in 5 s"
    )
    assert "retrying in 9 s" in str(evidence.kept["log of the candidate"])


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
    "text",
    [
        *("1T" + "1" * 64_000, "x" * 64_000, 'relation "' * 6_400, "\ud800", "[" * 64_000),
        *('{"a":' * 12_000, "a.$" * 20_000 + ": ", "a=1 level=" * 6_400, "- " * 32_000),
    ],
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
    assert isinstance(dependencies.web, FakeWeb)
    dependencies.web.asked.clear()
    log_checks.stayed_clean(release)
    assert len(dependencies.web.asked) == 10


def test_an_error_since_then_closes_the_gate(release: Release, logs: LateLogs) -> None:
    said(logs, ("ERROR", "cannot reach mail"), ("ERROR", "out of disk"))
    with pytest.raises(GateClosed, match="out of disk"):
        log_checks.stayed_clean(release, patterns("reach mail"))
