"""A release whose candidate runs, and what that answers."""

import json
from collections.abc import Callable
from datetime import timedelta

from greenrun.model.interfaces import HttpRequest, HttpResponse
from greenrun.release.release import Release
from tests.conftest import World
from tests.stages import deployed


def deploy(release: Release) -> Release:
    """Take a release of fakes as far as its candidate."""
    return deployed(release)


def answer(body: object = "", status: int = 200, milliseconds: int = 1) -> HttpResponse:
    """An answer with JSON, or with a text as it is."""
    text = body if isinstance(body, str) else json.dumps(body)
    return HttpResponse(status, {}, text, timedelta(milliseconds=milliseconds))


def candidate_answers(
    world: World, path: str, by: HttpResponse | Callable[[HttpRequest], HttpResponse]
) -> None:
    """From now on the candidate answers so at a path."""
    world.web.answers[f"/candidate{path}"] = by
