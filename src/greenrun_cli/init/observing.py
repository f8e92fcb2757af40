"""Builds and starts the image once, as a rehearsal does, and asks what answers."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from time import monotonic

from greenrun.adapters.docker.builder import DockerBuilder
from greenrun.adapters.docker.engine import connect, refused
from greenrun.adapters.machine import SystemClock
from greenrun.checks.logs import checks as logs
from greenrun.config import load_plan
from greenrun.model.errors import CallFailed, GateClosed, ReleaseError
from greenrun.model.extras import OPENAPI
from greenrun.model.image import Image, Source
from greenrun.model.interfaces import Dependencies, HttpRequest, HttpResponse, OpenApiTest
from greenrun.model.plan import NEVER_ARRIVES, REHEARSAL, Plan
from greenrun.model.text import without_passwords
from greenrun.release.coordination.journal import Journal
from greenrun.release.rehearsal import environment
from greenrun.release.rehearsal.environment import StandIn
from greenrun.steps.wiring.adapters import Adapters, plant_secrets
from greenrun.steps.wiring.rehearsal import local_cloud
from greenrun_cli.init import settings
from greenrun_cli.init.facts import Facts
from greenrun_cli.init.observation import (
    CATCHES_ALL,
    Answer,
    Observation,
    families,
    is_the_same,
    promises,
    stable,
)

Tell = Callable[[str], None]

HEALTH = (
    *("/health", "/api/health", "/healthz", "/health/ready", "/ready", "/readyz", "/livez"),
    *("/status", "/ping", "/up", "/_health", "/-/healthy"),
)
OPENAPI_PATHS = ("/openapi.json", "/api/openapi.json", "/swagger.json")
METRICS_PATHS = ("/metrics", "/api/metrics")
_MESSAGE = '{"message": {"data": "aGVsbG8=", "messageId": "1"}, "subscription": "greenrun"}'
"""What Pub/Sub pushes: https://cloud.google.com/pubsub/docs/push#receive_push"""

_REFUSED = {405, 501}
_TIMES = 5
_STARTED_WITHIN = timedelta(minutes=4)
_ANSWERED_WITHIN = timedelta(seconds=10)
_LOGGED_WITHIN = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class _Silent:
    """Progress that nobody watches but by what stays."""

    tell: Tell

    def report(self, text: str) -> None:
        """Pass over what the next line would replace."""

    def present(self, text: str) -> None:
        """Tell what stays."""
        self.tell(text)

    def note(self, event: str, **facts: object) -> None:
        """Pass over what machines would read."""


def observe(folder: Path, facts: Facts, tell: Tell) -> Observation:
    """Build the image, start it once on a cloud of our own, and ask.

    Raises GateClosed where it cannot be built or does not start, CallFailed without an engine.
    """
    DockerBuilder(folder).engine()
    with ExitStack() as stack:
        addresses = stack.enter_context(local_cloud())
        drafts = Path(stack.enter_context(TemporaryDirectory()))
        there = addresses()
        adapters = stack.enter_context(
            closing(Adapters.at_emulator(there.grpc, without_passwords, there.metadata))
        )
        tell("building the image")
        dependencies = _dependencies(adapters, _plan(facts, folder, drafts), folder, tell)
        image = dependencies.builder.build(
            _plan(facts, folder, drafts).build, tag="observed", watch=_Silent(tell).report
        ).image
        _take_port(facts, image)
        plan = _plan(facts, folder, drafts)
        plant_secrets(adapters.clients, plan)
        tell("starting it, and asking what answers")
        return _Observer(plan, _dependencies(adapters, plan, folder, tell), facts).observe(
            image, Journal(drafts / "journal.jsonl", SystemClock())
        )


def _plan(facts: Facts, folder: Path, drafts: Path) -> Plan:
    """The rehearsal's plan by what is known so far, of a service that lets everybody in."""
    (drafts / "release.yaml").write_text(settings.release_yaml(facts), "utf-8")
    if facts.variables:
        (drafts / "env.yaml").write_text(settings.env_yaml(facts), "utf-8")
    named = facts.text("deploy.env-vars-file")
    if named:
        (drafts / named).parent.mkdir(parents=True, exist_ok=True)
        copyfile(folder / named, drafts / named)
    plan = load_plan(drafts, REHEARSAL)
    return replace(plan, public=True, ready_timeout=_STARTED_WITHIN, migration=None)


def _dependencies(adapters: Adapters, plan: Plan, folder: Path, tell: Tell) -> Dependencies:
    return adapters.dependencies(plan, Source(folder, ""), _Silent(tell))


def _take_port(facts: Facts, image: Image) -> None:
    """Where nothing else tells of a port, what the base image exposes does."""
    if "deploy.port" in facts.said:
        return
    with closing(connect()) as client, refused(f"inspect image {image.reference}"):
        found = client.inspect_image(str(image.digest))  # type: ignore[no-untyped-call] # bare there
    exposed = [port.partition("/")[0] for port in found["Config"].get("ExposedPorts") or ()]
    if len(exposed) == 1:
        facts.say("deploy.port", int(exposed[0]), "EXPOSE of the image")


