from datetime import timedelta
from string import ascii_lowercase, ascii_uppercase, digits

from google.cloud import run_v2
from hypothesis import given, settings
from hypothesis import strategies as st

from greenrun.adapters.gcp.run.to_proto import (
    image_of,
    settings_of,
    template_of,
    template_of_revision,
)
from greenrun.model.revision import RevisionSettings, SecretReference, StartupProbe, Volume

IMAGE = "europe-west1-docker.pkg.dev/p/r/app@sha256:" + "0" * 64

words = st.text(ascii_lowercase + digits + "-", min_size=1, max_size=12)
names = st.text(ascii_uppercase + "_", min_size=1, max_size=12)
values = st.text(max_size=30).filter(lambda text: "\0" not in text)
paths = words.map(lambda word: f"/{word}")
seconds = st.integers(1, 3600).map(lambda count: timedelta(seconds=count))
references = st.builds(SecretReference, words, words)
sources = st.one_of(
    words.map(lambda bucket: f"gcs:{bucket}"),
    st.builds(lambda server, path: f"nfs:{server}:{path}", words, paths),
)
volumes = st.lists(
    st.builds(Volume, words, sources, paths), max_size=3, unique_by=lambda volume: volume.name
)


@st.composite
def any_settings(draw: st.DrawFn) -> RevisionSettings:
    """Any settings; no name is both a variable and a secret."""
    everything = draw(st.dictionaries(names, st.one_of(values, references), max_size=5))
    return RevisionSettings(
        variables={name: it for name, it in everything.items() if isinstance(it, str)},
        secrets={name: it for name, it in everything.items() if not isinstance(it, str)},
        timeout=draw(seconds),
        cpu=draw(st.sampled_from(["1", "2", "500m"])),
        memory=draw(st.sampled_from(["512Mi", "4Gi"])),
        port=draw(st.integers(1, 65535)),
        concurrency=draw(st.integers(1, 1000)),
        min_instances=draw(st.integers(0, 10)),
        max_instances=draw(st.integers(1, 100)),
        startup_probe=StartupProbe(
            draw(st.just("") | paths), draw(seconds), draw(st.integers(1, 600))
        ),
        volumes=tuple(draw(volumes)),
        service_account=draw(words),
        session_affinity=draw(st.booleans()),
        cpu_boost=draw(st.booleans()),
    )


def sidecar() -> run_v2.Container:
    return run_v2.Container(name="proxy", image="proxy:1")


def by_hand() -> run_v2.RevisionTemplate:
    """A template with things that RevisionSettings does not speak of."""
    secret = run_v2.Volume(name="Certificates", secret=run_v2.SecretVolumeSource(secret="tls"))
    app = run_v2.Container(
        name="app",
        image="old",
        args=["--verbose"],
        ports=[run_v2.ContainerPort(name="h2c", container_port=1)],
        env=[run_v2.EnvVar(name="OLD", value="1")],
        resources=run_v2.ResourceRequirements(
            limits={"nvidia.com/gpu": "1", "cpu": "8"}, startup_cpu_boost=True
        ),
        volume_mounts=[run_v2.VolumeMount(name="Certificates", mount_path="/tls")],
    )
    return run_v2.RevisionTemplate(
        revision="web-old",
        labels={"team": "blue"},
        vpc_access=run_v2.VpcAccess(connector="c"),
        containers=[sidecar(), app],
        volumes=[secret],
    )


@given(any_settings())
@settings(deadline=None)
def test_settings_come_back_as_they_were_written(wanted: RevisionSettings) -> None:
    template = template_of(wanted, IMAGE)
    assert settings_of(template) == wanted
    assert image_of(template) == IMAGE


@given(any_settings(), any_settings())
@settings(deadline=None)
def test_what_is_said_is_laid_over_what_was(
    wanted: RevisionSettings, older: RevisionSettings
) -> None:
    onto = template_of(older, "old", by_hand())
    assert settings_of(template_of(wanted, IMAGE, onto)) == wanted.over(settings_of(onto))


@given(any_settings())
@settings(deadline=None)
def test_writing_changes_no_template_that_was_read(wanted: RevisionSettings) -> None:
    onto = by_hand()
    template_of(wanted, IMAGE, onto)
    assert onto == by_hand()


