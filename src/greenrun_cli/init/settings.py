"""release.yaml and env.yaml, as init writes them."""

import json
import re
from collections.abc import Mapping, Sequence

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from greenrun_cli.init.facts import Facts
from greenrun_cli.init.observation import Observation
from greenrun_cli.schema import ADDRESS

_LOCAL_CPU, _LOCAL_MEMORY = 1, "4Gi"
_REGION, _PROJECT = "europe-west1", "your-project"
_PLAIN = re.compile(r"[A-Za-z0-9/][^\n\"'#{}\[\],&*!|>@`]*")


def release_yaml(facts: Facts, seen: Observation | None = None) -> str:
    """What is released, and where to."""
    deploy = dict(facts.below("deploy"))
    secrets = {name: said.value for name, said in facts.secrets.items()}
    if secrets:
        deploy["update-secrets"] = secrets
    if seen and seen.health_path and "startup-probe" not in deploy:
        probe = {"path": seen.health_path, "period": "2s", "failure-threshold": 120}
        deploy["startup-probe"] = probe
    if seen and seen.ready_timeout:
        deploy["ready-timeout"] = seen.ready_timeout
    lines = [
        f"# yaml-language-server: $schema={ADDRESS}",
        "# What is released, and where to. Under `deploy` the keys are the flags of",
        "# `gcloud run deploy`; what is not said is kept as the service has it.",
        f"service: {facts.text('service')}",
        "",
        *_written("build", {"repository": _repository(facts), **dict(facts.below("build"))}),
        "",
        *(_written("deploy", deploy) if deploy else ()),
        *([""] if deploy else ()),
        *_written("canary", _canary(facts, seen)),
        "",
        "environments:",
        *_local(facts, deploy, seen),
        *_prod(facts, seen),
    ]
    return "\n".join(lines) + "\n"


def _repository(facts: Facts) -> str:
    place = f"{facts.text('region', _REGION)}-docker.pkg.dev/{facts.text('project', _PROJECT)}"
    service = facts.text("service")
    return facts.text("build.repository", f"{place}/{service}/{service}")


def _canary(facts: Facts, seen: Observation | None) -> dict[str, object]:
    steps = {"steps": sorted(facts.shares) or [10, 50]}
    if seen:
        return {**steps, **({"probes": list(seen.probes)} if seen.probes else {})}
    called = list(dict.fromkeys(f"GET {call.path}" for call in facts.calls if call.is_plain))[:3]
    return {**steps, **({"probes": called} if called else {})}


def _local(facts: Facts, deploy: Mapping[str, object], seen: Observation | None) -> Sequence[str]:
    """Smaller than production where this machine may be, and soon sure."""
    canary = {
        "max-duration": "2m",
        "beta": "20 %",
        "max-error-increase": "2 %",
        "latency-floor": f"{seen.latency_floor_milliseconds if seen else 300}ms",
        "underpowered": "lengthen",
    }
    own: dict[str, object] = {}
    if _many(deploy.get("cpu")):
        own["cpu"] = _LOCAL_CPU
        own["memory"] = (
            _LOCAL_MEMORY if _large(deploy.get("memory")) else deploy.get("memory", "512Mi")
        )
    told = {"project": "rehearsal", "region": facts.text("region", _REGION)}
    local = {**told, **({"deploy": own} if own else {}), "canary": canary}
    return [f"  {line}" for line in _written("local", local)]


def _many(cpu: object) -> bool:
    return str(cpu) in {"2", "4", "6", "8"}


def _large(memory: object) -> bool:
    amount = re.fullmatch(r"(\d+)(Gi|G)", str(memory))
    return amount is not None and int(amount[1]) > 4


def _prod(facts: Facts, seen: Observation | None) -> Sequence[str]:
    """With probes beside its users, so that a quiet service can be judged, too."""
    known = {key: facts.text(key) for key in ("project", "region") if facts.text(key)}
    rate = seen.probes_per_second(most=10) if seen else 0
    if len(known) == 2:
        canary = {"canary": {"probes-per-second": rate}} if rate else {}
        return [f"  {line}" for line in _written("prod", {**known, **canary})]
    return [
        "  # Where to, once it is known; and build.repository above is where images go:",
        "  # prod:",
        f"  #   project: {known.get('project', _PROJECT)}",
        f"  #   region: {known.get('region', _REGION)}",
        *([f"  #   canary: {{probes-per-second: {rate}}}"] if rate else ()),
    ]


def env_yaml(facts: Facts) -> str:
    """The plain variables, as `gcloud run deploy --env-vars-file` takes them."""
    head = "# Plain variables, as `gcloud run deploy --env-vars-file` takes them. No secrets.\n"
    told = {name: str(said.value) for name, said in facts.variables.items()}
    lines = (f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in told.items())
    return head + "".join(lines)


def _written(key: str, value: object) -> list[str]:
    """A key and its value as YAML, a line each; a mapping stands below its key."""
    if isinstance(value, list) and any(isinstance(item, str) for item in value):
        return [f"{key}:", *(f"  - {_inline(item)}" for item in value)]
    if not isinstance(value, Mapping):
        return [f"{key}: {_inline(value)}"]
    if not value:
        return [f"{key}: {{}}"]
    inner = [line for name, entry in value.items() for line in _written(str(name), entry)]
    return [f"{key}:", *(f"  {line}" for line in inner)]


def _inline(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, bool) or not isinstance(value, str):
        return json.dumps(value)
    return value if _is_plain(value) else json.dumps(value, ensure_ascii=False)


def _is_plain(text: str) -> bool:
    """True where YAML reads the bare text as itself, also in a list."""
    try:
        is_read = _PLAIN.fullmatch(text) and YAML(typ="safe", pure=True).load(f"[{text}]") == [text]
        return bool(is_read)

    except YAMLError:
        return False