class _Observer:
    """Asks the one revision of a service."""

    def __init__(self, plan: Plan, dependencies: Dependencies, facts: Facts) -> None:
        self._plan = plan
        self._dependencies = dependencies
        self._facts = facts
        self._url = ""
        self._remarks: list[str] = []

    def observe(self, image: Image, journal: Journal) -> Observation:
        """Start it, and ask everything."""
        began, revision = monotonic(), f"{self._plan.service}-observed"
        stand_in = StandIn(revision, image.reference)
        environment.start(self._plan, self._dependencies, journal, stand_in)
        started_in = timedelta(seconds=monotonic() - began)
        service = self._dependencies.platform.service()
        assert service is not None  # noqa: S101 - it was started
        self._url = service.url
        log_is_clean = self._log_is_clean(revision)
        metrics_path, found = self._metrics()
        openapi = self._openapi()
        answers = [*self._answers(metrics_path), *self._sent(), *self._pushed()]
        return Observation(
            answers=answers,
            started_in=started_in,
            log_is_clean=log_is_clean,
            metrics_path=metrics_path,
            families=found,
            fewest_families=len(found),
            openapi=openapi,
            remarks=self._remarks,
        )

    def _ask(self, path: str, method: str = "GET", sends: str = "") -> HttpResponse | None:
        """The answer; None where none came."""
        body = json.loads(sends) if sends else None
        request = HttpRequest(self._url + path, method, json=body, within=_ANSWERED_WITHIN)
        try:
            return self._dependencies.web.send(request)
        except CallFailed:
            return None

    def _answers(self, metrics_path: str) -> Iterator[Answer]:
        """What every path of interest answers; of those that nobody named, only what is there."""
        anything = self._ask(CATCHES_ALL)
        called = [call.path for call in self._facts.calls if call.method == "GET"]
        for path in dict.fromkeys(["/", *called, *HEALTH]):
            if path == metrics_path or not (responses := self._several(path)):
                continue
            first, named = responses[0], path in {"/", *called}
            if not named and (first.status >= 400 or is_the_same(first, anything)):
                continue
            if path in NEVER_ARRIVES:
                self._remarks.append(
                    f"{path} answers here, and never on Google, whose front end keeps it for itself"
                )
                continue
            if first.status >= 500:
                self._remarks.append(
                    f"GET {path} answers {first.status}: name what users ask in canary.probes, and "
                    "in features/05-endpoints.feature"
                )
            yield self._answer(path, responses)

    def _several(self, path: str) -> list[HttpResponse]:
        """Several answers of one kind; none where they differ, or one does not come."""
        first = self._ask(path)
        if first is None:
            self._remarks.append(f"GET {path} was not answered within {_ANSWERED_WITHIN.seconds} s")
            return []
        answers = [first, *(filter(None, (self._ask(path) for _ in range(_TIMES - 1))))]
        if {each.status for each in answers} != {first.status}:
            told = ", ".join(str(each.status) for each in answers)
            self._remarks.append(f"GET {path} answers differently each time: {told}")
            return []
        return answers

    def _answer(self, path: str, responses: Sequence[HttpResponse]) -> Answer:
        first = responses[0]
        wanted = [each for call in self._facts.calls if call.path == path for each in call.promises]
        return Answer(
            "GET",
            path,
            first.status,
            content_type=first.headers.get("content-type", "").partition(";")[0].strip(),
            promises=tuple(dict.fromkeys([*stable(responses), *promises(wanted, responses)])),
            slowest=max(each.latency for each in responses),
        )

    def _sent(self) -> Iterator[Answer]:
        """What requests get that change something, which procedures make."""
        for call in self._facts.calls:
            if not call.changes_nothing and (got := self._ask(call.path, call.method, call.sends)):
                held = tuple(promises(call.promises, [got]))
                yield Answer(call.method, call.path, got.status, promises=held, sends=call.sends)

    def _pushed(self) -> Iterator[Answer]:
        """What `POST /` makes of a message, where `GET /` is refused and POST is not."""
        refused = self._ask("/")
        if refused is None or refused.status not in _REFUSED:
            return
        answer = self._ask("/", "POST", _MESSAGE)
        if answer is not None and 200 <= answer.status < 300:
            yield Answer("POST", "/", answer.status, sends=_MESSAGE)

    def _metrics(self) -> tuple[str, Sequence[tuple[str, str]]]:
        called = [call.path for call in self._facts.calls if "metrics" in call.path]
        for path in dict.fromkeys([*called, *METRICS_PATHS]):
            answer = self._ask(path)
            if answer is not None and answer.status == 200 and (found := families(answer)):
                return path, found
        return "", ()

    def _openapi(self) -> str:
        """The path of a document whose every GET answers as it says; empty where there is none."""
        for path in OPENAPI_PATHS:
            answer = self._ask(path)
            if answer is None or answer.status != 200 or '"paths"' not in answer.body:
                continue
            if not OPENAPI.is_installed:
                self._remarks.append(f"{path} is not proven: {OPENAPI.lack}")
                return ""
            return path if self._keeps(path, answer.body) else ""
        return ""

    def _keeps(self, path: str, document: str) -> bool:
        try:
            examined = self._dependencies.examiner.examine(OpenApiTest(document, self._url))
        except (GateClosed, ReleaseError) as error:
            self._remarks.append(f"{path} is not proven: {error.message}")
            return False
        unasked = [name for name, answers in examined.answered.items() if not answers]
        if deviations := [*map(str, examined.deviations), *unasked]:
            self._remarks.append(f"{path} is not proven: {deviations[0].splitlines()[0]}")
        return not deviations and bool(examined.answered)

    def _log_is_clean(self, revision: str) -> bool:
        """Judge the log of its start, before we ask for what may not be there."""
        self._dependencies.clock.sleep(_LOGGED_WITHIN)
        entries = self._dependencies.logs.of_revision(revision)
        errors = [each.entry for each in logs.judged(entries) if each.mark is logs.Mark.ERROR]
        if errors:
            self._remarks.append(f"its log has errors, so no promise is made of it: {errors[0]}")
        elif not entries:
            self._remarks.append("it logs nothing, so no promise is made of its log")
        return bool(entries) and not errors
