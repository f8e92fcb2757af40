"""One production for all tests of the release act, and one project that was rehearsed once."""

from collections.abc import Iterator
from secrets import token_hex

import pytest

from cloudrun_emulator.emulator import LocalCloud
from cloudrun_emulator.ingress.envoy import EnvoyIngress
from cloudrun_emulator.runtime.docker import DockerRuntime
from tests.production.production import Ended, Production
from tests.registry import registry
from tests.rehearsal.project import Project


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    folder = tmp_path_factory.mktemp("production") / "project"
    project = Project.new(folder, f"greenrun-test-{token_hex(4)}/emergence-app")
    with (
        registry() as address,
        LocalCloud(DockerRuntime(), EnvoyIngress()) as cloud,
        Production.start(project, cloud, address) as production,
    ):
        yield production


@pytest.fixture(scope="session")
def first(production: Production) -> Ended:
    """The first release: rehearsed, pushed, migrated, proven and promoted."""
    return production.release()


@pytest.fixture
def baseline(production: Production, first: Ended) -> str:
    """Who serves everybody before a test's own release."""
    assert first.status == 0, first.output
    ((serving, share),) = production.serving.items()
    assert share == 100
    return serving
