"""No reader trips over what it is given; the campaign tries a hundred thousand inputs."""

import pytest

from tests.campaign.inputs import READ, Reader, try_one


@pytest.mark.parametrize("reader", READ)
def test_what_is_malformed_is_read_or_refused(reader: str) -> None:
    assert try_one(READ[reader], inputs=40, seed=1).broken == ()


def test_a_reader_that_trips_is_told_with_what_it_tripped_over() -> None:
    trips = Reader("a reader", lambda content, _: int(content), (b"1",), refuses=())
    tried = try_one(trips, inputs=20, seed=1)
    assert len(tried.broken) > 10
    assert all("ValueError" in str(one) for one in tried.broken)
