"""The images of this process: programs that behave, and some that do not."""

from collections.abc import Mapping
from itertools import count
from types import MappingProxyType

from cloudrun_emulator.runtime.exit_codes import TERMINATED
from cloudrun_emulator.runtime.process import Process, Program
from cloudrun_emulator.runtime.web import Answer, Call, serve


def echo(process: Process) -> int:
    """Answer 200 and tell the revision; /status/NNN answers NNN, /slow/MS after MS milliseconds."""

    def respond(call: Call) -> Answer:
        match call.path.partition("?")[0].split("/"):
            case ["", "status", status]:
                return Answer(_facts(process, call), int(status))
            case ["", "slow", milliseconds]:
                process.killed.wait(int(milliseconds) / 1000)
        return Answer(_facts(process, call))

    process.print("Application startup complete")
    return serve(process, respond)


def _facts(process: Process, call: Call) -> dict[str, object]:
    return {
        "status": "ok",
        "revision": process.environment.get("K_REVISION", ""),
        "path": call.path,
        "method": call.method,
        "headers": {name.lower(): value for name, value in call.headers.items()},
        "env": dict(process.environment),
    }


def flaky(process: Process) -> int:
    """Echo, but answer 500 to FAIL_PERCENT of all requests, evenly spread (50)."""
    percent = int(process.environment.get("FAIL_PERCENT", "50"))
    numbers = count(1)

    def respond(call: Call) -> Answer:
        number = next(numbers)
        fails = number * percent // 100 > (number - 1) * percent // 100
        return Answer(_facts(process, call), 500 if fails else 200)

    process.print("Application startup complete")
    return serve(process, respond)


def slow(process: Process) -> int:
    """Echo, ANSWER_MILLISECONDS after it was asked (1000)."""
    delay = int(process.environment.get("ANSWER_MILLISECONDS", "1000")) / 1000

    def respond(call: Call) -> Answer:
        process.killed.wait(delay)
        return Answer(_facts(process, call))

    process.print("Application startup complete")
    return serve(process, respond)


def crash(process: Process) -> int:
    """Exit at once with 1."""
    process.print("fatal: this program always crashes", "stderr")
    return 1


def deaf(process: Process) -> int:
    """Run, and never listen."""
    process.print("running without listening")
    process.terminated.wait()
    return TERMINATED


def slow_start(process: Process) -> int:
    """Echo, once START_SECONDS have passed."""
    if process.terminated.wait(float(process.environment.get("START_SECONDS", "1"))):
        return TERMINATED
    return echo(process)


def task(process: Process) -> int:
    """Tell the CLOUD_RUN_* variables and each argument, take RUN_SECONDS, exit with EXIT_CODE."""
    for name, value in sorted(process.environment.items()):
        if name.startswith("CLOUD_RUN_"):
            process.print(f"{name}={value}")
    for argument in process.args:
        process.print(argument)
    if process.terminated.wait(float(process.environment.get("RUN_SECONDS", "0"))):
        return TERMINATED
    code = int(process.environment.get("EXIT_CODE", "0"))
    process.print(f"exit {code}", "stderr" if code else "stdout")
    return code


PROGRAMS: Mapping[str, Program] = MappingProxyType(
    {
        "in-process/echo": echo,
        "in-process/flaky": flaky,
        "in-process/slow": slow,
        "in-process/crash": crash,
        "in-process/deaf": deaf,
        "in-process/slow-start": slow_start,
        "in-process/task": task,
    }
)
