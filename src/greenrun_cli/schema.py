"""The JSON schema of release.yaml, made of the sections that read it."""

import json
from typing import Any

from greenrun.config.schema import Release

ADDRESS = "https://raw.githubusercontent.com/greenrun-dev/greenrun/main/docs/release.schema.json"
"""Where editors find it (`# yaml-language-server: $schema=`)."""


def text() -> str:
    """The schema as a file has it."""
    return json.dumps(_schema(), indent=2, ensure_ascii=False) + "\n"


def _schema() -> dict[str, Any]:
    """What an environment says goes over the rest, so that both have the same keys."""
    release: dict[str, Any] = _plain(Release.model_json_schema())
    parts = release.pop("$defs")
    overlay = {"type": "object", "additionalProperties": {"$ref": "#/$defs/Release"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ADDRESS,
        **release,
        "title": "release.yaml",
        "properties": {**release["properties"], "environments": overlay},
        "required": ["environments"],
        "$defs": {**parts, "Release": release},
    }


def _plain(found: Any) -> Any:  # noqa: ANN401 - any JSON
    """Without nothing as a default, or as a choice: a key that is left out is not written."""
    if isinstance(found, list):
        return [_plain(item) for item in found]
    if not isinstance(found, dict):
        return found
    kept = {key: _plain(item) for key, item in found.items() if not _says_nothing(key, item)}
    choices = [choice for choice in kept.pop("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) > 1:
        return {"anyOf": choices, **kept}
    return {**(choices[0] if choices else {}), **kept}


def _says_nothing(key: str, item: object) -> bool:
    return (key == "title" and isinstance(item, str)) or (
        key == "default" and item in (None, "", [])
    )
