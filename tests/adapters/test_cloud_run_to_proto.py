from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import run_v2
from google.protobuf.json_format import MessageToDict, ParseDict
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from greenrun.adapters.gcp.run.to_proto import (
    image_of,
    others_of,
    service_settings_of,
    settings_of,
    template_of,
    template_of_revision,
    write_service_settings,
)
from greenrun.model.revision import (
    ContainerProbe,
    RevisionSettings,
    SecretReference,
    Settings,
    Sidecar,
    Volume,
    flags_of,
)
from greenrun.model.revision.rules import lacking
from tests.adapters.every_setting import REVISION, SECOND, SERVICE

IMAGE = "europe-west1-docker.pkg.dev/p/r/app@sha256:" + "0" * 64
OTHER = RevisionSettings(
    command=("other",),
    args=(),
    variables={"LOG_LEVEL": "DEBUG", "TOKEN": "plain", "NEW": "1"},
    secrets={
        "LOG_LEVEL": SecretReference("level", "1"),
        "/secrets/one/key": SecretReference("key", "9"),
        "/secrets/three/key": SecretReference("key", "9"),
    },
    cpu="2",
    memory="1Gi",
    cpu_throttling=True,
    cpu_boost=False,
    gpu="0",
    startup_probe=ContainerProbe(grpc_service="up"),
    liveness_probe=ContainerProbe(type="none"),
    readiness_probe=ContainerProbe(period=9 * SECOND),
    depends_on=(),
    container="main",
    port=8080,
    use_http2=False,
    timeout=5 * SECOND,
    concurrency=1,
    min_instances=0,
    max_instances=100,
    gpu_type="other",
    gpu_zonal_redundancy=True,
    volumes={
        "shared": Volume(source="gcs:instead"),
        "bucket": Volume(source="gcs:things", path="/elsewhere", mount_options=()),
        "more": Volume(source="nfs:10.0.0.3:/more", path="/more"),
    },
    remove_volumes=("scratch",),
    containers={"proxy": Sidecar(args=("--loud",), memory="1Gi"), "two": Sidecar(image="two:1")},
    remove_containers=("aside",),
    service_account="other@project.iam.gserviceaccount.com",
    cloudsql_instances=("project:europe-west1:third",),
    remove_cloudsql_instances=("project:europe-west1:main",),
    vpc_connector="connector",
    clear_network=True,
    vpc_egress="all-traffic",
    execution_environment="gen1",
    session_affinity=False,
    labels={"team": "red"},
    remove_labels=("cost",),
    clear_key=True,
    remove_variables=("EMPTY",),
    update_variables={"LATER": "1"},
    remove_secrets=("TOKEN", "/secrets/two/cert"),
)


@st.composite
def parts(draw: st.DrawFn, whole: RevisionSettings) -> RevisionSettings:
    """Some of these settings, the rest unsaid."""
    flags = {flag.field: flag.unsaid for flag in flags_of(RevisionSettings)}
    left_out = draw(st.sets(st.sampled_from(sorted(flags))))
    unsaid: dict[str, Any] = {name: flags[name] for name in left_out}
    return replace(whole, **unsaid)


ANYTHING = st.sampled_from([REVISION, OTHER]).flatmap(parts)


def by_hand() -> run_v2.RevisionTemplate:
    """A template with things that no flag speaks of."""
    app = run_v2.Container(
        name="app",
        image="old",
        working_dir="/srv",
        ports=[run_v2.ContainerPort(name="h2c", container_port=1)],
        volume_mounts=[run_v2.VolumeMount(name="Certificates", mount_path="/tls", sub_path="a")],
    )
    secret = run_v2.SecretVolumeSource(secret="tls", default_mode=0o400)
    return run_v2.RevisionTemplate(
        revision="web-old",
        annotations={"example.com/owner": "me"},
        containers=[run_v2.Container(name="beside", image="proxy:1", working_dir="/"), app],
        volumes=[run_v2.Volume(name="Certificates", secret=secret)],
        service_mesh=run_v2.ServiceMesh(mesh="a-mesh"),
        health_check_disabled=True,
    )


def told(settings: RevisionSettings) -> dict[str, str]:
    """What there is; that something is false is what the API says of all that nobody named."""
    return {key: text for key, text in settings.facts() if text != "false"}


def unsaid(said: Settings) -> set[str]:
    return {it.field for it in flags_of(type(said)) if getattr(said, it.field) == it.unsaid}


