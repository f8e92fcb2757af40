"""The images of a campaign do what they are there for."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import httpx
import pytest

from cloudrun_emulator.core.interfaces import InstanceSpec
from cloudrun_emulator.core.time import wait_until
from cloudrun_emulator.runtime.in_process import InProcessInstance, InProcessRuntime
from tests.campaign.programs import FAILING, HEALTHY, MIGRATE, SLOW, Database, campaign

SOON = timedelta(seconds=20)
NAME = "20251009_enrich_costs"


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def runtime(database: Database) -> Iterator[InProcessRuntime]:
    with closing(InProcessRuntime(campaign(database))) as made:
        yield made


def start(runtime: InProcessRuntime, image: str, *command: str, **env: str) -> InProcessInstance:
    return runtime.start(InstanceSpec("test", image, {}, env, command=command))


def statuses(instance: InProcessInstance, requests: int) -> list[int]:
    wait_until(instance.lines, SOON, "a start-up line")
    host, port = instance.address
    url = f"http://{host}:{port}/api/health"
    return [httpx.get(url, trust_env=False).status_code for _ in range(requests)]


def ran(runtime: InProcessRuntime, *command: str) -> tuple[int | None, list[str]]:
    instance = start(runtime, HEALTHY, *command)
    wait_until(lambda: instance.exit_code() is not None, SOON, "an exit code")
    return instance.exit_code(), [line.text for line in instance.lines()]


def test_the_healthy_one_is_well(runtime: InProcessRuntime) -> None:
    assert statuses(start(runtime, HEALTHY), 3) == [200, 200, 200]


def test_the_failing_one_fails_every_second_time(runtime: InProcessRuntime) -> None:
    assert statuses(start(runtime, FAILING), 4) == [200, 500, 200, 500]
    assert statuses(start(runtime, FAILING, FAIL_PERCENT="25"), 4) == [200, 200, 200, 500]


def test_the_slow_one_takes_its_time(runtime: InProcessRuntime) -> None:
    slow = start(runtime, SLOW, ANSWER_MILLISECONDS="60000")
    host, port = slow.address
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"http://{host}:{port}/", trust_env=False, timeout=0.2)


def test_a_migration_is_pending_until_it_is_applied(runtime: InProcessRuntime) -> None:
    code, (line,) = ran(runtime, MIGRATE, "status")
    row = {"name": NAME, "state": "pending", "contracts": False}
    assert (code, json.loads(line)) == (0, {"migrations": [row]})
    assert ran(runtime, MIGRATE, "check")[0] == 1
    assert ran(runtime, MIGRATE, "apply") == (0, [f"applied {NAME}"])
    code, (line,) = ran(runtime, MIGRATE, "status")
    assert json.loads(line) == {"migrations": [row | {"state": "applied"}]}
    assert ran(runtime, MIGRATE, "check")[0] == 0


def test_of_many_that_apply_at_once_one_does(runtime: InProcessRuntime, database: Database) -> None:
    with ThreadPoolExecutor(8) as runs:
        list(runs.map(lambda _: ran(runtime, MIGRATE, "apply"), range(8)))
    assert database.applied == Counter({NAME: 1})


def test_a_wrong_command_is_refused(runtime: InProcessRuntime) -> None:
    assert ran(runtime, MIGRATE, "undo")[0] == 2
