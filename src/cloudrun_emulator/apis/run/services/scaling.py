"""How many instances a service may have: at most one of each revision here, or none at all."""

from concurrent.futures import ThreadPoolExecutor
from threading import RLock

from google.cloud import run_v2
from grpc import StatusCode

from cloudrun_emulator.apis.run.services import conditions
from cloudrun_emulator.apis.run.services.launcher import Launcher, LaunchFailed
from cloudrun_emulator.apis.run.services.store import ServiceRecord
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.protobuf import clone
from cloudrun_emulator.core.resource_names import short
from cloudrun_emulator.runtime.instances import stop_all

_AT_ONCE = 16


class Scaling:
    """Ends the instances of a service that is scaled to zero by hand, and brings them back."""

    def __init__(self, lock: RLock, launcher: Launcher) -> None:
        self._lock = lock
        self._launcher = launcher

    def stop(self, record: ServiceRecord) -> None:
        """End all instances of a service that is halted still, to which nobody is routed any more.

        One that is just starting is not kept.
        """
        with self._lock:
            if not record.halted:
                return
            instances = list(record.instances.values())
            record.instances.clear()
        stop_all(instances)

    def start(self, record: ServiceRecord) -> None:
        """Give every revision that traffic means an instance, side by side.

        Raises FAILED_PRECONDITION for one that does not start: scaling up again is a start like
        any other [?].
        """
        if not (missing := self._missing(record)):
            return
        with ThreadPoolExecutor(_AT_ONCE) as starters:
            for started in [starters.submit(self._revive, record, one) for one in missing]:
                started.result()

    def _missing(self, record: ServiceRecord) -> list[run_v2.Revision]:
        with self._lock:
            if record.idle:
                return []
            ready = {
                name: one for name, one in record.revisions.items() if conditions.is_ready(one)
            }
            latest = list(ready)[-1:]
            meant = {target.revision for target in record.service.traffic}.union(latest)
            return [
                clone(one)
                for name, one in ready.items()
                if name in meant and name not in record.instances
            ]

    def _revive(self, record: ServiceRecord, revision: run_v2.Revision) -> None:
        try:
            instance = self._launcher.launch(revision, lambda: record.idle)
        except LaunchFailed as failure:
            raise CloudError(StatusCode.FAILED_PRECONDITION, str(failure)) from failure
        name = short(revision.name)
        with self._lock:
            kept = name not in record.instances and record.keep(name, instance)
        if not kept:
            instance.stop()
