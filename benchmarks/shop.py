"""A service on a local cloud of its own, changed as a release does it, by plain official calls."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
from google.api_core.future import polling
from google.cloud import run_v2
from google.cloud.run_v2.services.revisions.transports import RevisionsGrpcTransport
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.protobuf import field_mask_pb2

from greenrun.model.plan import Location

BASELINE, CANDIDATE = "shop-baseline", "shop-candidate"
TAG = "candidate"
OFTEN = polling.DEFAULT_POLLING.with_delay(initial=0.01, maximum=0.01).with_timeout(60)

SERVICE = "shop"
PLACE = Location("benchmark", "europe-west1")

_NAME = f"{PLACE.parent}/services/{SERVICE}"
_PINNED = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
_MAIN = "from cloudrun_emulator.cli import main; main()"


@contextmanager
def local_cloud(runtime: str) -> Iterator[str]:
    """The gRPC address of a local cloud in a process of its own; gone afterwards."""
    command = [sys.executable, "-c", _MAIN, "cloud", "--json", "--until-stdin-closes"]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [*command, "--runtime", runtime], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        line = process.stdout.readline() if process.stdout else ""
        yield json.loads(line)["grpc"]
        process.communicate()


class Shop:
    """A public service of a baseline and, from time to time, a candidate."""

    def __init__(self, address: str, container: run_v2.Container) -> None:
        self._channel = grpc.insecure_channel(address)
        self._services = run_v2.ServicesClient(
            transport=ServicesGrpcTransport(channel=self._channel)
        )
        self._revisions = run_v2.RevisionsClient(
            transport=RevisionsGrpcTransport(channel=self._channel)
        )
        self._container = container

    def close(self) -> None:
        self._channel.close()

    def open(self) -> str:
        """The public URL of the new service, which the baseline serves."""
        service = run_v2.Service(template=self._template(BASELINE), invoker_iam_disabled=True)
        created = self._services.create_service(
            parent=PLACE.parent, service_id=SERVICE, service=service
        )
        return str(_outcome(created).uri)

    def deploy(self) -> None:
        """The candidate without traffic, under its revision tag."""
        self._change(template=self._template(CANDIDATE), traffic=_split({BASELINE: 100}))

    def share(self, percent: int) -> None:
        """So much to the candidate, the rest to the baseline; in effect when it returns."""
        self._change(traffic=_split({BASELINE: 100 - percent, CANDIDATE: percent}))

    def retire(self) -> None:
        """Delete the candidate, which must have no traffic.

        It loses its tag, and stops being the latest revision: such a one cannot be deleted either.
        Source: Cloud Run, managing revisions.
        """
        self._change(template=self._template(), traffic=[_target(BASELINE, 100)])
        _outcome(self._revisions.delete_revision(name=f"{_NAME}/revisions/{CANDIDATE}"))

    def halt(self) -> None:
        """Scale to zero: every user gets 503."""
        by_hand = run_v2.ServiceScaling.ScalingMode.MANUAL
        self._change(scaling={"scaling_mode": by_hand, "manual_instance_count": 0})

    def _change(self, **fields: object) -> None:
        update = self._services.update_service(
            service=run_v2.Service(name=_NAME, **fields),
            update_mask=field_mask_pb2.FieldMask(paths=list(fields)),
        )
        _outcome(update)

    def _template(self, revision: str = "") -> run_v2.RevisionTemplate:
        return run_v2.RevisionTemplate(revision=revision, containers=[self._container])


def _outcome(operation: Any) -> Any:  # noqa: ANN401 - of any resource
    return operation.result(polling=OFTEN)


def _split(shares: Mapping[str, int]) -> list[run_v2.TrafficTarget]:
    targets = [_target(revision, percent) for revision, percent in shares.items() if percent]
    return [*targets, _target(CANDIDATE, 0, TAG)]


def _target(revision: str, percent: int, tag: str = "") -> run_v2.TrafficTarget:
    return run_v2.TrafficTarget(type_=_PINNED, revision=revision, percent=percent, tag=tag)
