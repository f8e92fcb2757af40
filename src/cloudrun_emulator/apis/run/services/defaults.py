"""What Cloud Run fills in where a service leaves a setting open."""

from datetime import timedelta

from google.api import launch_stage_pb2
from google.cloud import run_v2
from google.cloud.run_v2 import IngressTraffic, TrafficTargetAllocationType
from google.protobuf import duration_pb2

PORT = 8080
START_UP = timedelta(seconds=240)
LATEST = TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST


def fill(service: run_v2.Service) -> None:
    """Source: recorded answers of the API, but for `cpu_idle`, which run.proto states."""
    service.ingress = IngressTraffic(service.ingress or IngressTraffic.INGRESS_TRAFFIC_ALL)
    service.launch_stage = service.launch_stage or launch_stage_pb2.GA
    if not service.traffic:
        service.traffic = [run_v2.TrafficTarget(type_=LATEST, percent=100)]
    _fill_template(service.template)


def _fill_template(template: run_v2.RevisionTemplate) -> None:
    if "timeout" not in template:
        template.timeout = duration_pb2.Duration(seconds=300)
    template.max_instance_request_concurrency = template.max_instance_request_concurrency or 80
    template.scaling.max_instance_count = template.scaling.max_instance_count or 100
    for container in template.containers:
        _fill_container(container)


def _fill_container(container: run_v2.Container) -> None:
    if not container.ports:
        container.ports = [run_v2.ContainerPort(name="http1", container_port=PORT)]
    port = container.ports[0]
    port.name = port.name or "http1"
    port.container_port = port.container_port or PORT
    if "resources" not in container:
        container.resources.cpu_idle = True  # set without it, it means false
    limits = container.resources.limits
    limits["cpu"] = limits.get("cpu", "1")
    limits["memory"] = limits.get("memory", "512Mi")
    if "startup_probe" not in container:
        container.startup_probe = _tcp_probe(port.container_port)


def _tcp_probe(port: int) -> run_v2.Probe:
    seconds = int(START_UP.total_seconds())
    return run_v2.Probe(
        timeout_seconds=seconds,
        period_seconds=seconds,
        failure_threshold=1,
        tcp_socket=run_v2.TCPSocketAction(port=port),
    )