@given(any_settings())
@settings(deadline=None)
def test_what_settings_do_not_speak_of_stays(wanted: RevisionSettings) -> None:
    template = template_of(wanted, IMAGE, by_hand())
    proxy, app = template.containers
    assert proxy == sidecar()
    assert dict(template.labels) == {"team": "blue"}
    assert template.vpc_access.connector == "c"
    assert (app.name, list(app.args), app.ports[0].name) == ("app", ["--verbose"], "h2c")
    assert app.resources.limits["nvidia.com/gpu"] == "1"
    assert template.volumes[0].secret.secret == "tls"
    assert app.volume_mounts[0].mount_path == "/tls"


def test_a_service_keeps_what_settings_do_not_say() -> None:
    resources = run_v2.ResourceRequirements(startup_cpu_boost=True)
    template = run_v2.RevisionTemplate(
        service_account="robot@example.org",
        session_affinity=True,
        containers=[run_v2.Container(resources=resources)],
    )
    written = template_of(RevisionSettings(), IMAGE, template)
    assert written.service_account == "robot@example.org"
    assert written.session_affinity
    assert written.containers[0].resources.startup_cpu_boost


def test_settings_that_are_said_go_over_those_of_the_service() -> None:
    template = run_v2.RevisionTemplate(session_affinity=True)
    assert not template_of(
        RevisionSettings(session_affinity=False), IMAGE, template
    ).session_affinity


def test_cpu_is_idle_between_requests_unless_the_service_decided_otherwise() -> None:
    assert template_of(RevisionSettings(), IMAGE).containers[0].resources.cpu_idle
    always = run_v2.RevisionTemplate(
        containers=[run_v2.Container(resources=run_v2.ResourceRequirements(cpu_idle=False))]
    )
    assert not template_of(RevisionSettings(), IMAGE, always).containers[0].resources.cpu_idle


def test_nothing_is_written_of_what_nobody_said() -> None:
    written = template_of(RevisionSettings(), IMAGE)
    resources = run_v2.ResourceRequirements(cpu_idle=True)
    assert written == run_v2.RevisionTemplate(
        containers=[run_v2.Container(image=IMAGE, resources=resources)]
    )


def test_a_least_number_of_instances_never_goes_without_a_most() -> None:
    scaling = template_of(RevisionSettings(min_instances=2), IMAGE).scaling
    assert (scaling.min_instance_count, scaling.max_instance_count) == (2, 100)
    onto = run_v2.RevisionTemplate(scaling={"max_instance_count": 5})
    kept = template_of(RevisionSettings(min_instances=2), IMAGE, onto).scaling
    assert (kept.min_instance_count, kept.max_instance_count) == (2, 5)


def test_a_probe_that_cloud_run_filled_in_gives_way_as_a_whole() -> None:
    filled_in = run_v2.Probe(
        timeout_seconds=240,
        period_seconds=240,
        failure_threshold=1,
        tcp_socket=run_v2.TCPSocketAction(port=8080),
    )
    onto = run_v2.RevisionTemplate(containers=[run_v2.Container(startup_probe=filled_in)])
    wanted = RevisionSettings(startup_probe=StartupProbe("/health"))
    assert template_of(wanted, IMAGE, onto).containers[0].startup_probe == run_v2.Probe(
        http_get=run_v2.HTTPGetAction(path="/health")
    )


def test_a_period_does_not_take_a_path_away() -> None:
    probe = run_v2.Probe(
        period_seconds=10, failure_threshold=3, http_get=run_v2.HTTPGetAction(path="/ok", port=81)
    )
    onto = run_v2.RevisionTemplate(containers=[run_v2.Container(startup_probe=probe)])
    wanted = RevisionSettings(startup_probe=StartupProbe(period=timedelta(seconds=1)))
    probe.period_seconds = 1
    assert template_of(wanted, IMAGE, onto).containers[0].startup_probe == probe


def test_a_revision_gives_back_the_template_that_it_was_made_of() -> None:
    template = by_hand()
    revision = run_v2.Revision(
        name="projects/p/locations/l/services/web/revisions/web-old",
        labels={**template.labels, "serving.knative.dev/service": "web"},
        vpc_access=template.vpc_access,
        containers=template.containers,
        volumes=template.volumes,
        service="web",
        uid="1",
    )
    newer = run_v2.RevisionTemplate(health_check_disabled=True, session_affinity=True)
    template.revision, template.health_check_disabled = "", True
    assert template_of_revision(revision, newer) == template
