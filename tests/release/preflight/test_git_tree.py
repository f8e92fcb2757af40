"""The tree is what its commit says, and the commit is what the remote says."""

from dataclasses import replace
from pathlib import Path

import pytest

from greenrun.model.image import Distance
from greenrun.model.plan import Plan, PreflightPlan, RecordPlan
from greenrun.release.preflight import git_tree
from greenrun.release.preflight.context import Context
from tests.conftest import World
from tests.release.preflight.conftest import Told


@pytest.fixture
def on_main(plan: Plan) -> Plan:
    return replace(plan, preflight=PreflightPlan(branch="main"))


def change(world: World, *paths: str, branch: str = "main") -> None:
    state = world.source_control.state
    world.source_control.state = replace(state, changed=paths, branch=branch)


def test_a_clean_tree_in_step(told: Told, on_main: Plan, context: Context) -> None:
    assert told(git_tree.in_step, on_main) == []
    assert context.measured == [
        f"commit: {'c0ffee' * 6}c0ff on main",
        "last commits: Add the shop",
        "origin/main: 0 ahead, 0 behind",
    ]


def test_changes_are_named(told: Told, world: World) -> None:
    change(world, "app/main.py", "release.yaml")
    assert told(git_tree.in_step) == [
        (
            "tree: got changes in app/main.py, release.yaml, needs a clean one; "
            "hint: commit them, or `git stash`"
        )
    ]


def test_of_many_changes_ten_are_named(told: Told, world: World) -> None:
    change(world, *(f"file{number}" for number in range(12)))
    (problem,) = told(git_tree.in_step)
    assert "file9 and 2 more, needs" in problem
    assert "file10" not in problem


def test_what_a_release_writes_itself_does_not_count(told: Told, plan: Plan, world: World) -> None:
    record = replace(plan, record=RecordPlan(folder="docs/releases", changelogs=("SYNC.md",)))
    change(world, "docs/releases/2026-11-21.md", "SYNC.md", "build_tag.txt", "reports/x.json")
    assert told(git_tree.in_step, record) == []
    change(world, "docs/releases.md", "SYNC.md.orig")
    assert len(told(git_tree.in_step, record)) == 1


def test_the_file_that_is_told_the_image_tag_goes_by_its_own_name(
    told: Told, plan: Plan, world: World
) -> None:
    elsewhere = replace(plan, build=replace(plan.build, tag_file="image/tag.txt"))
    change(world, "image/tag.txt")
    assert told(git_tree.in_step, elsewhere) == []
    change(world, "build_tag.txt")
    assert len(told(git_tree.in_step, elsewhere)) == 1


def test_paths_count_from_the_root_of_the_repository(
    told: Told, world: World, directory: Path
) -> None:
    root = directory.parent / f"{directory.name}-root"
    (root / ".git").mkdir(parents=True)
    directory.rename(root / "shop")
    directory.symlink_to(root / "shop")
    change(world, "shop/docs/deployments/today.md")
    assert told(git_tree.in_step) == []
    change(world, "docs/deployments/today.md")
    assert len(told(git_tree.in_step)) == 1


def test_another_branch(told: Told, on_main: Plan, world: World) -> None:
    change(world, branch="work")
    assert told(git_tree.in_step, on_main) == [
        "branch: got work, needs main; hint: git switch main"
    ]


def test_any_branch_will_do_where_none_is_named(told: Told, world: World) -> None:
    change(world, branch="work")
    world.source_control.apart = None
    assert told(git_tree.in_step) == []


def test_out_of_step(told: Told, on_main: Plan, world: World) -> None:
    world.source_control.apart = Distance(ahead=1, behind=2)
    assert told(git_tree.in_step, on_main) == [
        (
            "commit: got 1 ahead of origin/main and 2 behind, needs the same commit; "
            "hint: git pull origin main, then git push origin main"
        )
    ]


def test_a_branch_that_the_remote_has_not(told: Told, on_main: Plan, world: World) -> None:
    world.source_control.apart = None
    assert told(git_tree.in_step, on_main) == [
        "branch main of origin: got none, needs it there; hint: git push origin main"
    ]


def test_each_expected_commit_that_is_not_in(told: Told, plan: Plan, world: World) -> None:
    expecting = replace(plan, preflight=PreflightPlan(commits=("c0ffee", "8f14e45", "beef")))
    world.source_control.commits.add("beef")
    assert told(git_tree.holds_commits, expecting) == [
        (
            "commit 8f14e45: got a tree without it, needs it in; "
            "hint: merge it, or correct `preflight.commits` in release.yaml"
        )
    ]


def test_a_clone_that_is_too_shallow_to_tell_is_not_called_without_the_commit(
    told: Told, plan: Plan, world: World
) -> None:
    world.source_control.is_shallow = True
    expecting = replace(plan, preflight=PreflightPlan(commits=("c0ffee", "8f14e45")))
    assert told(git_tree.holds_commits, expecting) == [
        (
            "commit 8f14e45: got a shallow clone, needs the history that tells of it; hint: git "
            "fetch --unshallow, or have the pipeline clone the whole history"
        )
    ]


def test_what_is_no_checkout_is_told_where_the_tree_is_asked_for(
    told: Told, on_main: Plan, world: World
) -> None:
    world.source_control.is_checkout = False
    nothing = (
        "tree: got no git checkout with a commit, needs one; hint: release from a git checkout, "
        "or leave what asks of the tree out of the preflight's table"
    )
    assert told(git_tree.in_step, on_main) == [nothing]
    assert told(git_tree.holds_commits, on_main) == []
    expecting = replace(on_main, preflight=PreflightPlan(commits=("8f14e45",)))
    assert told(git_tree.holds_commits, expecting) == [nothing]


def test_the_remotes_own_commit_needs_no_branch_to_be_checked_out(
    told: Told, on_main: Plan, world: World
) -> None:
    change(world, branch="")
    assert told(git_tree.in_step, on_main) == []
    world.source_control.apart = Distance(0, 1)
    assert len(told(git_tree.in_step, on_main)) == 1
