"""Read-modify-write: an echoed revision name, and somebody else's change that is lost."""

import pytest
from google.api_core.exceptions import AlreadyExists
from google.cloud import run_v2

from greenrun.model.errors import ConcurrentChange
from greenrun.model.service import Service
from tests.release.five_failures.world import NEW, OLD, PATIENCE, World, all_to, new, to


def naive_deploy(world: World, read: run_v2.Service, image: str) -> run_v2.Service:
    """Sends back the whole service as it was read, with another image."""
    read.template.containers[0].image = image
    return world.update(read)


def our_deploy(world: World, read: Service) -> Service:
    return world.ours.deploy(new(NEW), all_to(OLD), read, PATIENCE)


def somebody_rolls_out(world: World) -> None:
    """A colleague, by hand, between our reading and our writing."""
    world.update(run_v2.Service(name=world.name, description="frozen: audit"), "description")
    world.split(to(OLD, 100, "audit"))


def test_a_naive_deploy_echoes_the_revision_s_name(world: World) -> None:
    with pytest.raises(AlreadyExists, match="with different configuration already exists"):
        naive_deploy(world, world.raw(), "in-process/slow-start")


def test_ours_names_its_revision_anew(world: World) -> None:
    our_deploy(world, world.reading())
    assert world.raw().template.revision == NEW


def test_a_naive_deploy_undoes_what_somebody_did_meanwhile(world: World) -> None:
    read = world.raw()
    read.template.revision = NEW
    somebody_rolls_out(world)
    done = naive_deploy(world, read, "in-process/slow-start")
    assert (done.description, [target.tag for target in done.traffic]) == ("", [""])


def test_ours_stops_says_who_it_was_and_leaves_it_as_it_is(world: World) -> None:
    read = world.reading()
    somebody_rolls_out(world)
    with pytest.raises(ConcurrentChange, match=r"got generation 3 with .*revision tag audit"):
        our_deploy(world, read)
    live = world.raw()
    assert (live.description, [target.tag for target in live.traffic]) == (
        "frozen: audit",
        ["audit"],
    )
    assert world.ours.revision(NEW) is None


def test_ours_goes_on_from_what_somebody_did_without_touching_it(world: World) -> None:
    somebody_rolls_out(world)
    before = world.reading()
    split = before.wanted.shared({OLD: 100}).tagged(NEW, "candidate")
    world.ours.deploy(new(NEW), split, before, PATIENCE)
    live = world.raw()
    assert live.description == "frozen: audit"
    assert {target.tag for target in live.traffic} == {"", "audit", "candidate"}
