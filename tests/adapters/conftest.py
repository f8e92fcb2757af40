"""What tests of the adapters share."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from greenrun.adapters.http.web import HttpWeb


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpWeb]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with closing(HttpWeb(str, within=timedelta(seconds=1))) as web:
        yield web
