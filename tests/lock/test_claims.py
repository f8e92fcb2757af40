"""What every keeper of claims does."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.model.errors import CallFailed
from greenrun.model.interfaces import Leases
from tests.fakes import MemoryClaims
from tests.lock.contenders import claim


@pytest.fixture(params=["in memory", "strict", "lax"])
def claims(request: pytest.FixtureRequest) -> Leases:
    if request.param == "in memory":
        return MemoryClaims()
    cloud = request.getfixturevalue(f"{request.param}_cloud")
    return request.getfixturevalue("region_of")(cloud).claims()


def test_there_are_none_at_first(claims: Leases) -> None:
    assert list(claims.all()) == []


def test_a_claim_is_read_as_it_was_made(claims: Leases) -> None:
    made = claim(3, standing='{"stage":"begun"}', time_to_live=timedelta(seconds=1.5))
    assert claims.create(made)
    (read,) = claims.all()
    assert replace(read, beat=made.beat) == made


def test_claims_come_highest_first_by_number(claims: Leases) -> None:
    for number in (9, 11, 2, 10):
        claims.create(claim(number))
    assert [one.number for one in claims.all()] == [11, 10, 9, 2]


def test_a_number_is_claimed_once(claims: Leases) -> None:
    first, second = claim(1, "ana"), claim(1, "bob")
    assert claims.create(first)
    assert not claims.create(second)
    assert [one.owner for one in claims.all()] == [first.owner]


def test_a_number_is_claimed_once_even_by_owners_who_take_themselves_for_the_same(
    claims: Leases,
) -> None:
    first = claim(1)
    assert claims.create(first)
    assert not claims.create(replace(first, standing="another"))
    assert claims.all()[0].standing == ""


def test_of_twenty_who_claim_a_number_one_gets_it(claims: Leases) -> None:
    wanted = [claim(1, f"owner{number}") for number in range(20)]
    with ThreadPoolExecutor(len(wanted)) as owners:
        got = list(owners.map(claims.create, wanted))
    assert got.count(True) == 1
    assert [one.owner for one in claims.all()] == [wanted[got.index(True)].owner]


def test_a_claim_is_written_anew_as_a_whole(claims: Leases) -> None:
    claims.create(made := claim(1))
    later = made.beat + timedelta(seconds=1)
    claims.update(wanted := replace(made, held=False, standing="promoted", beat=later))
    (read,) = claims.all()
    assert replace(read, beat=later) == wanted


def test_writing_a_claim_is_a_beat(claims: Leases) -> None:
    claims.create(made := claim(1))
    before = claims.all()[0].beat
    claims.update(replace(made, beat=made.beat + timedelta(seconds=1)))
    assert claims.all()[0].beat > before


def test_a_claim_that_is_gone_is_not_written_again(claims: Leases) -> None:
    claims.create(made := claim(1))
    claims.remove(1)
    with pytest.raises(CallFailed):
        claims.update(made)
    assert list(claims.all()) == []


def test_removing_takes_one_claim_away_and_may_be_repeated(claims: Leases) -> None:
    for number in (1, 2):
        claims.create(claim(number))
    claims.remove(1)
    claims.remove(1)
    assert [one.number for one in claims.all()] == [2]
