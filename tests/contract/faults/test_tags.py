"""The address of a revision tag that goes on to the tag's earlier revision."""

from datetime import timedelta

from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.faults.registry import Faults
from tests.contract.caller import Caller, answering, pinned

SOON = timedelta(seconds=20)


def moved(caller: Caller) -> tuple[str, str]:
    """The service's URL and the tag's, once the tag has moved from `one` to `two`."""
    one, two = f"{caller.service_id}-one", f"{caller.service_id}-two"
    caller.create(revision="one", invoker_iam_disabled=True)
    caller.route(pinned(one, 100), pinned(one, 0, "candidate"))
    service = caller.update(
        "template,traffic",
        template=caller.template(revision="two"),
        traffic=[pinned(one, 0), pinned(two, 100, "candidate")],
    )
    tagged = service.traffic_statuses[1]
    assert (tagged.revision, tagged.tag) == (two, "candidate")
    return service.uri, tagged.uri


def test_a_tag_that_has_moved_answers_from_its_earlier_revision(
    caller: Caller, faults: Faults
) -> None:
    with faults.add("tag candidate: late by 10m") as fault:
        service, tag = moved(caller)
        assert answering(service) == f"{caller.service_id}-two"
        assert answering(tag) == f"{caller.service_id}-one"
        assert fault.struck == 1
    wait_until(lambda: answering(tag) == f"{caller.service_id}-two", SOON, "the tag to follow")


def test_a_tag_follows_when_its_time_is_over(caller: Caller, faults: Faults) -> None:
    faults.add(f"tag candidate of {caller.service_id}: late by 300ms, once")
    _, tag = moved(caller)
    wait_until(lambda: answering(tag) == f"{caller.service_id}-two", SOON, "the tag to follow")


def test_another_tag_and_another_service_follow_at_once(caller: Caller, faults: Faults) -> None:
    faults.add("tag stable: late by 10m")
    faults.add("tag candidate of another: late by 10m")
    _, tag = moved(caller)
    assert answering(tag) == f"{caller.service_id}-two"
