"""What is collected needs no vendor: adapters are imported when a release begins."""

import subprocess
import sys

HEAVY = (
    *("docker", "google", "grafana_foundation_sdk", "grpc", "httpx", "hypothesis", "jinja2"),
    *("jsonschema", "matplotlib", "playwright", "prometheus_client", "pydantic", "requests"),
    *("ruamel", "schemathesis", "testcontainers", "websockets"),
)


def test_the_vocabulary_imports_nothing_that_takes_a_while() -> None:
    loaded = (
        "import sys, importlib, greenrun.plugin.hooks, greenrun.steps as vocabulary\n"
        "for name in vocabulary.pytest_plugins: importlib.import_module(name)\n"
        f"print(*sorted(sys.modules.keys() & {set(HEAVY)}))"
    )

    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []
