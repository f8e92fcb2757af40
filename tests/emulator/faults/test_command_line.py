"""Faults from the command line."""

import signal

import httpx

from tests.test_cli import addresses, ended, greenrun_cloud


def test_faults_are_in_force_from_the_start() -> None:
    faults = ("--fault", "Services.ListServices: ABORTED, once", "--fault", "Jobs.*: INTERNAL")
    with greenrun_cloud("--json", "--runtime", "in-process", *faults) as process:
        place = f"{addresses(process)['rest']}/v2/projects/p/locations/l"
        told = [httpx.get(f"{place}/{kind}").status_code for kind in ("services",) * 2 + ("jobs",)]
        assert told == [409, 200, 500]
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (0, "", "")


def test_a_fault_that_is_not_understood_is_refused_before_anything_starts() -> None:
    with greenrun_cloud("--json", "--fault", "Services.Updat: INTERNAL") as process:
        status, told, errors = ended(process)
    assert (status, told) == (2, "")
    line = errors.splitlines()[-1]
    wrong = "Error: Invalid value for '--fault': fault 'Services.Updat: INTERNAL': unknown RPC"
    assert line.startswith(wrong)
    assert "Services.UpdateService" in line
