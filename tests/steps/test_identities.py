"""Secrets of identities are read when somebody speaks as one of them, and never shown."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from greenrun.model.errors import CallFailed
from greenrun.model.plan import BuildSecret, Plan
from greenrun.model.revision import SecretReference
from greenrun.plugin.redaction import STARS, Secrets
from greenrun.steps.wiring.adapters import Adapters
from greenrun.steps.wiring.identities import SecretIdentities, hide_build_secrets, hide_secrets
from tests.fakes import FakeVault

DECLARED = {
    "a user": {"Authorization": "Bearer {API_TOKEN}", "X-Session-Id": "one"},
    "an admin": {"Authorization": "Bearer {ADMIN_TOKEN}", "X-As": "{API_TOKEN}"},
    "a guest": {"X-Guest": "yes"},
}
FILLED = {
    "nobody": {},
    "a user": {"Authorization": "Bearer value of api-token", "X-Session-Id": "one"},
    "an admin": {"Authorization": "Bearer value of admin-token", "X-As": "value of api-token"},
    "a guest": {"X-Guest": "yes"},
}


@dataclass
class CountedVault(FakeVault):
    """Remembers what was read, in its order."""

    asked: list[str] = field(default_factory=list)

    def read(self, secret: str, version: str) -> str:
        self.asked.append(f"{secret}:{version}")
        return super().read(secret, version)


@pytest.fixture
def declared(plan: Plan) -> Plan:
    secrets = {
        "API_TOKEN": SecretReference("api-token", "5"),
        "ADMIN_TOKEN": SecretReference("admin-token", "1"),
        "DATABASE": SecretReference("database", "2"),
    }
    return replace(plan, identities=DECLARED, settings=replace(plan.settings, secrets=secrets))


@pytest.fixture
def secret_store() -> CountedVault:
    return CountedVault({"api-token:5", "admin-token:1", "database:2"})


@pytest.fixture
def kept() -> list[str]:
    return []


@pytest.fixture
def identities(declared: Plan, secret_store: CountedVault, kept: list[str]) -> SecretIdentities:
    return SecretIdentities(
        declared, secret_store, kept.append, lambda: pytest.fail("asked for a token")
    )


def test_an_identity_token_is_asked_for_whenever_it_is_shown(
    plan: Plan, secret_store: CountedVault, kept: list[str]
) -> None:
    private = replace(plan, identities={"a caller": {"Authorization": "Bearer {identity token}"}})
    tokens = iter(["a.first.token", "a.first.token", "second"])
    identities = SecretIdentities(private, secret_store, kept.append, lambda: next(tokens))
    shown = [identities["a caller"]["Authorization"] for _ in range(3)]
    assert shown == ["Bearer a.first.token", "Bearer a.first.token", "Bearer second"]
    assert set(kept) == {"a.first.token", "a.first", "second"}


def test_a_token_that_a_service_got_without_its_signature_and_echoes_is_redacted(
    plan: Plan,
) -> None:
    secrets = Secrets()
    wanted = replace(plan, public=False, identities={})
    identities = SecretIdentities(
        wanted, CountedVault(set()), secrets.keep, lambda: "head.body.mark"
    )
    assert identities["a user"] == {"X-Serverless-Authorization": "Bearer head.body.mark"}
    assert secrets.redact("got head.body.SIGNATURE_REMOVED_BY_GOOGLE of head.body.mark") == (
        "got ********.SIGNATURE_REMOVED_BY_GOOGLE of ********"
    )


def private(plan: Plan, **identities: dict[str, str]) -> SecretIdentities:
    """Identities of a service that not everybody may call."""
    wanted = replace(plan, public=False, identities=identities)
    return SecretIdentities(wanted, CountedVault(set()), lambda _: None, lambda: "token")


def test_everybody_but_nobody_is_let_in_to_a_private_service(plan: Plan) -> None:
    identities = private(plan, guest={"X-Guest": "yes"}, nobody={"X-From": "here"})
    assert dict(identities) == {
        "nobody": {"X-From": "here"},
        "a user": {"X-Serverless-Authorization": "Bearer token"},
        "guest": {"X-Guest": "yes", "X-Serverless-Authorization": "Bearer token"},
    }


def test_who_shows_a_token_in_a_place_of_their_own_shows_no_other(plan: Plan) -> None:
    identities = private(plan, agent={"Authorization": "Bearer {identity token}"})
    assert identities["agent"] == {"Authorization": "Bearer token"}


@pytest.mark.parametrize("name", ["x-serverless-authorization", "X-Serverless-Authorization"])
def test_who_fills_the_header_of_the_token_is_sent_with_one_alone(plan: Plan, name: str) -> None:
    identities = private(plan, agent={name: "Bearer mine"})
    assert identities["agent"] == {name: "Bearer mine"}


def test_a_public_service_is_shown_no_token(declared: Plan, secret_store: CountedVault) -> None:
    identities = SecretIdentities(
        replace(declared, identities={}),
        secret_store,
        lambda _: None,
        lambda: pytest.fail("asked for a token"),
    )
    assert dict(identities) == {"nobody": {}, "a user": {}}


def test_each_has_its_headers_and_nobody_says_nothing(identities: SecretIdentities) -> None:
    assert dict(identities) == FILLED


def test_they_are_known_by_name_before_any_secret_is_read(
    identities: SecretIdentities, secret_store: CountedVault
) -> None:
    assert list(identities) == ["nobody", "a user", "an admin", "a guest"]
    assert len(identities) == 4
    assert "a user" in identities
    assert "a stranger" not in identities
    assert secret_store.asked == []


@pytest.mark.parametrize(
    ("who", "read"),
    [
        ("nobody", []),
        ("a guest", []),
        ("a user", ["api-token:5"]),
        ("an admin", ["admin-token:1", "api-token:5"]),
    ],
)
def test_no_more_is_read_than_they_say(
    identities: SecretIdentities, secret_store: CountedVault, who: str, read: Iterable[str]
) -> None:
    assert identities[who] == FILLED[who]
    assert secret_store.asked == read


def test_each_secret_is_read_once(identities: SecretIdentities, secret_store: CountedVault) -> None:
    for _ in range(2):
        dict(identities)
    assert secret_store.asked == ["api-token:5", "admin-token:1"]


def test_what_was_read_is_kept_secret(identities: SecretIdentities, kept: list[str]) -> None:
    dict(identities)
    assert sorted(kept) == ["value of admin-token", "value of api-token"]
    assert not any(value in repr(identities) for value in kept)


def test_a_secret_that_cannot_be_read_may_be_readable_later(
    identities: SecretIdentities, secret_store: CountedVault
) -> None:
    secret_store.versions.clear()
    with pytest.raises(CallFailed, match="could not read api-token:5"):
        _ = identities["a user"]
    secret_store.versions.add("api-token:5")
    assert identities["a user"] == FILLED["a user"]


def test_a_value_with_braces_is_said_as_it_is(declared: Plan) -> None:
    @dataclass
    class Braces(CountedVault):
        def read(self, secret: str, version: str) -> str:
            return {"api-token:5": "{x}", "admin-token:1": "{0}{}"}[f"{secret}:{version}"]

    identities = SecretIdentities(declared, Braces(set()), lambda _: None, str)
    assert identities["an admin"] == {"Authorization": "Bearer {0}{}", "X-As": "{x}"}


EMULATED = {
    f"{api}_EMULATOR_HOST": "127.0.0.1:9"
    for api in ("CLOUD_RUN", "LOGGING", "MONITORING", "SECRET_MANAGER")
}


def test_emulators_without_a_metadata_server_have_no_token(plan: Plan) -> None:
    with (
        closing(Adapters.from_variables(EMULATED, str)) as reach,
        pytest.raises(CallFailed, match="and no GCE_METADATA_HOST"),
    ):
        reach.identity_tokens(plan)()


def test_every_secret_of_a_plan_is_hidden_from_the_start(declared: Plan) -> None:
    secrets, told = Secrets(), list[str]()
    hide_secrets(declared, CountedVault({"api-token:5", "database:2"}), secrets.keep, told.append)
    assert secrets.redact("value of database, value of api-token") == f"{STARS}, {STARS}"
    assert told == ["secret ADMIN_TOKEN may show: could not read admin-token:1"]


def test_what_a_build_may_read_is_hidden_wherever_it_stands(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPM_TOKEN", "value of npm")
    monkeypatch.setenv("SHORT", "is")
    (tmp_path / ".netrc").write_text("machine here\npassword of pip\n")
    secrets, told = Secrets(), list[str]()
    lent = {
        "npm": BuildSecret("NPM_TOKEN"),
        "pip": BuildSecret(file=".netrc"),
        "absent": BuildSecret("GREENRUN_NONE"),
        "nowhere": BuildSecret(file="none"),
        "short": BuildSecret("SHORT"),
    }
    building = replace(plan, build=replace(plan.build, secrets=lent))
    hide_build_secrets(building, tmp_path, secrets.keep, told.append)
    assert secrets.redact("value of npm, password of pip, it is") == f"{STARS}, {STARS}, it is"
    assert told == ["build secret short may show: it is shorter than 6 letters"]


class ShortSecrets(FakeVault):
    """A secret like any word."""

    def read(self, secret: str, version: str) -> str:
        assert secret, version
        return " is\n"


def test_a_secret_that_is_like_any_word_is_told_and_puts_no_stars_into_text(declared: Plan) -> None:
    secrets, told = Secrets(), list[str]()
    hide_secrets(declared, ShortSecrets(), secrets.keep, told.append)
    assert secrets.redact("this is it") == "this is it"
    assert told == [
        f"secret {name} may show: it is shorter than 6 letters"
        for name in ("ADMIN_TOKEN", "API_TOKEN", "DATABASE")
    ]


@pytest.mark.parametrize("value", ["ab", "longer than that\n}\nif"])
def test_short_lines_of_a_secret_stay_readable_elsewhere(value: str) -> None:
    secrets = Secrets()
    secrets.keep(value)
    assert secrets.redact("if (cab) {}") == "if (cab) {}"
