"""Requests that Cloud Run refuses before anything happens."""

import re
from collections.abc import Iterable
from datetime import timedelta

from google.cloud import run_v2

from cloudrun_emulator.apis.run.resources import check_resources
from cloudrun_emulator.apis.run.services.routing import LATEST
from cloudrun_emulator.apis.run.templates import (
    check_containers,
    check_exposed,
    check_namespaces,
    check_timeout,
    check_volumes,
)
from cloudrun_emulator.core.resource_names import invalid

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LONGEST_REQUEST = timedelta(hours=1)
"""Source: https://cloud.google.com/run/docs/configuring/request-timeout"""

_LONGEST_DESCRIPTION = 512
_LONGEST_ADDRESS = 46
"""Letters of a service's name and a revision tag: they make one label of DNS.

Source of the wording: firebase-tools issue 6137, policyengine-api issue 3729 [PASTE].
"""

_SHUTDOWN = run_v2.EncryptionKeyRevocationAction.SHUTDOWN
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
        check_namespaces(where)
    _check_revision_name(name, template.revision)
    _check_template(template)
    _check_traffic(name, wanted.traffic)
    _check_descriptions(wanted)


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


def _check_template(template: run_v2.RevisionTemplate) -> None:
    check_containers(template.containers, "template.containers")
    check_exposed(template.containers, "template.containers")
    check_volumes(template, "template")
    check_resources(template, "template")
    check_timeout(
        run_v2.RevisionTemplate.pb(template).timeout, _LONGEST_REQUEST, "template.timeout"
    )
    _check_network(template.vpc_access)
    _check_encryption(template)


def _check_network(access: run_v2.VpcAccess) -> None:
    """Source: comments on VpcAccess."""
    if access.connector and access.network_interfaces:
        raise invalid("template.vpc_access: a connector or network interfaces, not both.")
    if len(access.network_interfaces) > 1:
        raise invalid("template.vpc_access.network_interfaces: one is supported.")
    for interface in access.network_interfaces:
        if not interface.network and not interface.subnetwork:
            raise invalid(
                "template.vpc_access.network_interfaces: a network or a subnetwork should be "
                "specified."
            )


def _check_encryption(template: run_v2.RevisionTemplate) -> None:
    """Source: comments on RevisionTemplate."""
    duration = run_v2.RevisionTemplate.pb(template).encryption_key_shutdown_duration
    field = "template.encryption_key_shutdown_duration"
    if duration.seconds % 3600 or duration.nanos or duration.seconds < 0:
        raise invalid(f"{field}: whole hours, got {duration.seconds} seconds.")
    shuts_down = template.encryption_key_revocation_action == _SHUTDOWN
    if duration.seconds and not shuts_down:
        raise invalid(f"{field}: needs encryption_key_revocation_action SHUTDOWN.")


def _check_descriptions(wanted: run_v2.Service) -> None:
    """Source: comments on Service and BinaryAuthorization."""
    if len(wanted.description) > _LONGEST_DESCRIPTION:
        raise invalid(f"description: at most {_LONGEST_DESCRIPTION} characters.")
    authorization = wanted.binary_authorization
    by_default = "use_default" in authorization and not authorization.use_default
    if by_default and authorization.breakglass_justification:
        raise invalid("binary_authorization.breakglass_justification: must be empty here.")


def _check_traffic(name: str, targets: Iterable[run_v2.TrafficTarget]) -> None:
    targets = list(targets)
    for target in targets:
        _check_target(name, target)
    total = sum(target.percent for target in targets)
    if targets and total != 100:
        raise invalid(f"Traffic percents must add to 100, got {total}.")
    tags = [target.tag for target in targets if target.tag]
    if len(set(tags)) != len(tags):
        raise invalid("A revision tag can stand in one traffic target only.")


def _check_target(name: str, target: run_v2.TrafficTarget) -> None:
    if target.type_ not in (LATEST, _REVISION):
        raise invalid("A traffic target needs a type: LATEST or REVISION.")
    if bool(target.revision) != (target.type_ == _REVISION):
        raise invalid("A traffic target names a revision if, and only if, its type is REVISION.")
    if not 0 <= target.percent <= 100:
        raise invalid(f"Traffic percent must be from 0 to 100, got {target.percent}.")
    if target.tag and not _NAME.fullmatch(target.tag):
        raise invalid(f"Invalid revision tag '{target.tag}'.")
    if len(target.tag) + len(name) > _LONGEST_ADDRESS and target.tag:
        raise invalid(
            f"traffic.tag: traffic tag '{target.tag}' and service name '{name}' together are too "
            "long. Combined traffic tag and service name cannot exceed "
            f"{_LONGEST_ADDRESS} characters."
        )


def check_scaling(wanted: run_v2.Service) -> None:
    """Raise INVALID_ARGUMENT for counts that cannot be, as they were sent.

    A revision's own maximum that was not sent is 0 to this check. Source: goblet issue 287 [REP].
    """
    _check_counts(wanted.scaling, "scaling", "manual_instance_count")
    _check_counts(wanted.template.scaling, "template.scaling")
    own = wanted.template.scaling
    _check_order(own.min_instance_count, own.max_instance_count, "template.scaling")
    whole = wanted.scaling
    if whole.max_instance_count:
        _check_order(whole.min_instance_count, whole.max_instance_count, "scaling")


def _check_counts(
    scaling: run_v2.ServiceScaling | run_v2.RevisionScaling, field: str, *more: str
) -> None:
    for name in ("min_instance_count", "max_instance_count", *more):
        if (count := getattr(scaling, name)) < 0:
            raise invalid(f"{field}.{name}: must not be negative, got {count}.")


def _check_order(least: int, most: int, field: str) -> None:
    if least > most:
        raise invalid(
            f"{field}.max_instance_count: must be greater or equal than min_instance_count."
        )