def test_every_flag_is_said_by_the_settings_of_these_tests() -> None:
    asks = {flag.field for flag in flags_of(RevisionSettings) if flag.asks}
    assert unsaid(REVISION) == {"vpc_connector", *asks}
    assert unsaid(OTHER) == {
        *("network", "subnet", "network_tags", "clear_vpc_connector"),
        *("key", "key_revocation", "key_shutdown"),
    }
    assert unsaid(SERVICE) == {"remove_custom_audiences", "remove_labels"}


def test_every_setting_comes_back_as_it_was_written() -> None:
    template = template_of(REVISION, IMAGE)
    assert settings_of(template) == REVISION
    assert image_of(template) == IMAGE
    assert others_of(template) == {}


@given(ANYTHING, ANYTHING)
@settings(deadline=None, max_examples=50)
def test_what_is_said_is_laid_over_what_was(
    wanted: RevisionSettings, older: RevisionSettings
) -> None:
    onto = template_of(older, "old", by_hand())
    written = template_of(wanted, IMAGE, onto)
    expected = wanted.over(settings_of(onto))
    assume(not [*lacking(settings_of(onto)), *lacking(expected)])
    if expected.min_instances and expected.max_instances is None:
        expected = replace(expected, max_instances=100)  # which Cloud Run wants to be said with it
    assert told(settings_of(written)) == told(expected)
    assert others_of(written) == others_of(by_hand())
    assert template_of(RevisionSettings(), "old", written) == template_of(wanted, "old", onto)


@given(ANYTHING)
@settings(deadline=None, max_examples=20)
def test_writing_changes_no_template_that_was_read(wanted: RevisionSettings) -> None:
    onto = by_hand()
    template_of(wanted, IMAGE, onto)
    assert onto == by_hand()


def test_where_nothing_is_said_nothing_but_the_image_changes() -> None:
    for onto in (template_of(REVISION, "old"), template_of(OTHER, "old", by_hand()), by_hand()):
        expected = run_v2.RevisionTemplate(onto)
        next(it for it in expected.containers if it.ports).image = IMAGE
        if onto == by_hand():  # the platform fills this in, in every revision
            expected.containers[1].resources.cpu_idle = True
        assert template_of(RevisionSettings(), IMAGE, onto) == expected


def test_what_no_flag_knows_is_told_by_its_place() -> None:
    assert others_of(by_hand()) == {
        "revision": "web-old",
        "annotations.example.com/owner": "me",
        "containers.0.working_dir": "/srv",
        "service_mesh.mesh": "a-mesh",
        "health_check_disabled": "True",
    }


def test_the_options_of_what_is_named_stay() -> None:
    said = RevisionSettings(
        startup_probe=ContainerProbe(period=SECOND),
        volumes={"bucket": Volume(readonly=True)},
        containers={"proxy": Sidecar(cpu="2")},
        memory="32Gi",
    )
    made = settings_of(template_of(said, IMAGE, template_of(REVISION, "old")))
    assert REVISION.startup_probe is not None
    assert made == replace(
        REVISION,
        startup_probe=replace(REVISION.startup_probe, period=SECOND),
        volumes={
            **REVISION.volumes,
            "bucket": replace(REVISION.volumes["bucket"], readonly=True),
        },
        containers={"proxy": replace(REVISION.containers["proxy"], cpu="2")},
        memory="32Gi",
    )


def test_a_new_service_has_nothing_written_that_nobody_said() -> None:
    resources = run_v2.ResourceRequirements(cpu_idle=True)
    assert template_of(RevisionSettings(), IMAGE) == run_v2.RevisionTemplate(
        containers=[run_v2.Container(image=IMAGE, resources=resources)]
    )


def test_a_service_that_decided_to_have_its_cpu_always_keeps_it() -> None:
    always = run_v2.RevisionTemplate(
        containers=[run_v2.Container(resources=run_v2.ResourceRequirements(cpu_idle=False))]
    )
    assert not template_of(RevisionSettings(), IMAGE, always).containers[0].resources.cpu_idle


FILLED_IN = run_v2.Probe(
    timeout_seconds=240,
    period_seconds=240,
    failure_threshold=1,
    tcp_socket=run_v2.TCPSocketAction(port=8080),
)


def test_a_least_number_of_instances_never_goes_without_a_most() -> None:
    scaling = template_of(RevisionSettings(min_instances=2), IMAGE).scaling
    assert (scaling.min_instance_count, scaling.max_instance_count) == (2, 100)
    onto = run_v2.RevisionTemplate(scaling={"max_instance_count": 5})
    kept = template_of(RevisionSettings(min_instances=2), IMAGE, onto).scaling
    assert (kept.min_instance_count, kept.max_instance_count) == (2, 5)


