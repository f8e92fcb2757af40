"""Programs of this process that write more than the local cloud's own."""

import json

from cloudrun_emulator.runtime.programs import Process, echo

SECRET = "hunter2"
MANY = 2500


def talkative(process: Process) -> int:
    """Writes all kinds of lines, then echoes."""
    process.print(f"the key is {SECRET}")
    process.print("to stderr", "stderr")
    process.print(json.dumps({"severity": "ERROR", "message": f"no {SECRET}", "table": "costs"}))
    process.print(json.dumps({"severity": "info", "count": 3}))
    return echo(process)


def endless(process: Process) -> int:
    """Writes more than fits on one page, then echoes."""
    for number in range(MANY):
        process.print(f"line {number}")
    return echo(process)


TALKERS = {"in-process/talkative": talkative, "in-process/endless": endless}
