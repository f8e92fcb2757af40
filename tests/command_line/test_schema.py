"""`greenrun schema`: release.yaml for editors."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from greenrun_cli import schema
from tests.command_line.conftest import Greenrun
from tests.config.test_documentation import RELEASE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/release.schema.json"
SCHEMA = json.loads(schema.text())


def load(text: str) -> object:
    return YAML(typ="safe", pure=True).load(text)


def complaints(release: object) -> list[str]:
    return [each.json_path for each in Draft202012Validator(SCHEMA).iter_errors(release)]


def test_the_file_that_editors_read_is_what_the_command_prints(greenrun: Greenrun) -> None:
    told = greenrun("schema").stdout

    assert told == PAGE.read_text("utf-8"), "greenrun schema > docs/release.schema.json"


def test_it_is_a_schema_at_its_own_address() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["$id"] == schema.ADDRESS


@pytest.mark.parametrize("text", [RELEASE, (ROOT / "release.yaml").read_text("utf-8")])
def test_a_release_that_greenrun_takes_fits(text: str) -> None:
    assert complaints(load(text)) == []


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ("servce: shop", "$"),
        ("service: Shop", "$.service"),
        ("deploy: {port: 0}", "$.deploy.port"),
        ("deploy: {allow-unauthenticated: 'yes'}", "$.deploy['allow-unauthenticated']"),
        ("build: {tag: latest}", "$.build.tag"),
        ("environments: {prod: {canry: {}}}", "$.environments.prod"),
    ],
)
def test_a_slip_is_found_where_it_stands(wrong: str, where: str) -> None:
    release = load(wrong)
    assert isinstance(release, dict)

    assert complaints({"environments": {}, **release}) == [where]


def test_every_leaf_says_what_it_needs() -> None:
    leaves = [
        leaf
        for part in SCHEMA["$defs"].values()
        for leaf in part["properties"].values()
        if "$ref" not in leaf and leaf.get("type") != "object"
    ]
    assert len(leaves) > 60
    assert [leaf for leaf in leaves if "needs" not in str(leaf)] == []
