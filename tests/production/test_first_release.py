"""A service that does not exist is released, or leaves nothing behind."""

import httpx
import pytest

from tests.production.production import FIRST_FAULTS, Ended, Production

pytestmark = pytest.mark.docker

BACK = "features/07-rollback.feature"


def options(environment: str, features: str = "features/") -> tuple[str, ...]:
    return (features, f"--env={environment}", "-m", "not drill", "--no-html")


def words(ended: Ended) -> str:
    """All that was told, in one line, as the terminal breaks lines where it likes."""
    return " ".join(ended.output.split())


def left_of(there: Production) -> set[str]:
    """What stands in the project by now: the mark of the lock alone is to stay."""
    dependencies = there.dependencies
    jobs = there.adapters.clients.jobs.list_jobs(parent=there.plan.place.parent)
    names = {job.name.rpartition("/")[2] for job in jobs}
    service = {there.plan.service} if dependencies.platform.service() else set()
    return service | {name for name in names if "-lock-" not in name}


@pytest.fixture(scope="module")
def there(production: Production) -> Production:
    """Nothing was rehearsed before, whatever tests came before these."""
    (production.project.reports / "rehearsed.json").unlink(missing_ok=True)
    return production.elsewhere("new")


@pytest.fixture(scope="module")
def told(there: Production) -> Ended:
    """The plan, which comes before anything is there."""
    return there.release("features/", "--env=new", "--plan", "--no-html")


@pytest.fixture(scope="module")
def killed(there: Production, told: Ended) -> str:
    """A first release that was killed between creation and promotion; its candidate."""
    assert told.status == 0, told.output
    with there.releasing(*options("new")) as run:
        run.await_entry("create")
        run.kill()
        told_until_then = " ".join(run.output.read_text("utf-8").split())
    assert "no baseline: a first release is rehearsed as one" in told_until_then
    assert "no canary: first release, nobody to compare with" in told_until_then
    assert not there.dependencies.platform.invokable_by_all()
    created = next(one for one in there.journal() if one["action"] == "create")
    return str(created["facts"]["revision"])


@pytest.fixture(scope="module")
def released(there: Production, killed: str) -> Ended:
    """The one after it, from the beginning to its end; no rehearsal of a first one is kept."""
    assert killed
    return there.release(*options("new"))


@pytest.fixture(scope="module")
def rehearsed(production: Production, released: Ended) -> None:
    """So that those that fail need no rehearsal each."""
    assert released.status == 0, released.output
    ended = production.project.rehearse("features/", "-m", "not drill", "--no-html")
    assert ended.status == 0, ended.output


def test_the_plan_tells_all_of_it_and_changes_nothing(there: Production, told: Ended) -> None:
    assert told.status == 0, told.output
    for line in (
        "none: emergence-app does not exist yet: first release",
        "after its migrations; nobody may invoke it until it is proven",
        "first release: there is nobody to compare with",
        "emergence-app is deleted again, which it created",
    ):
        assert line in words(told)
    assert there.dependencies.leases.all() is not None


def test_what_a_killed_one_has_left_is_deleted_first(released: Ended, killed: str) -> None:
    assert f"found an unfinished first release ({killed}, deployed); rolling it back" in words(
        released
    )


def test_it_is_proven_and_then_opened(there: Production, released: Ended, killed: str) -> None:
    assert released.status == 0, released.output
    assert "Released to new" in released.output
    assert "no canary: first release, nobody to compare with" in words(released)
    candidate = released.record["candidate"]
    assert candidate != killed
    assert there.serving == {candidate: 100}
    assert there.service.wanted.tags == {"candidate": candidate}
    assert httpx.get(f"{there.service.url}/api/health").json()["status"] == "ok"
    actions = [one["action"] for one in there.journal() if one["state"] == "done"]
    order = [actions.index(name, actions.index("delete service")) for name in ("run job", "create")]
    assert order == sorted(order)


def test_its_record_and_summary_tell_it(there: Production, released: Ended) -> None:
    record = released.record
    assert (record["outcome"], record["exit_status"]) == ("released", 0)
    assert (record["baseline"], record["promise"]) == ("", "delete the service")
    assert record["steps"] == []
    folder = there.project.folder / "docs/deployments"
    page = (folder / record["document"].rpartition("/")[2]).read_text("utf-8")
    for line in (
        "| baseline | none: first release |",
        "No canary: first release, nobody to compare with.",
        "--delete-candidate",
        "gcloud run services delete emergence-app --project=project-new",
    ):
        assert line in page


def test_the_next_release_has_it_for_a_baseline(there: Production, released: Ended) -> None:
    ended = there.release("features/", "--env=new", "--plan", "--no-html")
    assert ended.status == 0, ended.output
    assert f"100 % {released.record['candidate']}" in ended.output


def test_by_hand_it_is_deleted_by_leave_alone(there: Production, released: Ended) -> None:
    refused = there.release(*options("new", BACK))
    assert refused.status == 1, refused.output
    assert "its last release was the first" in words(refused)
    assert there.serving == {released.record["candidate"]: 100}

    ended = there.release(*options("new", BACK), "--delete-candidate")
    assert ended.status == 0, ended.output
    assert left_of(there) == set()


@pytest.mark.usefixtures("rehearsed")
@pytest.mark.parametrize("environment", FIRST_FAULTS)
def test_one_that_fails_leaves_nothing_behind(production: Production, environment: str) -> None:
    there = production.elsewhere(environment)
    ended = there.release(*options(environment))

    assert ended.status == 1, ended.output
    assert "emergence-app is deleted again: first release, as before" in words(ended)
    assert ended.record["outcome"] == "not released, users served as before"
    assert ended.record["next"].startswith("Nothing of it is left")
    assert left_of(there) == set()
