"""The service as it is live, through the official client: every setting that it has."""

import os
from contextlib import closing

from greenrun.adapters.gcp.clients import Endpoints, GoogleClients
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.adapters.machine import SystemClock
from greenrun.config.deploy import as_keys
from greenrun.model.errors import ReleaseError
from greenrun.model.plan import Location
from greenrun.model.revision import Revision, ServiceSettings
from greenrun.model.service import Service, baseline_of
from greenrun_cli.init.facts import Facts
from greenrun_cli.init.reading.secrets import looks_secret

_READ_APART = frozenset({"set-env-vars", "update-secrets"})


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
        public, of_service = platform.invokable_by_all(), platform.service_settings()
    where = f"the live service {name}"
    facts.say("service", name, where)
    facts.say("project", place.project, where)
    facts.say("region", place.region, where)
    facts.say("deploy.allow-unauthenticated", public, where)
    if revision is not None:
        _take(revision, of_service, facts, f"the live revision {revision.name}")


def _serving(service: Service) -> str:
    try:
        return baseline_of(service)
    except ValueError as error:
        raise ReleaseError(f"could not tell which settings are live: {error}") from error


def _take(revision: Revision, of_service: ServiceSettings, facts: Facts, where: str) -> None:
    repository = revision.image.partition("@")[0]
    head, _, last = repository.rpartition("/")
    facts.say("build.repository", f"{head}/{last.partition(':')[0]}", where)
    settings = revision.settings
    for key, value in (as_keys(settings) | as_keys(of_service)).items():
        if key not in _READ_APART and value is not False:
            facts.say(f"deploy.{key}", value, where)
    for variable, reference in (settings.secrets or {}).items():
        facts.set_secret(variable, str(reference), where)
    for variable, text in (settings.variables or {}).items():
        if looks_secret(variable, text):
            facts.set_secret(variable, f"{variable}:latest", where)
            why = "looks like a secret, and was not taken over: put it into Secret Manager under"
            facts.skip(where, variable, f"{why} this name")
        else:
            facts.set_variable(variable, text, where)
