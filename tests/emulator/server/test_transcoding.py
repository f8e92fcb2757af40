"""Http rules: what the official clients send must be read as they meant it."""

import json
import re
from typing import Any

import pytest
from google.api_core import path_template
from google.cloud import run_v2
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.cloud.run_v2.services.services.transports.rest_base import _BaseServicesRestTransport
from google.iam.v1 import iam_policy_pb2
from hypothesis import given
from hypothesis import strategies as st

from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.server.methods import Binding, HttpRule, Method
from cloudrun_emulator.server.transcoding import Template, message

METHODS = {
    method.name: method
    for method in Binding(object(), ServicesGrpcTransport, _BaseServicesRestTransport).methods()
}
SEGMENTS = st.text("abcxyz019-", min_size=1, max_size=20)


@given(st.sampled_from(sorted(METHODS)), st.lists(SEGMENTS, min_size=3, max_size=3))
def test_a_path_that_the_official_package_expands_is_matched(
    name: str, segments: list[str]
) -> None:
    template = METHODS[name].rules[0].template
    before, field, shape, after = re.split(r"[{=}]", template)
    untyped: Any = path_template
    value = untyped.expand(shape, *segments[: shape.count("*")])
    assert Template(template).match(f"{before}{value}{after}") == {field: value}


@pytest.mark.parametrize(
    ("template", "path", "fields"),
    [
        ("/v2/{name=projects/*}", "/v2/projects/a%20b", {"name": "projects/a b"}),
        ("/v2/{name=projects/*}", "/v2/projects/a/b", None),
        ("/v2/{name=projects/*}", "/v2/projects/a:verb", None),
        ("/v2/{name=projects/*}:verb", "/v2/projects/a:verb", {"name": "projects/a"}),
        ("/v2/{name=things/**}", "/v2/things/a/b", {"name": "things/a/b"}),
        ("/v2/{a}/x/{b.c=y/*}", "/v2/1/x/y/2", {"a": "1", "b.c": "y/2"}),
        ("/v2/a.b", "/v2/axb", None),
    ],
)
def test_templates(template: str, path: str, fields: dict[str, str] | None) -> None:
    assert Template(template).match(path) == fields


def read(
    method: Method, path: dict[str, str], query: dict[str, list[str]], body: object = None
) -> object:
    raw = json.dumps(body).encode() if body is not None else b""
    return message(method.request, method.rules[0], path, query, raw)


def test_an_update_is_read_from_path_query_and_body() -> None:
    assert read(
        METHODS["update_service"],
        {"service.name": "projects/p/locations/r/services/web"},
        {
            "updateMask": ["traffic,template.maxInstanceRequestConcurrency"],
            "allowMissing": ["true"],
        },
        {"name": "ignored", "generation": "7", "traffic": [{"type": 1, "percent": 100}]},
    ) == run_v2.UpdateServiceRequest(
        service=run_v2.Service(
            name="projects/p/locations/r/services/web",
            generation=7,
            traffic=[run_v2.TrafficTarget(type_=1, percent=100)],
        ),
        update_mask={"paths": ["traffic", "template.max_instance_request_concurrency"]},
        allow_missing=True,
    )


def test_a_dotted_parameter_reaches_into_a_message() -> None:
    request = read(
        METHODS["get_iam_policy"],
        {"resource": "projects/p/locations/r/services/web"},
        {"options.requestedPolicyVersion": ["3"]},
    )
    assert request == iam_policy_pb2.GetIamPolicyRequest(
        resource="projects/p/locations/r/services/web",
        options={"requested_policy_version": 3},
    )


def test_a_repeated_parameter_is_a_list() -> None:
    rule = HttpRule("GET", "/v2/{resource=*}")
    request = message(
        iam_policy_pb2.TestIamPermissionsRequest, rule, {}, {"permissions": ["a", "b"]}, b""
    )
    assert list(request.permissions) == ["a", "b"]


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ({"colour": ["blue"]}, b"{}"),
        ({"validateOnly": ["perhaps"]}, b"{}"),
        ({}, b"{"),
        ({}, b"[]"),
        ({}, b'{"colour": "blue"}'),
        ({}, b'{"generation": "many"}'),
    ],
)
def test_what_cannot_be_read_is_refused(query: dict[str, list[str]], body: bytes) -> None:
    method = METHODS["create_service"]
    with pytest.raises(CloudError, match="Invalid"):
        message(method.request, method.rules[0], {}, query, body)
