"""What is said is laid over what is live, key by key, and nothing that differs is passed over."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenrun.model.revision import (
    FLAGS,
    ContainerProbe,
    Difference,
    RevisionSettings,
    SecretReference,
    ServiceSettings,
    Sidecar,
    Volume,
    flags_of,
)
from greenrun.model.revision.rules import broken
from tests.adapters.every_setting import REVISION, SECOND, SERVICE

UNSAID: dict[str, Any] = {flag.field: flag.unsaid for flag in flags_of(RevisionSettings)}
SUBSETS = st.sets(st.sampled_from(sorted(UNSAID)))


def without(settings: RevisionSettings, left_out: set[str]) -> RevisionSettings:
    return replace(settings, **{name: UNSAID[name] for name in left_out})


def test_settings_do_not_differ_from_themselves() -> None:
    assert REVISION.differences(replace(REVISION)) == ()
    assert SERVICE.differences(replace(SERVICE)) == ()


@given(SUBSETS)
@settings(deadline=None)
def test_what_is_not_said_is_kept_and_no_difference(left_out: set[str]) -> None:
    said = without(REVISION, left_out)

    assert said.over(REVISION) == REVISION
    assert said.differences(REVISION) == ()


@given(SUBSETS)
@settings(deadline=None)
def test_every_field_is_compared_under_its_own_key(left_out: set[str]) -> None:
    keys = {flag.noun for flag in flags_of(RevisionSettings) if flag.field in left_out}
    live = without(REVISION, left_out)

    assert {item.key.split(".")[0] for item in REVISION.differences(live)} <= keys


NAMES = st.sampled_from(["A", "B", "C"])


@given(st.dictionaries(NAMES, st.text()), st.dictionaries(NAMES, st.text()))
def test_variables_are_compared_one_by_one(wanted: dict[str, str], live: dict[str, str]) -> None:
    found = RevisionSettings(variables=wanted).differences(RevisionSettings(variables=live))

    assert found == tuple(
        Difference(f"env-vars.{name}", wanted.get(name), live.get(name))
        for name in sorted(wanted.keys() | live.keys())
        if wanted.get(name) != live.get(name)
    )


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (Difference("cpu", "2", "1"), "cpu: got 1, needs 2"),
        (Difference("env-vars.A", "x", None), "env-vars.A: got nothing, needs x"),
        (Difference("env-vars.A", None, ""), "env-vars.A: got empty text, needs nothing"),
    ],
)
def test_a_difference_says_what_is_and_what_has_to_be(difference: Difference, text: str) -> None:
    assert str(difference) == text


def test_settings_read_in_the_words_of_gcloud() -> None:
    said = RevisionSettings(
        secrets={"TOKEN": SecretReference("token", "5")},
        startup_probe=ContainerProbe(path="/health", period=SECOND, failure_threshold=60),
        volumes={"data": Volume(source="nfs:10.0.0.2:/things", path="/data", readonly=True)},
        containers={"proxy": Sidecar(variables={"MODE": ""}, args=("-a", "-b"))},
        timeout=timedelta(minutes=10),
        cloudsql_instances=("p:europe-west1:main",),
    )

    assert dict(said.facts()) == {
        "secrets.TOKEN": "token:5",
        "startup-probe.path": "/health",
        "startup-probe.period": "1s",
        "startup-probe.failure-threshold": "60",
        "timeout": "10m",
        "volumes.data.source": "nfs:10.0.0.2:/things",
        "volumes.data.path": "/data",
        "volumes.data.readonly": "true",
        "containers.proxy.args": "-a, -b",
        "containers.proxy.env-vars.MODE": "",
        "cloudsql-instances": "p:europe-west1:main",
    }


LIVE = RevisionSettings(
    variables={"A": "1", "B": "2"},
    secrets={"KEY": SecretReference("key"), "/etc/key/one": SecretReference("key")},
    containers={"proxy": Sidecar(image="x", variables={"P": "1"})},
)


@pytest.mark.parametrize(
    ("said", "lost"),
    [
        (RevisionSettings(), ()),
        (RevisionSettings(variables={"A": "9"}), ("B",)),
        (RevisionSettings(variables={}), ("A", "B")),
        (RevisionSettings(variables={"A": "9"}, remove_variables=("B",)), ()),
        (RevisionSettings(variables={"A": "9"}, update_variables={"B": "9"}), ()),
        (RevisionSettings(variables={"A": "9"}, secrets={"B": SecretReference("b")}), ()),
        (RevisionSettings(remove_secrets=("KEY", "/etc/key/one")), ()),
        (RevisionSettings(variables={"KEY": "plain"}), ("A", "B")),
        (RevisionSettings(containers={"proxy": Sidecar(variables={})}), ("proxy: P",)),
        (RevisionSettings(remove_containers=("proxy",)), ()),
    ],
)
def test_a_variable_is_lost_that_nobody_takes_away_on_purpose(
    said: RevisionSettings, lost: tuple[str, ...]
) -> None:
    assert said.lost(LIVE) == lost


def test_what_depends_on_what_goes_goes_with_it() -> None:
    gone = RevisionSettings(
        gpu="0", clear_network=True, clear_key=True, remove_volumes=("scratch",)
    )
    made = gone.over(REVISION)

    names = ("gpu", "gpu_type", "gpu_zonal_redundancy", "network", "subnet", "network_tags")
    all_gone = {*names, "vpc_egress", "key", "key_revocation", "key_shutdown"}
    assert made == replace(
        without(REVISION, all_gone),
        volumes={name: it for name, it in REVISION.volumes.items() if name != "scratch"},
        containers={"proxy": replace(REVISION.containers["proxy"], mounts={})},
    )


def test_a_probe_of_another_kind_keeps_its_times_alone() -> None:
    live = ContainerProbe(type="http", path="/up", headers={"a": "b"}, port=81, period=SECOND)

    assert ContainerProbe(grpc_service="up").over(live) == ContainerProbe(
        type="grpc", grpc_service="up", port=81, period=SECOND
    )
    assert ContainerProbe(timeout=SECOND).over(live) == replace(live, timeout=SECOND)
    assert not ContainerProbe(type="none").over(live)


def test_another_source_has_the_options_that_are_said_of_it() -> None:
    live = Volume(source="gcs:things", path="/data", readonly=True, mount_options=("uid=1",))

    assert Volume(source="nfs:10.0.0.2:/").over(live) == Volume(
        source="nfs:10.0.0.2:/", path="/data"
    )
    assert Volume(source="gcs:others").over(live) == replace(live, source="gcs:others")


def test_nothing_that_a_live_service_had_breaks_a_rule() -> None:
    assert list(broken(REVISION, SERVICE)) == []
    assert list(broken(RevisionSettings(), ServiceSettings())) == []


def test_every_flag_is_a_row_with_a_key_of_its_own() -> None:
    keys = [flag.key for flag in FLAGS if flag.field not in {"labels", "remove_labels"}]

    assert len(set(keys)) == len(keys)


def test_a_resource_that_is_told_by_its_path_is_the_same() -> None:
    said = RevisionSettings(network="default", subnet="eu")
    live = RevisionSettings(network="projects/12/global/networks/default", subnet="us")

    assert said.differences(live) == (Difference("subnet", "eu", "us"),)
