"""What Cloud Run fills in where a service or a job leaves it open.

Source: recorded answers of the API, but for `cpu_idle`, which run.proto states.
"""

from hashlib import sha256

from google.api import launch_stage_pb2
from google.cloud import run_v2
from google.cloud.run_v2 import IngressTraffic
from google.protobuf import duration_pb2

from cloudrun_emulator.apis.run.containers import cpu
from cloudrun_emulator.apis.run.probes import LONGEST_START_UP
from cloudrun_emulator.apis.run.services.routing import LATEST

PORT, CONCURRENCY, MOST_INSTANCES = 8080, 80, 100


def fill_defaults(service: run_v2.Service) -> None:
    """Change `service` in place."""
    service.ingress = IngressTraffic(service.ingress or IngressTraffic.INGRESS_TRAFFIC_ALL)
    service.launch_stage = service.launch_stage or launch_stage_pb2.GA
    if not service.traffic:
        service.traffic = [run_v2.TrafficTarget(type_=LATEST, percent=100)]
    _fill_template(service.template)
    service.template.service_account = service.template.service_account or account_of(service.name)


def account_of(resource: str) -> str:
    """Return the default account of a resource's project, which has the project's number in it."""
    project = resource.split("/")[1]
    number = int(sha256(project.encode()).hexdigest(), 16) % 10**12
    return f"{number:012d}-compute@developer.gserviceaccount.com"


def fill_limits(container: run_v2.Container) -> None:
    limits = container.resources.limits
    limits["cpu"] = limits.get("cpu", "1000m")
    limits["memory"] = limits.get("memory", "512Mi")


def _fill_template(template: run_v2.RevisionTemplate) -> None:
    if "timeout" not in template:
        template.timeout = duration_pb2.Duration(seconds=300)
    template.scaling.max_instance_count = template.scaling.max_instance_count or MOST_INSTANCES
    if len(template.containers) == 1 and not template.containers[0].ports:
        template.containers[0].ports = [run_v2.ContainerPort()]
    for container in template.containers:
        _fill_container(container)
    template.max_instance_request_concurrency = (
        template.max_instance_request_concurrency or _concurrency(template)
    )


def _concurrency(template: run_v2.RevisionTemplate) -> int:
    """Source: comments on RevisionTemplate."""
    limits = (container.resources.limits["cpu"] for container in template.containers)
    return CONCURRENCY if sum(map(cpu, limits)) >= 1 else 1


def _fill_container(container: run_v2.Container) -> None:
    """Make what it leaves open its own; a sidecar has neither a port nor a probe by itself."""
    if "resources" not in container:
        container.resources.cpu_idle = True  # set without it, it means false
    fill_limits(container)
    for port in container.ports:
        port.name = port.name or "http1"
        port.container_port = port.container_port or PORT
    if container.ports and "startup_probe" not in container:
        container.startup_probe = tcp_probe(container.ports[0].container_port)


def tcp_probe(port: int) -> run_v2.Probe:
    """Make the startup probe of a container that says none."""
    seconds = int(LONGEST_START_UP.total_seconds())
    return run_v2.Probe(
        timeout_seconds=seconds,
        period_seconds=seconds,
        failure_threshold=1,
        tcp_socket=run_v2.TCPSocketAction(port=port),
    )
