"""Settings are compared key by key, and nothing that differs is passed over."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenrun.model.revision import (
    FLAGS,
    Difference,
    RevisionSettings,
    SecretReference,
    StartupProbe,
    Volume,
)

NAMES, SECRETS = st.sampled_from(["A", "B", "C"]), st.sampled_from(["KEY", "TOKEN"])
SECONDS = st.integers(1, 3600).map(lambda seconds: timedelta(seconds=seconds))
VOLUMES = st.lists(
    st.builds(Volume, NAMES, st.sampled_from(["gcs:one", "gcs:two"]), st.just("/data")),
    unique_by=lambda volume: volume.name,
).map(tuple)
SETTINGS = st.builds(
    RevisionSettings,
    variables=st.dictionaries(NAMES, st.text()),
    secrets=st.dictionaries(
        SECRETS, st.builds(SecretReference, st.just("s"), st.sampled_from(["1", "latest"]))
    ),
    timeout=SECONDS,
    cpu=st.sampled_from(["1", "2"]),
    memory=st.sampled_from(["512Mi", "4Gi"]),
    port=st.integers(1, 65535),
    concurrency=st.integers(1, 1000),
    min_instances=st.integers(0, 10),
    max_instances=st.integers(1, 100),
    startup_probe=st.builds(
        StartupProbe, st.sampled_from(["", "/health"]), SECONDS, st.integers(1, 9)
    ),
    volumes=VOLUMES,
    service_account=st.sampled_from(
        ["robot@p.iam.gserviceaccount.com", "me@p.iam.gserviceaccount.com"]
    ),
    session_affinity=st.booleans(),
    cpu_boost=st.booleans(),
)


@given(SETTINGS)
def test_settings_do_not_differ_from_themselves(settings: RevisionSettings) -> None:
    assert settings.differences(replace(settings)) == ()


@given(SETTINGS, SETTINGS)
def test_what_is_laid_over_is_all_that_differs(
    wanted: RevisionSettings, live: RevisionSettings
) -> None:
    made = wanted.over(live)

    assert wanted.differences(made) == ()
    assert {item.key for item in wanted.differences(live)} == {
        key
        for key in {*dict(made.facts()), *dict(live.facts())}
        if dict(made.facts()).get(key) != dict(live.facts()).get(key)
    }


@pytest.mark.parametrize("name", [item.name for item in fields(RevisionSettings)])
@given(SETTINGS, SETTINGS)
def test_every_field_is_compared_under_its_own_name(
    name: str, wanted: RevisionSettings, other: RevisionSettings
) -> None:
    live = replace(wanted, **{name: getattr(other, name)})

    assert {item.key.split(".")[0] for item in wanted.differences(live)} <= {name}
    assert (getattr(wanted, name) == getattr(live, name)) <= (wanted.differences(live) == ())


@given(st.dictionaries(NAMES, st.text()), st.dictionaries(NAMES, st.text()))
def test_variables_are_compared_one_by_one(wanted: dict[str, str], live: dict[str, str]) -> None:
    found = RevisionSettings(variables=wanted).differences(RevisionSettings(variables=live))

    assert found == tuple(
        Difference(f"variables.{name}", wanted.get(name), live.get(name))
        for name in sorted(wanted.keys() | live.keys())
        if wanted.get(name) != live.get(name)
    )


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (Difference("cpu", "2", "1"), "cpu: got 1, needs 2"),
        (Difference("variables.A", "x", None), "variables.A: got nothing, needs x"),
        (Difference("variables.A", None, ""), "variables.A: got empty text, needs nothing"),
    ],
)
def test_a_difference_says_what_is_and_what_has_to_be(difference: Difference, text: str) -> None:
    assert str(difference) == text


def test_parts_of_settings_read_as_people_speak_of_them() -> None:
    assert dict(
        RevisionSettings(
            secrets={"TOKEN": SecretReference("token", "5")},
            startup_probe=StartupProbe("/health", timedelta(seconds=1), 60),
            volumes=(Volume("data", "nfs:10.0.0.2:/things", "/data"),),
        ).facts()
    ) == {
        "secrets.TOKEN": "token:5",
        "startup_probe": "GET /health every 1 s, 60 times",
        "volumes.data": "nfs:10.0.0.2:/things at /data",
    }


def test_what_is_not_said_is_kept_and_no_difference() -> None:
    live = RevisionSettings(service_account="me@p.iam.gserviceaccount.com", session_affinity=True)

    assert RevisionSettings().over(live) == live
    assert RevisionSettings().differences(live) == ()
    assert RevisionSettings(session_affinity=False).differences(live) == (
        Difference("session_affinity", "False", "True"),
    )


def test_every_flag_is_a_row_with_a_place_of_its_own() -> None:
    scalars = [flag.path for flag in FLAGS if flag.form]

    assert [flag.field for flag in FLAGS] == [item.name for item in fields(RevisionSettings)]
    assert len(set(scalars)) == len(scalars)
