"""The service as it is live, through the official client: every setting that it has."""

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import fields, is_dataclass
from datetime import timedelta

from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.adapters.machine import SystemClock
from greenrun.model.errors import ReleaseError
from greenrun.model.forms import spell_duration
from greenrun.model.plan import Location
from greenrun.model.revision import FLAGS, Revision
from greenrun.model.service import Service, baseline_of
from greenrun_cli.init.facts import Facts
from greenrun_cli.init.reading.secrets import looks_secret

_READ_APART = frozenset({"variables", "secrets"})


def read(name: str, place: Location, facts: Facts) -> None:
    """Take every live setting over, of the revision that serves.

    Raises ReleaseError where there is no such service, or it cannot be read.
    """
    with closing(GoogleClients(Endpoints.from_variables(os.environ))) as clients:
        platform = CloudRun(clients, place, name, SystemClock())
        service = platform.service()
        if service is None:
            raise ReleaseError(
                f"could not read {name}: got no such service in {place.region} of {place.project}",
                hint="`gcloud run services list` tells what there is",
            )
        revision = platform.revision(_serving(service))
        public = platform.invokable_by_all()
    where = f"the live service {name}"
    facts.say("service", name, where)
    facts.say("project", place.project, where)
    facts.say("region", place.region, where)
    facts.say("deploy.allow-unauthenticated", public, where)
    if revision is not None:
        _take(revision, facts, f"the live revision {revision.name}")


def _serving(service: Service) -> str:
    try:
        return baseline_of(service)
    except ValueError as error:
        raise ReleaseError(f"could not tell which settings are live: {error}") from error


def _take(revision: Revision, facts: Facts, where: str) -> None:
    repository = revision.image.partition("@")[0]
    head, _, last = repository.rpartition("/")
    facts.say("build.repository", f"{head}/{last.partition(':')[0]}", where)
    settings = revision.settings
    for flag in FLAGS:
        value = getattr(settings, flag.field)
        if flag.field not in _READ_APART and value not in (None, "", ()) and value != {}:
            facts.say(f"deploy.{flag.key}", as_written(value), where)
    for variable, reference in (settings.secrets or {}).items():
        facts.set_secret(variable, str(reference), where)
    for variable, text in (settings.variables or {}).items():
        if looks_secret(variable, text):
            facts.set_secret(variable, f"{variable}:latest", where)
            why = "looks like a secret, and was not taken over: put it into Secret Manager under"
            facts.skip(where, variable, f"{why} this name")
        else:
            facts.set_variable(variable, text, where)


def as_written(value: object) -> object:
    """A setting in the form that release.yaml has it."""
    if isinstance(value, timedelta):
        return spell_duration(value)
    if isinstance(value, Mapping):
        return {str(name): as_written(entry) for name, entry in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        found = {item.name.replace("_", "-"): getattr(value, item.name) for item in fields(value)}
        return {name: as_written(entry) for name, entry in found.items() if entry not in (None, "")}
    if isinstance(value, tuple):
        return _listed(value)
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _listed(values: tuple[object, ...]) -> object:
    """Things that have names stand below them, as keys do."""
    named = {str(getattr(value, "name", "")): value for value in values}
    if "" in named:
        return [as_written(value) for value in values]
    return {name: _without_name(as_written(value)) for name, value in named.items()}


def _without_name(value: object) -> object:
    return {k: v for k, v in value.items() if k != "name"} if isinstance(value, dict) else value
