import subprocess
import sys

HEAVY = ("google", "docker", "testcontainers", "httpx", "grpc", "pydantic", "playwright", "rich")


def test_every_run_of_pytest_pays_for_the_plugin_so_it_is_light() -> None:
    loaded = (
        f"import greenrun.plugin.plugin, sys; print(*sorted(sys.modules.keys() & {set(HEAVY)}))"
    )

    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []
