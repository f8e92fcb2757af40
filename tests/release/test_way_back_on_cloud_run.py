"""Through the official clients: users come back though the lock or the journal is broken."""

from collections.abc import Callable, Iterator

import pytest
from google.cloud import run_v2

from greenrun.model.errors import LockLost
from greenrun.model.plan import START_TAG
from greenrun.release import manual, recovery
from greenrun.release.coordination.journal import Journal
from greenrun.release.release import Release
from tests.campaign.course import way
from tests.campaign.shop import BEFORE, FIRST_SPLIT, PLACE, SERVICE, Shop

TITLES = [title for title, _ in way()]
UNTIL_CANARY = [step for _, step in way()[: TITLES.index("canary")]]


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop.opened() as (_, shop):
        yield shop


@pytest.fixture
def release(shop: Shop) -> Iterator[Release]:
    """Its candidate has a third of the users."""
    with shop.releasing("one") as release:
        for step in UNTIL_CANARY:
            step(release)
        release.raise_share(30)
        yield release
        release.guard.lock.release()


def lock_job(shop: Shop) -> str:
    (lease,) = shop.leases.all()
    return f"{PLACE.parent}/jobs/{SERVICE}-lock-{lease.number}"


def delete(shop: Shop) -> None:
    shop.clients.jobs.delete_job(name=lock_job(shop)).result()  # type: ignore[no-untyped-call]  # Google has no types


def garble(shop: Shop) -> None:
    job = shop.clients.jobs.get_job(name=lock_job(shop))
    for name in job.annotations:
        job.annotations[name] = "?"
    shop.clients.jobs.update_job(job=job).result()  # type: ignore[no-untyped-call]  # Google has no types


def cover(shop: Shop) -> None:
    job = shop.clients.jobs.get_job(name=lock_job(shop))
    foreign = run_v2.Job(template={"template": {"containers": job.template.template.containers}})
    name = f"{SERVICE}-lock-9999"
    shop.clients.jobs.create_job(parent=PLACE.parent, job=foreign, job_id=name).result()  # type: ignore[no-untyped-call]  # Google has no types


@pytest.mark.parametrize("spoil", [delete, cover])
def test_a_lock_that_is_gone_or_covered_stops_the_rollout_and_not_the_way_back(
    release: Release, shop: Shop, spoil: Callable[[Shop], None]
) -> None:
    spoil(shop)
    with pytest.raises(LockLost):
        release.raise_share(60)
    assert release.settle(passed=False) is True
    assert shop.reading.wanted.matches(FIRST_SPLIT)
    assert shop.answering() == {BEFORE}
    assert shop.leases.all()[0].owner == release.guard.lock.owner


@pytest.mark.parametrize("spoil", [delete, garble, cover])
def test_the_next_run_rolls_back_what_no_lock_tells(
    release: Release, shop: Shop, spoil: Callable[[Shop], None]
) -> None:
    release.guard.lock.release()
    spoil(shop)
    journal = Journal(shop.folder / "another-machine.jsonl", release.dependencies.clock)
    with shop.releasing("two", journal=journal) as later:
        recovery.acquire_lock(later, unlock=False)
        recovery.recover(later, resume=False)
        assert not later.users_are_elsewhere
        assert shop.reading.resolved.serving == {BEFORE: 100}
        assert shop.answering() == {BEFORE}
        later.guard.lock.release()


@pytest.mark.parametrize("spoil", [delete, garble, cover])
def test_a_person_names_who_serves_whatever_became_of_the_lock(
    release: Release, shop: Shop, spoil: Callable[[Shop], None]
) -> None:
    release.guard.lock.release()
    spoil(shop)
    with shop.releasing("two") as person:
        assert manual.send_back(person, asked_for=True, to=BEFORE, unlock=True) == BEFORE
        assert shop.reading.resolved.serving == {BEFORE: 100}
        person.guard.lock.release()


def test_a_baseline_that_met_no_user_any_more_is_started_under_a_tag_of_its_own(
    release: Release, shop: Shop
) -> None:
    release.raise_share(100)
    release.guard.lock.release()
    with shop.releasing("two") as later:
        recovery.acquire_lock(later, unlock=False)
        recovery.recover(later, resume=False)
        done = [entry.action for entry in later.guard.journal.entries() if entry.state == "done"]
        assert done[-2:] == ["tag", "roll back"]
        assert shop.reading.actual.matches(FIRST_SPLIT)
        assert START_TAG not in shop.reading.wanted.tags
        assert shop.answering() == {BEFORE}
        later.guard.lock.release()


def test_a_journal_that_is_a_folder_by_now_leaves_no_user_behind(
    release: Release, shop: Shop
) -> None:
    path = release.guard.journal.path
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError, match="journal"):
        release.raise_share(60)
    assert release.settle(passed=False) is True
    assert shop.reading.wanted.matches(FIRST_SPLIT)
    assert shop.answering() == {BEFORE}