def test_a_probe_that_cloud_run_filled_in_gives_way_as_a_whole() -> None:
    onto = run_v2.RevisionTemplate(containers=[run_v2.Container(startup_probe=FILLED_IN)])
    wanted = RevisionSettings(startup_probe=ContainerProbe(path="/health"))
    assert template_of(wanted, IMAGE, onto).containers[0].startup_probe == run_v2.Probe(
        http_get=run_v2.HTTPGetAction(path="/health")
    )


def test_a_probe_of_the_containers_port_follows_it() -> None:
    container = run_v2.Container(
        ports=[run_v2.ContainerPort(container_port=8080)],
        startup_probe=FILLED_IN,
        liveness_probe=run_v2.Probe(http_get=run_v2.HTTPGetAction(path="/live", port=81)),
    )
    onto = run_v2.RevisionTemplate(containers=[container])
    [made] = template_of(RevisionSettings(port=9000), IMAGE, onto).containers
    assert made.startup_probe.tcp_socket.port == made.ports[0].container_port == 9000
    assert made.liveness_probe.http_get.port == 81


def test_how_google_built_an_image_is_not_said_of_another() -> None:
    built = run_v2.Container(image="old", base_image_uri="google-22/python311")
    onto = run_v2.RevisionTemplate(containers=[built])
    assert not template_of(RevisionSettings(), IMAGE, onto).containers[0].base_image_uri


def test_a_whole_secret_in_a_folder_stays_when_a_file_is_added() -> None:
    onto = by_hand()
    said = RevisionSettings(secrets={"/tls/chain": SecretReference("tls", "2")})
    made = template_of(said, IMAGE, onto)
    assert [(it.path, it.version) for it in made.volumes[0].secret.items] == [
        ("tls", "latest"),
        ("chain", "2"),
    ]
    assert (made.volumes[0].secret.default_mode, made.containers[1].volume_mounts) == (
        0o400,
        onto.containers[1].volume_mounts,
    )


def revision_of(template: run_v2.RevisionTemplate) -> run_v2.Revision:
    """The Revision that Cloud Run makes of a template."""
    told = MessageToDict(run_v2.RevisionTemplate.pb(template))
    made = run_v2.Revision(name="projects/p/locations/l/services/web/revisions/web-1", uid="1")
    ParseDict(told, run_v2.Revision.pb(made), ignore_unknown_fields=True)
    made.service, made.labels["serving.knative.dev/service"] = "web", "web"
    return made


@pytest.mark.parametrize("template", [template_of(REVISION, "old"), by_hand()])
def test_a_revision_gives_back_the_template_that_it_was_made_of(
    template: run_v2.RevisionTemplate,
) -> None:
    newer = run_v2.RevisionTemplate(health_check_disabled=template.health_check_disabled)
    newer.session_affinity = not template.session_affinity
    expected = run_v2.RevisionTemplate(template)
    expected.revision = ""
    assert template_of_revision(revision_of(template), newer) == expected


def test_a_name_that_cloud_run_gave_a_lone_container_is_not_taken_for_somebodys() -> None:
    revision = run_v2.Revision(service="web", containers=[run_v2.Container(name="web-1")])
    assert template_of_revision(revision, run_v2.RevisionTemplate()).containers[0].name == ""


def test_settings_of_the_service_come_back_as_they_were_written() -> None:
    service = run_v2.Service(name="web", launch_stage=4, scaling={"scaling_mode": 1})
    changed = write_service_settings(SERVICE, service)
    assert service_settings_of(service) == SERVICE
    assert changed == (
        *("description", "labels", "ingress", "binary_authorization"),
        *("scaling", "invoker_iam_disabled", "custom_audiences"),
    )
    assert service.scaling.scaling_mode == 1


def test_settings_of_the_service_are_taken_back_exactly() -> None:
    service = run_v2.Service(description="before", custom_audiences=["one"])
    before = run_v2.Service(service)
    live = service_settings_of(service)
    write_service_settings(SERVICE.over(live), service)
    write_service_settings(live, service)
    assert service_settings_of(service) == live
    assert (service.description, list(service.custom_audiences)) == ("before", ["one"])
    assert service.binary_authorization == before.binary_authorization


def test_a_time_of_hours_is_read_in_hours() -> None:
    template = template_of(RevisionSettings(key_shutdown=timedelta(hours=30)), IMAGE)
    assert template.encryption_key_shutdown_duration == timedelta(hours=30)


def kinds(table: type[Settings]) -> set[str]:
    return {flag.key for flag in flags_of(table)}


def test_a_sidecar_takes_no_requests() -> None:
    assert "port" not in kinds(Sidecar)
