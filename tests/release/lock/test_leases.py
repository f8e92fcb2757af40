"""What every keeper of leases does."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import Leases
from tests.fakes import MemoryLeases
from tests.release.lock.contenders import lease


@pytest.fixture(params=["in memory", "strict", "lax"])
def leases(request: pytest.FixtureRequest) -> Leases:
    if request.param == "in memory":
        return MemoryLeases()
    cloud = request.getfixturevalue(f"{request.param}_cloud")
    made: Leases = request.getfixturevalue("region_of")(cloud).leases()
    return made


def test_there_are_none_at_first(leases: Leases) -> None:
    assert list(leases.all()) == []


def test_a_lease_is_read_as_it_was_made(leases: Leases) -> None:
    made = lease(3, release_state='{"stage":"begun"}', time_to_live=timedelta(seconds=1.5))
    assert leases.create(made)
    (read,) = leases.all()
    assert replace(read, renewed_at=made.renewed_at) == made


def test_leases_come_highest_first_by_number(leases: Leases) -> None:
    for number in (9, 11, 2, 10):
        leases.create(lease(number))
    assert [one.number for one in leases.all()] == [11, 10, 9, 2]


def test_a_number_is_claimed_once(leases: Leases) -> None:
    first, second = lease(1, "ana"), lease(1, "bob")
    assert leases.create(first)
    assert not leases.create(second)
    assert [one.owner for one in leases.all()] == [first.owner]


def test_a_number_is_claimed_once_even_by_owners_who_take_themselves_for_the_same(
    leases: Leases,
) -> None:
    first = lease(1)
    assert leases.create(first)
    assert not leases.create(replace(first, release_state="another"))
    assert leases.all()[0].release_state == ""


def test_of_twenty_who_lease_a_number_one_gets_it(leases: Leases) -> None:
    wanted = [lease(1, f"owner{number}") for number in range(20)]
    with ThreadPoolExecutor(len(wanted)) as owners:
        got = list(owners.map(leases.create, wanted))
    assert got.count(True) == 1
    assert [one.owner for one in leases.all()] == [wanted[got.index(True)].owner]


def test_a_lease_is_written_anew_as_a_whole(leases: Leases) -> None:
    leases.create(made := lease(1))
    later = made.renewed_at + timedelta(seconds=1)
    leases.update(wanted := replace(made, held=False, release_state="promoted", renewed_at=later))
    (read,) = leases.all()
    assert replace(read, renewed_at=later) == wanted


def test_writing_a_lease_is_a_beat(leases: Leases) -> None:
    leases.create(made := lease(1))
    before = leases.all()[0].renewed_at
    leases.update(replace(made, renewed_at=made.renewed_at + timedelta(seconds=1)))
    assert leases.all()[0].renewed_at > before


def test_a_lease_that_is_gone_is_not_written_again(leases: Leases) -> None:
    leases.create(made := lease(1))
    leases.remove(1)
    with pytest.raises(CallFailed):
        leases.update(made)
    assert list(leases.all()) == []


def test_removing_takes_one_lease_away_and_may_be_repeated(leases: Leases) -> None:
    for number in (1, 2):
        leases.create(lease(number))
    leases.remove(1)
    leases.remove(1)
    assert [one.number for one in leases.all()] == [2]
