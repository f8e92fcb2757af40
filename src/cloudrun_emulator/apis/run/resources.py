"""CPU, memory, GPU and concurrency: the combinations that Cloud Run has instances for.

Source: https://cloud.google.com/run/docs/configuring/services/cpu, .../memory-limits, .../gpu
"""

from collections.abc import Iterable, Mapping, Sequence

from google.cloud import run_v2

from cloudrun_emulator.apis.run.containers import cpu, memory_bytes
from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.core.resource_names import invalid

GPU = "nvidia.com/gpu"
_KEYS = frozenset({"cpu", "memory", GPU})
_MIB, _GIB = 2**20, 2**30
_MEMORY = {
    0.08: (128 * _MIB, 512 * _MIB),
    0.5: (128 * _MIB, _GIB),
    1.0: (128 * _MIB, 4 * _GIB),
    2.0: (128 * _MIB, 8 * _GIB),
    4.0: (2 * _GIB, 16 * _GIB),
    6.0: (4 * _GIB, 24 * _GIB),
    8.0: (4 * _GIB, 32 * _GIB),
}
"""The least and the most memory by CPUs."""

_LEAST_GEN2 = 512 * _MIB
_GEN2 = run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN2
_LEAST_FOR_GPU = (4.0, 16 * _GIB)
_MOST_CONCURRENCY = 1000


def check_keys(limits: Iterable[str], field: str) -> None:
    """Raise INVALID_ARGUMENT for what no container has a limit of."""
    for key in limits:
        if key not in _KEYS:
            raise invalid(f"{field}: '{key}' is not one of {', '.join(sorted(_KEYS))}.")


def check_resources(template: run_v2.RevisionTemplate, field: str) -> None:
    """Raise INVALID_ARGUMENT where there is no such instance.

    The wording of what is refused for the sum of CPUs or of memory is that of Google's answers as
    users paste them [PASTE].
    """
    limits = [container.resources.limits for container in template.containers]
    cpus = sum(cpu(each.get("cpu", "1")) for each in limits)
    memory = sum(memory_bytes(each.get("memory", "512Mi")) for each in limits)
    where = f"{field}.containers.resources.limits"
    _check_concurrency(template.max_instance_request_concurrency, cpus, field)
    if any(GPU in each for each in limits) or template.node_selector.accelerator:
        _check_gpu(template, limits, (cpus, memory), where)
        return
    _check_cpu(template, limits, cpus, where)
    _check_memory(template, cpus, memory, where)


def _check_concurrency(concurrency: int, cpus: float, field: str) -> None:
    if not 0 <= concurrency <= _MOST_CONCURRENCY:
        raise invalid(
            f"{field}.max_instance_request_concurrency: from 0 to {_MOST_CONCURRENCY}, "
            f"got {concurrency}."
        )
    if cpus < 1 < concurrency:
        raise _no_cpu(
            f"{field}.containers.resources.limits",
            "Total cpu < 1 is not supported with concurrency > 1.",
        )


def _check_cpu(
    template: run_v2.RevisionTemplate, limits: Sequence[Mapping[str, str]], cpus: float, where: str
) -> None:
    for each in limits:
        amount = cpu(each.get("cpu", "1"))
        if amount > 1 and amount not in _MEMORY:
            raise _no_cpu(where, f"Expected less than 1, or one of 1, 2, 4, 6, 8; got {amount:g}.")
    if not min(_MEMORY) <= cpus <= max(_MEMORY):
        raise _no_cpu(where, f"Total cpu is from 0.08 to 8, got {cpus:g}.")
    if cpus < 1 and template.execution_environment == _GEN2:
        raise _no_cpu(where, "Total cpu < 1 is not supported with gen2 execution environment.")
    if cpus < 1 and not all(one.resources.cpu_idle for one in template.containers):
        raise _no_cpu(where, "Total cpu < 1 is not supported with cpu always allocated.")


def _check_memory(template: run_v2.RevisionTemplate, cpus: float, memory: int, where: str) -> None:
    least, most = _MEMORY[max(row for row in _MEMORY if row <= cpus)]
    gen2 = template.execution_environment == _GEN2
    least = max(least, _LEAST_GEN2) if gen2 else least
    if not least <= memory <= most:
        environment = " with gen2 execution environment" * gen2
        raise invalid(
            f"{where}.memory: Invalid value specified for memory{environment}. For {cpus:.1f} CPU, "
            f"memory must be between {_written(least)} and {_written(most)} inclusive."
        )


def _check_gpu(
    template: run_v2.RevisionTemplate,
    limits: Sequence[Mapping[str, str]],
    total: tuple[float, int],
    where: str,
) -> None:
    if [each[GPU] for each in limits if GPU in each] != ["1"]:
        raise invalid(f"{where}: one container needs {GPU} '1', as the node selector names a GPU.")
    if not template.node_selector.accelerator:
        raise invalid(f"{where}: {GPU} needs a node selector with an accelerator.")
    if any(have < need for have, need in zip(total, _LEAST_FOR_GPU, strict=True)):
        raise invalid(f"{where}: a GPU needs at least 4 CPU and 16Gi of memory.")
    if any(one.resources.cpu_idle for one in template.containers):
        raise invalid(f"{where}: a GPU needs CPU that is always allocated.")


def _no_cpu(where: str, why: str) -> CloudError:
    return invalid(f"{where}.cpu: Invalid value specified for cpu. {why}")


def _written(size: int) -> str:
    return f"{size // _GIB}Gi" if size >= _GIB else f"{size // _MIB}Mi"
