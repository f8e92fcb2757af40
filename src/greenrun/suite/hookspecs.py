"""What greenrun asks the suite around it."""

from collections.abc import Mapping

import pytest


def pytest_greenrun_environment(config: pytest.Config) -> Mapping[str, str]:  # type: ignore[empty-body]  # a specification
    """Facts for the head of the report: service, image, commit, versions. Several may answer."""
