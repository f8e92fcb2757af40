"""Migrations are read, applied and checked by the image, and a failure tells its log."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenrun.model.errors import CallFailed, DeadlineExceeded, GateClosed, LockLost, ReleaseError
from greenrun.model.interfaces import Dependencies, Execution, Job, LogEntry
from greenrun.model.lease import LeaseHolder
from greenrun.model.plan import BuildPlan, Location, MigrationPlan, Plan
from greenrun.model.revision import RevisionSettings
from greenrun.release.coordination.guard import ChangeGuard
from greenrun.release.coordination.journal import Journal
from greenrun.release.coordination.lock import Lock
from greenrun.release.migrate import Migration, Migrations
from tests.dependencies import fake_roles
from tests.fakes import FakeLogs, FakePlatform, MemoryEvidence

CREATE, ENRICH, DROP = "20250901_create", "20251009_enrich", "20261101_drop"
TIME = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@dataclass
class Image:
    """An image's commands, and the database that they see; jobs of it are run by `run`."""

    logs: FakeLogs
    states: dict[str, str]
    contracting: set[str] = field(default_factory=set)
    breaks_at: str = ""
    agrees: bool = True
    ran: list[str] = field(default_factory=list)

    def run(self, job: Job) -> Execution:
        (command,) = job.command
        self.ran.append(command)
        name = f"{job.name}-{len(self.ran)}"
        said: Iterator[str] = getattr(self, command)()
        *lines, last = [*said, "exit 0"]
        failed = bool(lines) and lines[-1].startswith("cannot")
        self.logs.entries[name] += [
            LogEntry(TIME, "DEFAULT", line) for line in (*lines, *([] if failed else [last]))
        ]
        return Execution(name, not failed, "1 task failed" if failed else "")

    def status(self) -> Iterator[str]:
        rows = [
            {"name": name, "state": state, "contracts": name in self.contracting}
            for name, state in self.states.items()
        ]
        yield json.dumps({"migrations": rows})

    def apply(self) -> Iterator[str]:
        for name in [name for name, state in self.states.items() if state == "pending"]:
            if name == self.breaks_at:
                yield f"cannot apply {name}"
                return
            self.states[name] = "applied"
            yield f"{name} applied"

    def check(self) -> Iterator[str]:
        yield "sums agree" if self.agrees else "cannot confirm: sums differ"


@pytest.fixture
def image() -> Image:
    return Image(FakeLogs(lambda: ()), {CREATE: "applied", ENRICH: "pending"})


@pytest.fixture
def evidence() -> MemoryEvidence:
    return MemoryEvidence()


@pytest.fixture
def dependencies(image: Image, evidence: MemoryEvidence) -> Dependencies:
    platform = FakePlatform("shop", executions=image.run)
    return fake_roles("shop", platform=platform, logs=image.logs, evidence=evidence)


@pytest.fixture
def lock(dependencies: Dependencies) -> Iterator[Lock]:
    owner = LeaseHolder("somebody@example.com", "here", 1, "a run")
    lock = Lock("shop", owner, dependencies.leases, dependencies.clock, timedelta(hours=1))
    lock.acquire()
    yield lock
    lock.release()


@pytest.fixture
def guard(dependencies: Dependencies, lock: Lock, tmp_path: Path) -> ChangeGuard:
    journal = Journal(tmp_path / "journal.jsonl", dependencies.clock)
    return ChangeGuard(journal, lock, "a run", dependencies.progress)


COMMANDS = MigrationPlan(("status",), ("apply",), ("check",))


@pytest.fixture
def migrations(dependencies: Dependencies, guard: ChangeGuard) -> Migrations:
    return brought_by(dependencies, guard, COMMANDS)


@pytest.fixture
def daring(dependencies: Dependencies, guard: ChangeGuard) -> Migrations:
    """The same, where release.yaml allows what contracts."""
    return brought_by(dependencies, guard, replace(COMMANDS, allow_contracting=True))


def brought_by(
    dependencies: Dependencies, guard: ChangeGuard, commands: MigrationPlan
) -> Migrations:
    place, build = Location("rehearsal", "europe-west1"), BuildPlan("registry.test/shop")
    plan = Plan("shop", "local", place, build, RevisionSettings(), migration=commands)
    return Migrations(plan, commands, "registry.test/shop@sha256:0", dependencies, guard)


@pytest.fixture
def told() -> list[bool]:
    """What `contracted` was called with."""
    return []


def test_what_is_pending_is_applied_and_the_data_are_checked(
    migrations: Migrations, image: Image, told: list[bool]
) -> None:
    assert migrations.apply(told.append) == (
        Migration(CREATE, applied=True),
        Migration(ENRICH, applied=True),
    )
    assert image.ran == ["status", "apply", "status", "check"]
    assert told == []


def test_the_log_of_every_execution_is_kept(
    migrations: Migrations, evidence: MemoryEvidence, told: list[bool]
) -> None:
    migrations.apply(told.append)
    assert set(evidence.kept) == {
        *("migrations before", "migrations after"),
        *("log of status", "log of apply", "log of check"),
    }
    assert evidence.kept["migrations before"] == f"{CREATE} applied\n{ENRICH} pending"
    assert evidence.kept["migrations after"] == f"{CREATE} applied\n{ENRICH} applied"
    assert evidence.kept["log of apply"] == (
        f"08:00:00.000000 DEFAULT  {ENRICH} applied\n08:00:00.000000 DEFAULT  exit 0"
    )


def test_once_is_enough(migrations: Migrations, image: Image, told: list[bool]) -> None:
    first = migrations.apply(told.append)
    image.ran.clear()
    assert migrations.apply(told.append) == first
    assert image.ran == ["status", "check"]


def test_every_run_of_the_job_is_journalled(
    migrations: Migrations, guard: ChangeGuard, told: list[bool]
) -> None:
    migrations.apply(told.append)
    entries = [entry for entry in guard.journal.entries() if entry.state == "begun"]
    assert [(entry.action, entry.subject, entry.facts["command"]) for entry in entries] == [
        ("run job", "shop-migration", command) for command in ("status", "apply", "status", "check")
    ]


def test_nothing_is_run_once_the_lock_is_lost(
    migrations: Migrations, image: Image, lock: Lock, told: list[bool]
) -> None:
    lock.force_release(LeaseHolder("somebody else", "there", 2, "another run"))
    with pytest.raises(LockLost):
        migrations.apply(told.append)
    assert image.ran == []


def test_data_that_do_not_agree_close_the_gate_with_the_log(
    migrations: Migrations, image: Image, told: list[bool]
) -> None:
    image.agrees = False
    with pytest.raises(GateClosed) as closed:
        migrations.apply(told.append)
    assert closed.value.message == (
        "the check of the data did not hold: 1 task failed; the end of its log:\n"
        "  cannot confirm: sums differ"
    )


def test_a_migration_that_fails_closes_the_gate_with_its_log(
    migrations: Migrations, image: Image, evidence: MemoryEvidence, told: list[bool]
) -> None:
    image.breaks_at = ENRICH
    with pytest.raises(GateClosed, match="could not apply the migrations: 1 task failed") as closed:
        migrations.apply(told.append)
    assert f"cannot apply {ENRICH}" in str(closed.value)
    assert evidence.kept["migrations after"] == f"{CREATE} applied\n{ENRICH} pending"
    assert "check" not in image.ran


def test_what_contracts_is_refused_before_anything_is_applied(
    migrations: Migrations, image: Image, told: list[bool]
) -> None:
    image.states[DROP], image.contracting = "pending", {DROP}
    with pytest.raises(GateClosed) as closed:
        migrations.apply(told.append)
    assert str(closed.value) == (
        f"could not apply the migrations: got a schema that contracts by {DROP}, needs one that "
        "the baseline survives; nothing was applied\n"
        "hint: expand first: let one release do without the old schema, and contract with the "
        "next; or set `migration.allow-contracting`, and give up the way back"
    )
    assert (image.ran, image.states[ENRICH], told) == (["status"], "pending", [])


def test_what_contracted_long_ago_is_no_matter(
    migrations: Migrations, image: Image, told: list[bool]
) -> None:
    image.contracting = {CREATE}
    migrations.apply(told.append)
    assert (image.states[ENRICH], told) == ("applied", [])


def test_a_contraction_is_told_before_the_job_that_makes_it(
    daring: Migrations, image: Image
) -> None:
    image.states[DROP], image.contracting = "pending", {DROP}
    ran_when_told: list[tuple[bool, list[str]]] = []
    after = daring.apply(lambda contracted: ran_when_told.append((contracted, list(image.ran))))
    assert ran_when_told == [(True, ["status"])]
    assert after[-1] == Migration(DROP, applied=True, contracts=True)


def test_a_contraction_that_did_not_come_about_is_taken_back(
    daring: Migrations, image: Image, told: list[bool]
) -> None:
    image.states[DROP], image.contracting, image.breaks_at = "pending", {DROP}, ENRICH
    with pytest.raises(GateClosed, match=f"cannot apply {ENRICH}"):
        daring.apply(told.append)
    assert told == [True, False]


def test_a_contraction_stands_where_a_later_migration_fails(
    daring: Migrations, image: Image, told: list[bool]
) -> None:
    image.states = {DROP: "pending", "20261201_more": "pending"}
    image.contracting, image.breaks_at = {DROP}, "20261201_more"
    with pytest.raises(GateClosed, match="cannot apply 20261201_more"):
        daring.apply(told.append)
    assert told == [True]


def test_in_doubt_the_schema_counts_as_contracted(
    daring: Migrations, image: Image, dependencies: Dependencies, told: list[bool]
) -> None:
    image.states[DROP], image.contracting, image.breaks_at = "pending", {DROP}, ENRICH
    healthy = image.run

    def run(job: Job) -> Execution:
        if image.ran[1:]:
            raise CallFailed("the platform is gone")
        return healthy(job)

    assert isinstance(dependencies.platform, FakePlatform)
    dependencies.platform.executions = run
    with pytest.raises(GateClosed, match=f"cannot apply {ENRICH}") as closed:
        daring.apply(told.append)
    assert str(closed.value.__cause__) == "the platform is gone"
    assert told == [True]


def test_a_new_database_is_set_up_in_one_run(migrations: Migrations, image: Image) -> None:
    image.states, image.contracting = {CREATE: "pending", DROP: "pending"}, {DROP}
    migrations.set_up()
    assert (image.ran, set(image.states.values())) == (["apply"], {"applied"})


def test_a_new_database_that_cannot_be_set_up_tells_why(
    migrations: Migrations, image: Image
) -> None:
    image.breaks_at = ENRICH
    with pytest.raises(GateClosed, match=f"cannot apply {ENRICH}"):
        migrations.set_up()


def test_a_log_that_comes_late_is_waited_for(
    image: Image, dependencies: Dependencies, guard: ChangeGuard
) -> None:
    due = dependencies.clock.now() + timedelta(seconds=20)

    class Late(FakeLogs):
        def of_execution(self, name: str) -> list[LogEntry]:
            return list(image.logs.entries[name]) if dependencies.clock.now() >= due else []

    late = replace(dependencies, logs=Late(lambda: ()))
    assert brought_by(late, guard, COMMANDS).status()[0] == Migration(CREATE, applied=True)


AFTERWARDS = (
    '{"level": 30, "msg": "pool closed"}',
    '{"level": 30, "msg": "{\\"migrations\\": []} was said"}',
    '["migrations"]',
    "migrations: all told",
    "{",
)


@pytest.mark.parametrize("line", AFTERWARDS)
def test_what_is_logged_after_the_status_is_not_taken_for_it(
    migrations: Migrations, image: Image, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    first = '{"migrations": []}'
    last = '{"migrations": [{"name": "1", "state": "pending"}]}'
    monkeypatch.setattr(image, "status", lambda: [first, line, last, line])
    assert migrations.status() == (Migration("1", applied=False),)


@pytest.mark.parametrize("text", ["{", '{"rows": []}'])
def test_a_status_command_that_says_none_is_waited_for_and_told(
    migrations: Migrations, image: Image, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(image, "status", lambda: [text])
    with pytest.raises(DeadlineExceeded, match="the status of the migrations in the log") as late:
        migrations.status()
    assert "last saw: exit 0" in str(late.value)


ODD = ['{"migrations": [', '{"migrations": [{"name": 1}]}', '{"migrations": ["x"]}']
ODD += ['{"migrations": [{"name": "1", "state": "half"}]}']
ODD += ['{"migrations": [{"name": "1", "state": "applied", "contracts": "no"}]}']
NAMES = ("7", "null", '["1"]', '{"1": 1}', "true", '"\\ud800"', "NaN")
ODD += [f'{{"migrations": [{{"name": {name}, "state": "applied"}}]}}' for name in NAMES]
ODD += ['{"migrations": {"name": "1", "state": "applied"}}', '{"migrations": ' + "[" * 10**5]
ODD += ['{"migrations": [{"name": "1", "state": ["applied"]}]}']


@pytest.mark.parametrize("text", ODD)
def test_a_status_that_cannot_be_read_says_what_it_needs(
    migrations: Migrations, image: Image, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(image, "status", lambda: [text])
    with pytest.raises(ReleaseError, match="could not read the status of the migrations: got"):
        migrations.status()


ROW = st.fixed_dictionaries(
    {"name": st.text(max_size=3), "state": st.sampled_from(["applied", "pending", "x", 1])},
    optional={"contracts": st.booleans() | st.none(), "more": st.text(max_size=3)},
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
STATUSES = st.one_of(
    st.text(max_size=20),
    st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(
        json.dumps
    ),
    st.lists(ROW | SCALARS, max_size=3).map(lambda rows: json.dumps({"migrations": rows})),
)


@given(text=STATUSES.map(lambda text: text.replace("\n", " ")))
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_a_status_says_it_is_read_or_refused(
    migrations: Migrations, image: Image, text: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image, "status", lambda: [text])
        try:
            names = [migration.name for migration in migrations.status()]
        except ReleaseError:
            return
    assert names == [row["name"] for row in json.loads(text)["migrations"]]


def test_a_status_that_never_arrives_has_a_deadline(
    migrations: Migrations, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "status", list)
    with pytest.raises(DeadlineExceeded, match=r"^waited 60 s for .*, last saw: exit 0"):
        migrations.status()


def test_a_status_need_not_say_what_contracts(
    migrations: Migrations, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"name": CREATE, "state": "pending", "since": "ever"}
    monkeypatch.setattr(image, "status", lambda: [json.dumps({"migrations": [row]})])
    assert migrations.status() == (Migration(CREATE, applied=False, contracts=False),)
