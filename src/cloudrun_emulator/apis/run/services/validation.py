"""Requests that Cloud Run refuses before anything happens."""

import re
from collections.abc import Iterable
from datetime import timedelta

from google.cloud import run_v2

from cloudrun_emulator.apis.run.containers import check_container, check_timeout, mounts
from cloudrun_emulator.apis.run.services.routing import LATEST
from cloudrun_emulator.core.resource_names import invalid

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LONGEST_REQUEST = timedelta(hours=1)
"""Source: https://cloud.google.com/run/docs/configuring/request-timeout"""

_RESERVED = (
    "run.googleapis.com",
    "cloud.googleapis.com",
    "serving.knative.dev",
    "autoscaling.knative.dev",
)
_REVISION = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


def check_service_id(name: str) -> None:
    """Fewer than 50 characters: a letter, then letters, digits and hyphens."""
    if not _NAME.fullmatch(name) or len(name) >= 50:
        raise invalid(
            f"Invalid service name '{name}': it must begin with a letter, hold only lower case "
            "letters, digits and hyphens, not end with a hyphen, and be shorter than 50 characters."
        )


def check_service(name: str, wanted: run_v2.Service) -> None:
    """Raise CloudError for the first thing in `wanted` that could never be deployed."""
    template = wanted.template
    for where in (wanted.labels, wanted.annotations, template.labels, template.annotations):
        _check_namespaces(where)
    _check_revision_name(name, template.revision)
    _check_containers(template)
    _check_traffic(wanted.traffic)
    _check_scaling(wanted.scaling)


def _check_namespaces(keys: Iterable[str]) -> None:
    for key in keys:
        namespace = key.partition("/")[0]
        if any(namespace == one or namespace.endswith(f".{one}") for one in _RESERVED):
            raise invalid(f"System label or annotation '{key}' is not supported in API v2.")


def _check_revision_name(name: str, revision: str) -> None:
    if not revision:
        return
    if not revision.startswith(f"{name}-"):
        raise invalid(f"Revision name '{revision}' must be prefixed with '{name}-'.")
    if not _NAME.fullmatch(revision) or len(revision) >= 64:
        raise invalid(
            f"Invalid revision name '{revision}': lower case letters, digits and hyphens, "
            "fewer than 64 characters."
        )


def _check_containers(template: run_v2.RevisionTemplate) -> None:
    if len(template.containers) != 1:
        raise invalid(f"Expected one container in the template, got {len(template.containers)}.")
    container = template.containers[0]
    check_container(container, "template.containers[0]")
    check_timeout(
        run_v2.RevisionTemplate.pb(template).timeout, _LONGEST_REQUEST, "template.timeout"
    )
    mounts(template.revision, container, template.volumes)
    if "grpc" in container.startup_probe:
        raise invalid("A gRPC startup probe cannot be made here: use TCP or HTTP.")


def _check_traffic(targets: Iterable[run_v2.TrafficTarget]) -> None:
    targets = list(targets)
    for target in targets:
        _check_target(target)
    total = sum(target.percent for target in targets)
    if targets and total != 100:
        raise invalid(f"Traffic percents must add to 100, got {total}.")
    tags = [target.tag for target in targets if target.tag]
    if len(set(tags)) != len(tags):
        raise invalid("A revision tag can stand in one traffic target only.")


def _check_target(target: run_v2.TrafficTarget) -> None:
    if target.type_ not in (LATEST, _REVISION):
        raise invalid("A traffic target needs a type: LATEST or REVISION.")
    if bool(target.revision) != (target.type_ == _REVISION):
        raise invalid("A traffic target names a revision if, and only if, its type is REVISION.")
    if not 0 <= target.percent <= 100:
        raise invalid(f"Traffic percent must be from 0 to 100, got {target.percent}.")
    if target.tag and not _NAME.fullmatch(target.tag):
        raise invalid(f"Invalid revision tag '{target.tag}'.")


def _check_scaling(scaling: run_v2.ServiceScaling) -> None:
    for name in ("min_instance_count", "max_instance_count", "manual_instance_count"):
        if (count := getattr(scaling, name)) < 0:
            raise invalid(f"scaling.{name}: must not be negative, got {count}.")
