"""What `gcloud` and `docker` are told on a command line, as keys of release.yaml."""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from greenrun.config.deploy import DeploySection
from greenrun.model.forms import BOOLEAN
from greenrun.model.revision import FLAGS
from greenrun_cli.init.facts import Facts
from greenrun_cli.init.reading import structured
from greenrun_cli.init.reading.secrets import looks_secret
from greenrun_cli.init.reading.shell import Command, plain, unknown
from greenrun_cli.init.reading.structured import entries

_GROUPS = frozenset({"alpha", "beta"})
_SWITCHES = frozenset(
    {flag.key for flag in FLAGS if flag.form is BOOLEAN}
    | {"allow-unauthenticated", "async", "automatic-updates", "cpu-throttling", "default-url"}
    | {"gpu-zonal-redundancy", "invoker-iam-check", "iap", "quiet", "q", "to-latest", "traffic"}
    | {"deploy-health-check", "cpu-boost", "session-affinity", "use-http2"}
    | {"clear-env-vars", "clear-secrets", "clear-labels", "clear-cloudsql-instances", "push"}
)
"""Flags of gcloud that take no value, each also with `no-` before it."""

_NOT = {"true": "false", "false": "true"}

_OF_THE_COMMAND = frozenset(
    {"platform", "quiet", "q", "format", "async", "traffic", "to-latest", "revision-suffix"}
    | {"verbosity", "account", "configuration", "log-http", "user-output-enabled", "no-traffic"}
)
"""Flags that tell nothing of the service."""

_PREFIXED = re.compile(r"(?:set|update|add)-(.+)")
_IMAGE = re.compile(r"(?P<repository>[^@]+?)(?::[\w.\u2039-][^/]*)?(?:@sha256:\w+)?")
_HOST = re.compile(r"[^/]+[.:][^/]*/")
_KNOWN = {str(item.alias): item for item in DeploySection.model_fields.values()}


def read(command: Command, place: str, facts: Facts) -> None:
    """Take over what a command says of the service; what it says and nobody reads is told."""
    words = [word for word in command.words if word not in _GROUPS]
    match words:
        case ["gcloud", "run", "deploy", *rest] | ["gcloud", "run", "services", "update", *rest]:
            _deploy(rest, place, facts)
        case ["gcloud", "run", "services", "update-traffic", *rest]:
            _traffic(rest, place, facts)
        case ["gcloud", "run", "services", "replace", *_]:
            facts.skip(place, plain(" ".join(words)), "init reads no YAML of Knative")
        case ["gcloud", "run", "jobs", "deploy" | "create" | "update" | "execute", *_]:
            text = plain(" ".join(words[:5]))
            facts.skip(place, text, "a job: see `migration` in docs/release-yaml.md")
        case ["gcloud", "config", "set", name, value]:
            _keep(name.removeprefix("run/"), value, place, facts, {"project", "region"})
        case ["gcloud", "builds", "submit", *rest]:
            _submit(rest, place, facts)
        case ["docker", "build", *rest] | ["docker", "buildx", "build", *rest]:
            _build(rest, place, facts)
        case ["docker", "push", image] | ["docker", "tag", _, image]:
            _repository(image, place, facts)
        case _:
            return


def _deploy(words: Sequence[str], place: str, facts: Facts) -> None:
    for flag, value in _flags(words):
        if not flag:
            _keep("service", value, place, facts, {"service"})
        else:
            _flag(flag, value, place, facts)


