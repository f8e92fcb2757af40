"""Every setting of a service: kept as it was sent, and handed on to the revision."""

import httpx
from google.cloud import run_v2
from google.protobuf.duration_pb2 import Duration

from cloudrun_emulator.apis.run.services.changes import NO_EFFECT
from tests.contract.caller import Caller

Template = run_v2.RevisionTemplate

VOLUMES = [
    run_v2.Volume(name="sql", cloud_sql_instance={"instances": ["my-project:europe-west1:orders"]}),
    run_v2.Volume(name="scratch", empty_dir={"medium": "MEMORY", "size_limit": "64Mi"}),
    run_v2.Volume(name="share", nfs={"server": "10.0.0.2", "path": "/exports", "read_only": True}),
    run_v2.Volume(
        name="bucket",
        gcs={"bucket": "assets", "read_only": True, "mount_options": ["implicit-dirs"]},
    ),
]

SERVICE = {
    "description": "Takes orders",
    "labels": {"team": "shop"},
    "annotations": {"example.com/owner": "shop"},
    "client": "gcloud",
    "client_version": "528.0.0",
    "ingress": run_v2.IngressTraffic.INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER,
    "binary_authorization": {"use_default": True, "breakglass_justification": "an incident"},
    "scaling": {"min_instance_count": 2, "max_instance_count": 20},
    "invoker_iam_disabled": True,
    "default_uri_disabled": True,
    "custom_audiences": ["https://orders.example.com"],
}


def everything(caller: Caller) -> Template:
    """A template in which all is set that `gcloud run deploy` can set."""
    serving, sidecar = caller.program("echo", COLOUR="blue"), caller.program("deaf")
    serving.name, sidecar.name = "web", "proxy"
    serving.depends_on = ["proxy"]
    sidecar.startup_probe = run_v2.Probe(grpc={"port": 9000, "service": "proxy"})
    serving.working_dir = "/tmp"
    serving.ports = [run_v2.ContainerPort(name="http1", container_port=9090)]
    serving.resources = run_v2.ResourceRequirements(
        limits={"cpu": "2", "memory": "2Gi"}, cpu_idle=True, startup_cpu_boost=True
    )
    serving.liveness_probe = run_v2.Probe(
        http_get={
            "path": "/status/200",
            "port": 9090,
            "http_headers": [{"name": "x-probe", "value": "alive"}],
        },
        initial_delay_seconds=1,
        period_seconds=5,
        timeout_seconds=2,
        failure_threshold=4,
    )
    serving.volume_mounts = [
        run_v2.VolumeMount(name="sql", mount_path="/cloudsql"),
        *(run_v2.VolumeMount(name=one.name, mount_path=f"/{one.name}") for one in VOLUMES[1:]),
    ]
    return Template(
        containers=[serving, sidecar],
        volumes=VOLUMES,
        labels={"stage": "candidate"},
        annotations={"example.com/ticket": "12"},
        scaling={"min_instance_count": 1, "max_instance_count": 5},
        vpc_access={
            "egress": run_v2.VpcAccess.VpcEgress.ALL_TRAFFIC,
            "network_interfaces": [{"network": "default", "subnetwork": "europe", "tags": ["web"]}],
        },
        timeout=Duration(seconds=60),
        service_account="orders@my-project.iam.gserviceaccount.com",
        execution_environment=run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN2,
        encryption_key="projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k",
        encryption_key_revocation_action=run_v2.EncryptionKeyRevocationAction.SHUTDOWN,
        encryption_key_shutdown_duration=Duration(seconds=7200),
        max_instance_request_concurrency=20,
        service_mesh={"mesh": "projects/p/locations/global/meshes/m"},
        session_affinity=True,
        health_check_disabled=True,
        gpu_zonal_redundancy_disabled=True,
    )


def filled_in(template: Template) -> Template:
    """What Cloud Run adds to it: limits of the sidecar, and how the serving one is asked."""
    serving, sidecar = template.containers
    seconds = 240
    serving.startup_probe = run_v2.Probe(
        timeout_seconds=seconds,
        period_seconds=seconds,
        failure_threshold=1,
        tcp_socket={"port": 9090},
    )
    sidecar.resources = run_v2.ResourceRequirements(
        limits={"cpu": "1000m", "memory": "512Mi"}, cpu_idle=True
    )
    return template


def test_every_setting_of_a_template_is_kept(caller: Caller) -> None:
    caller.create()
    service = caller.update("template", template=everything(caller))
    assert service.template == filled_in(everything(caller))


def test_every_setting_of_a_template_reaches_the_revision(caller: Caller) -> None:
    caller.create()
    service = caller.update("template", template=everything(caller))
    revision = caller.revision(service.latest_created_revision)
    asked = filled_in(everything(caller))
    names = {field.name for field in Template.pb().DESCRIPTOR.fields}
    shared = names & {field.name for field in run_v2.Revision.pb().DESCRIPTOR.fields}
    assert names - shared == {"revision", "health_check_disabled"}
    differ = [name for name in shared if getattr(revision, name) != getattr(asked, name)]
    assert differ == []


def test_every_setting_of_a_service_is_kept(caller: Caller) -> None:
    caller.create()
    service = caller.update(",".join(SERVICE), **SERVICE)
    service.annotations.pop(NO_EFFECT)
    wanted = run_v2.Service(**SERVICE)
    kept = {name: getattr(service, name) for name in SERVICE}
    assert kept == {name: getattr(wanted, name) for name in SERVICE}


def test_what_does_nothing_here_is_told_in_an_annotation(caller: Caller) -> None:
    assert NO_EFFECT not in caller.create().annotations
    service = caller.update("scaling,template", scaling={}, template=everything(caller))
    assert service.annotations[NO_EFFECT].split(",") == [
        "add-cloudsql-instances",
        "concurrency",
        "cpu-boost",
        "execution-environment",
        "key",
        "max-instances",
        "mesh",
        "min-instances",
        "network",
        "service-account",
        "session-affinity",
        "vpc-egress",
    ]
    service.template = caller.template()
    sent_back = caller.update(
        "annotations,template", annotations=service.annotations, template=service.template
    )
    assert dict(sent_back.annotations) == {}


def test_an_internal_service_is_not_found_until_it_is_for_everybody(caller: Caller) -> None:
    inside = run_v2.IngressTraffic.INGRESS_TRAFFIC_INTERNAL_ONLY
    outside = run_v2.IngressTraffic.INGRESS_TRAFFIC_ALL
    uri = caller.create(invoker_iam_disabled=True, ingress=inside).uri
    assert httpx.get(uri).status_code == 404
    caller.update("ingress", ingress=outside)
    assert httpx.get(uri).status_code == 200
    caller.update("ingress", ingress=inside)
    assert httpx.get(uri).status_code == 404


def test_a_gpu_is_kept(caller: Caller) -> None:
    template = caller.template()
    template.containers[0].resources.limits = {
        "cpu": "4",
        "memory": "16Gi",
        "nvidia.com/gpu": "1",
    }
    template.node_selector = run_v2.NodeSelector(accelerator="nvidia-l4")
    caller.create()
    kept = caller.update("template", template=template).template
    assert kept.node_selector.accelerator == "nvidia-l4"
    assert kept.containers[0].resources.limits["nvidia.com/gpu"] == "1"


def test_a_container_without_a_name_has_one_in_the_revision(caller: Caller) -> None:
    service = caller.create()
    revision = caller.revision(service.latest_created_revision)
    assert [container.name for container in service.template.containers] == [""]
    assert [container.name for container in revision.containers] == [f"{caller.service_id}-1"]
