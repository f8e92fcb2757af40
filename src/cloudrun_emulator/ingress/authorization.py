"""Private routes: Envoy verifies identity tokens, and their claims choose the route.

The claims of a token that is good become metadata of its request, and then the route is chosen
anew. So the table of routes alone says who may call what, and listeners never change.

Source: https://cloud.google.com/run/docs/authenticating/service-to-service
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from cloudrun_emulator.core.interfaces import Guard
from cloudrun_emulator.identity.tokens import ISSUER
from cloudrun_emulator.ingress.access_log import UNLOGGED

Config = dict[str, Any]


def typed(kind: str, **fields: object) -> Config:
    """The configuration of an extension, `kind` such as `filters.http.router.v3.Router`."""
    return {"@type": f"type.googleapis.com/envoy.extensions.{kind}", **fields}


def direct_response(status: int, text: str) -> Config:
    """Return the action of a route that answers by itself."""
    return {"direct_response": {"status": status, "body": {"inline_string": text}}}


def answered_by_front_end() -> Config:
    """Return the name and the action of a route for which there is no service."""
    text = "Error 404 (Not Found): the requested URL was not found on this server.\n"
    return {"name": UNLOGGED, **direct_response(404, text)}


HEADERS = ("x-serverless-authorization", "authorization")
"""Headers that may carry a token; where both are sent, the first alone counts."""


_VERIFY, _STRIP = "jwt_authn", "strip"


_METADATA, _CLAIMS = "envoy.filters.http.jwt_authn", "claims"


_PREFIX = "Bearer "


_STRIPPING = f"""
function envoy_on_request(handle)
  local headers = handle:headers()
  for _, name in ipairs({{{", ".join(f'"{name}"' for name in HEADERS)}}}) do
    local token = headers:get(name)
    if token then
      headers:replace(name, (token:gsub("%.[^.]*$", ".SIGNATURE_REMOVED_BY_GOOGLE")))
      return
    end
  end
end
"""
"""Takes the signature off, so that a service cannot show its callers' tokens to another one."""


_UNVERIFIED = (
    'Bearer error="invalid_token" error_description="The access token could not be verified"'
)
"""Source: reports of users [?]."""


def authentication_filters(keys: str) -> list[Config]:
    """Return the filters that private routes need; none of them touches other routes.

    `keys` is the JSON Web Key Set that tokens are signed with.
    """
    verify = typed(
        "filters.http.jwt_authn.v3.JwtAuthentication",
        providers={header: _provider(header, keys) for header in HEADERS},
        requirement_map={header: _if_good(header) for header in HEADERS},
    )
    strip = typed(
        "filters.http.lua.v3.Lua",
        source_codes={_STRIP: {"inline_string": _STRIPPING}},
    )
    return [{"name": _VERIFY, "typed_config": verify}, {"name": _STRIP, "typed_config": strip}]


def private_routes(match: Config, guard: Guard, url: str, action: Config) -> Iterator[Config]:
    """The routes of one private address, the first that fits: `action` for who may call.

    `url` is the service's own, also for a revision tag; empty, it is not known yet.
    """
    if url:
        known = _claim("aud", {url, *guard.audiences})
        callers = () if guard.anybody else (_claim("email", guard.callers, "(?i)"),)
        verified = {"filter": _METADATA, "path": _path("email_verified"), "value": _TRUE}
        admitted = {**match, "dynamic_metadata": [known, verified, *callers]}
        yield {"match": admitted, **action, **_per_route(_STRIP, "lua.v3.LuaPerRoute", name=_STRIP)}
        refused = direct_response(403, "Forbidden: the caller lacks the invoker role\n")
        yield {"match": {**match, "dynamic_metadata": [known]}, **refused}
    for header in HEADERS:
        yield _unverified(match, header)
    yield {"match": match, **direct_response(403, "Forbidden: the request was not authenticated\n")}


_TRUE = {"bool_match": True}


def _provider(header: str, keys: str) -> Config:
    return {
        "issuer": ISSUER,
        "local_jwks": {"inline_string": keys},
        "from_headers": [{"name": header, "value_prefix": _PREFIX}],
        "forward": True,
        "require_expiration": True,
        "payload_in_metadata": _CLAIMS,
        "clear_route_cache": True,
    }


def _if_good(header: str) -> Config:
    """Let a token that is not good pass without claims, for the table of routes to refuse."""
    either = [{"provider_name": header}, {"allow_missing_or_failed": {}}]
    return {"requires_any": {"requirements": either}}


def _unverified(match: Config, header: str) -> Config:
    """Return the route that is met first with this header, and again if its token is not good."""
    present = [*match.get("headers", []), {"name": header, "present_match": True}]
    told = {"key": "www-authenticate", "value": _UNVERIFIED}
    return {
        "match": {**match, "headers": present},
        **direct_response(401, "Unauthorized: the identity token could not be verified\n"),
        **_per_route(_VERIFY, "jwt_authn.v3.PerRouteConfig", requirement_name=header),
        "response_headers_to_add": [{"header": told}],
    }


def _per_route(filter_name: str, kind: str, **fields: object) -> Config:
    return {"typed_per_filter_config": {filter_name: typed(f"filters.http.{kind}", **fields)}}


def _claim(name: str, values: Iterable[str], flags: str = "") -> Config:
    """True for a token whose claim is one of these."""
    one_of = "|".join(map(re.escape, sorted(values)))
    value = {"string_match": {"safe_regex": {"regex": f"{flags}(?:{one_of})"}}}
    return {"filter": _METADATA, "path": _path(name), "value": value}


def _path(name: str) -> list[Config]:
    return [{"key": _CLAIMS}, {"key": name}]
