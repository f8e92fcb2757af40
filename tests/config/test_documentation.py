"""docs/release-yaml.md is true: every key, and every default that it states."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from ruamel.yaml import YAML

from greenrun.config import load_plan
from greenrun.config.deploy import flags_table
from greenrun.config.schema import Release
from greenrun.config.values import Section
from greenrun.model.plan import Plan
from greenrun.model.revision import FLAGS

PAGE = (Path(__file__).parents[2] / "docs" / "release-yaml.md").read_text()
RELEASE, ELSEWHERE, VARIABLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
DEFAULT = re.compile(
    r"^(?P<key> *[a-z-]+: )(?P<value>.*?) +# default (?P<default>[^;\n]+).*", re.MULTILINE
)
MAPPINGS = {"update-secrets", "identities", "quality-gates", "headers", "sends", "args"}
NAMED = {"containers", "volumes", "figures", "secrets"}
"""What stands below them has names that people choose."""
DEFAULTS = list(DEFAULT.finditer(RELEASE))


def plan(directory: Path, release: str) -> Plan:
    (directory / "release.yaml").write_text(release)
    (directory / "env.yaml").write_text(VARIABLES)
    return load_plan(directory, "prod")


def section_of(annotation: object) -> type[Section] | None:
    """The section that an annotation is about, wherever in it."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next(filter(None, map(section_of, get_args(annotation))), None)


def keys_known(section: type[Section], above: str = "") -> Iterator[str]:
    for field in section.model_fields.values():
        yield f"{above}{field.alias}"
        if inner := section_of(field.annotation):
            yield from keys_known(inner, f"{above}{field.alias}.")


def keys_shown(mapping: dict[str, object], above: str = "") -> Iterator[str]:
    for key, value in mapping.items():
        yield f"{above}{key}"
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict):
                yield from keys_shown(item, f"{above}{key}.")
        if isinstance(value, dict) and key not in MAPPINGS:
            for inner in value.values() if key in NAMED else (value,):
                yield from keys_shown(inner, f"{above}{key}.")


def test_the_example_and_the_table_show_every_key_and_no_other() -> None:
    example = YAML(typ="safe", pure=True).load(RELEASE)
    del example["environments"]
    elsewhere = YAML(typ="safe", pure=True).load(ELSEWHERE)
    tabled = {f"deploy.{flag.key}" for flag in FLAGS}
    shown, known = (
        {".".join(key.split(".")[:2]) if key.startswith("deploy.") else key for key in keys}
        for keys in ((*keys_shown(example), *keys_shown(elsewhere)), keys_known(Release))
    )
    assert shown | tabled == known


def test_an_image_that_was_built_elsewhere_stands_in_for_a_build(tmp_path: Path) -> None:
    before, after = RELEASE.split("build:", 1)[0], RELEASE[RELEASE.index("\ndeploy:") :]

    built = plan(tmp_path, f"{before}{ELSEWHERE}{after}").build

    assert built.image == f"{built.repository}@{built.image.partition('@')[2]}"


def test_the_table_of_the_flags_is_the_one_that_is_documented() -> None:
    assert flags_table() in PAGE, f"docs/release-yaml.md needs this table:\n{flags_table()}"


def test_the_example_is_a_plan(tmp_path: Path) -> None:
    assert plan(tmp_path, RELEASE).settings.variables == {
        "DATABASE_URL": "sqlite:////data/emergence.db",
        "WORKERS": "2",
    }


@pytest.mark.parametrize("line", DEFAULTS, ids=lambda line: line["key"].strip(" :"))
def test_a_key_that_is_left_out_has_the_default_that_is_stated(
    tmp_path: Path, line: re.Match[str]
) -> None:
    before, after = RELEASE[: line.start()], RELEASE[line.end() :]
    stated = plan(tmp_path, f"{before}{line['key']}{line['default']}{after}")

    assert plan(tmp_path, f"{before}{after}") == stated
    assert line["value"] == line["default"] or plan(tmp_path, RELEASE) != stated


def test_defaults_are_stated() -> None:
    assert len(DEFAULTS) == RELEASE.count("# default") > 20