def _flags(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Flags with their values, `true` or `false` for switches; of a bare word, no flag."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            yield "", word
            continue
        name, has_value, value = word.lstrip("-").partition("=")
        positive = name.removeprefix("no-")
        if positive in _SWITCHES:
            truth = value.lower() if has_value else "true"
            yield positive, _NOT.get(truth, truth) if name != positive else truth
        elif has_value:
            yield name, value
        else:
            yield name, rest.pop(0) if rest and not rest[0].startswith("--") else ""


def _flag(name: str, value: str, place: str, facts: Facts) -> None:
    told = f"--{name} {plain(value)}".rstrip()
    if name in _OF_THE_COMMAND:
        return
    if name in structured.WITH_SECRETS:
        structured.variables(value, place, facts)
    elif (lacking := unknown(value)) and name != "image":
        facts.skip(place, told, f"{lacking} is not known from this file")
    elif name in {"project", "region"}:
        facts.say(name, value, place)
    elif name == "image":
        _repository(value, place, facts)
    elif name == "source":
        facts.skip(place, told, "a release builds the Dockerfile of this folder")
    elif name in structured.READERS:
        structured.READERS[name](value, place, facts)
    else:
        _of_deploy(name, value, place, facts)


def _of_deploy(name: str, value: str, place: str, facts: Facts) -> None:
    """A flag by its own name under `deploy`, in the first form that the key takes."""
    told = f"--{name} {value}".rstrip()
    prefixed = _PREFIXED.fullmatch(name)
    names = [
        name,
        *([prefixed[1], f"add-{prefixed[1]}", f"update-{prefixed[1]}"] if prefixed else []),
    ]
    key = next((each for each in names if each in _KNOWN), "")
    if not key:
        facts.skip(place, told, "no key of release.yaml: a release leaves it as the service has it")
        return
    forms = list(_forms(value))
    accepted = (form for form in forms if not facts.refusal(f"deploy.{key}", form))
    facts.say(f"deploy.{key}", next(accepted, forms[0]), place)


def _forms(value: str) -> Iterator[object]:
    """What a text can mean: a truth, a number, itself, a list, a mapping."""
    if value in {"true", "false"}:
        yield value == "true"
    if re.fullmatch(r"\d{1,9}", value):
        yield int(value)
    yield value
    parts = entries(value)
    yield parts
    pairs = [part.partition("=") for part in parts]
    if all(separator for _, separator, _ in pairs):
        yield {name: text for name, _, text in pairs}


def _traffic(words: Sequence[str], place: str, facts: Facts) -> None:
    """The share that a candidate is given by hand is a step of the canary."""
    for flag, value in _flags(words):
        if not flag:
            _keep("service", value, place, facts, {"service"})
        elif flag in {"project", "region"}:
            _keep(flag, value, place, facts, {flag})
        elif flag in {"to-revisions", "to-tags"}:
            shares = [entry.rpartition("=")[2] for entry in entries(value)]
            first = int(shares[0]) if shares and shares[0].isdecimal() else 0
            facts.shares |= {first} & set(range(1, 100))


def _submit(words: Sequence[str], place: str, facts: Facts) -> None:
    for flag, value in _flags(words):
        if flag in {"tag", "t"}:
            _repository(value, place, facts)
        elif flag == "project":
            _keep("project", value, place, facts, {"project"})


def _build(words: Sequence[str], place: str, facts: Facts) -> None:
    arguments: dict[str, str] = {}
    for flag, value in _flags(words):
        if flag in {"tag", "t"}:
            _repository(value, place, facts)
        elif flag in {"file", "f"} and not unknown(value):
            facts.say("build.dockerfile", str(PurePosixPath(value)), place)
        elif flag == "platform" and value != "linux/amd64":
            facts.skip(place, f"--platform {plain(value)}", "Cloud Run runs linux/amd64")
        elif flag == "target" and not unknown(value):
            facts.say("build.target", value, place)
        elif flag == "build-arg":
            arguments |= _argument(value, place, facts)
        elif flag in {"secret", "ssh", "target"}:
            told = f"--{flag} {plain(value)}"
            facts.skip(place, told, "see `build` in docs/release-yaml.md")
        elif not flag and value not in {".", ""} and not unknown(value):
            facts.say("build.context", str(PurePosixPath(value)), place)
    if arguments:
        facts.say("build.args", arguments, place)


def _argument(value: str, place: str, facts: Facts) -> dict[str, str]:
    """A build argument, unless it has no value here, or one that must not be written down."""
    name, _, text = value.partition("=")
    if not text or unknown(text) or looks_secret(name, text):
        why = "its value is not known from this file, or looks like a secret"
        facts.skip(place, f"--build-arg {name}", why)
        return {}
    return {name: text}


def _repository(image: str, place: str, facts: Facts) -> None:
    """The repository of an image that a registry holds; other names stay on their machine."""
    named = _IMAGE.fullmatch(image)
    repository = named["repository"] if named else image
    if not _HOST.match(repository):
        return
    if lacking := unknown(repository):
        facts.skip(place, plain(image), f"{lacking} is not known from this file")
    else:
        facts.say("build.repository", repository, place)


def _keep(key: str, value: str, place: str, facts: Facts, keys: set[str]) -> None:
    if key not in keys:
        return
    if lacking := unknown(value):
        facts.skip(place, f"{key} {plain(value)}", f"{lacking} is not known from this file")
    else:
        facts.say(key, value, place)
