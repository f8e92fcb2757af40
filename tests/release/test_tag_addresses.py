"""Through the official clients: a tag's address that stays behind proves nothing of a candidate."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greenrun.model.errors import DeadlineExceeded
from greenrun.model.interfaces import Timeout
from greenrun.model.plan import Probe
from greenrun.release.release import Release
from tests.campaign.shop import OLDER, SERVICE, Shop


def about_to_deploy(release: Release) -> Release:
    release.acquire_lock()
    release.find_baseline()
    release.push_image()
    return release


@pytest.mark.parametrize(("late", "within"), [("2s", 30), ("1m", 2)])
def test_who_answers_at_the_candidates_address_is_proven_before_anything_is_asked_there(
    late: str, within: int
) -> None:
    with Shop.opened() as (cloud, shop):
        tagged = shop.reading.actual.tagged(OLDER, "candidate")
        shop.platform.split_traffic(tagged, shop.reading, Timeout(timedelta(seconds=10)))
        with (
            shop.releasing("one") as release,
            cloud.faults.add(f"tag candidate of {SERVICE}: late by {late}"),
        ):
            release.plan = replace(release.plan, traffic_timeout=timedelta(seconds=within))
            about_to_deploy(release)
            if within == 2:
                with pytest.raises(DeadlineExceeded, match=f"last saw: answers from {OLDER}"):
                    release.deploy()
            else:
                url = release.deploy().url
                assert release.prober.answering(url, Probe(path="/api/health")) == {
                    release.candidate.name
                }
            assert release.settle(passed=False) is True
            release.guard.lock.release()
