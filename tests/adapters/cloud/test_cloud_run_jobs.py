from datetime import timedelta
from threading import Thread

import pytest
from google.cloud import run_v2

from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.run.jobs import task_template_of
from greenrun.adapters.gcp.run.platform import CloudRun
from greenrun.adapters.gcp.run.to_proto import template_of
from greenrun.model.errors import CallFailed, DeadlineExceeded
from greenrun.model.interfaces import Execution, Job, Timeout
from greenrun.model.plan import Location
from greenrun.model.revision import RevisionSettings, SecretReference, Volume
from tests.adapters.cloud.candidates import Watcher, until
from tests.adapters.every_setting import REVISION

TASK = "in-process/task"


def job(**variables: str) -> Job:
    return Job("migrate", TASK, (TASK,), RevisionSettings(variables=variables))


def test_a_job_that_ends_well_succeeded(platform: CloudRun, timeout: Timeout) -> None:
    execution = platform.run(job(), timeout)
    assert execution == Execution(execution.name, succeeded=True)
    assert execution.name.startswith("migrate-")


def test_a_job_that_fails_did_not_succeed_and_is_not_tried_again(
    platform: CloudRun, clients: GoogleClients, place: Location, timeout: Timeout
) -> None:
    execution = platform.run(job(EXIT_CODE="3"), timeout)
    assert not execution.succeeded
    assert execution.reason.startswith("NON_ZERO_EXIT_CODE: ")
    name = f"{place.parent}/jobs/migrate/executions/{execution.name}"
    described = clients.executions.get_execution(name=name)
    assert (described.failed_count, described.retried_count) == (1, 0)


def test_a_job_is_replaced_as_a_whole_before_each_run(
    platform: CloudRun, clients: GoogleClients, place: Location, timeout: Timeout
) -> None:
    first = platform.run(job(EXIT_CODE="1"), timeout)
    second = platform.run(job(OTHER="x"), timeout)
    assert (first.succeeded, second.succeeded) == (False, True)
    assert first.name != second.name
    template = clients.jobs.get_job(name=f"{place.parent}/jobs/migrate").template.template
    assert [variable.name for variable in template.containers[0].env] == ["OTHER"]
    assert template.max_retries == 0


def test_a_cancelled_execution_did_not_succeed_though_it_answers_a_response(
    platform: CloudRun, clients: GoogleClients, place: Location, timeout: Timeout
) -> None:
    ended: list[Execution] = []
    runner = Thread(target=lambda: ended.append(platform.run(job(RUN_SECONDS="60"), timeout)))
    runner.start()
    running = until(lambda: executions(clients, place))
    clients.executions.cancel_execution(name=running[0].name)
    runner.join(timeout.within.total_seconds())
    assert [(one.succeeded, one.reason.partition(":")[0]) for one in ended] == [
        (False, "CANCELLED")
    ]


def test_a_job_over_its_time_is_a_deadline(platform: CloudRun) -> None:
    counted_by = Watcher(seconds=2)
    with pytest.raises(
        DeadlineExceeded,
        match=r"waited 2 s for .*/jobs/migrate to end \(RunJob\), last saw: .*/executions/",
    ):
        platform.run(job(RUN_SECONDS="60"), counted_by.timeout)


def test_a_removed_job_is_gone_and_removing_it_again_is_nothing(
    platform: CloudRun, clients: GoogleClients, place: Location, timeout: Timeout
) -> None:
    platform.run(job(), timeout)
    platform.remove_job("migrate", timeout)
    assert not list(clients.jobs.list_jobs(parent=place.parent))
    platform.remove_job("migrate", timeout)


def test_a_job_that_cannot_be_written_is_a_failed_call(
    platform: CloudRun, timeout: Timeout
) -> None:
    nonsense = Job("Not A Name", TASK, (TASK,), RevisionSettings())
    with pytest.raises(
        CallFailed, match=r"could not write .*/Not A Name \(UpdateJob\): got INVALID_ARGUMENT"
    ):
        platform.run(nonsense, timeout)


def test_a_task_has_the_settings_of_a_revision_but_for_what_serves_requests() -> None:
    settings = RevisionSettings(
        variables={"MODE": "full"},
        secrets={"TOKEN": SecretReference("token", "3")},
        cpu="2",
        volumes={"data": Volume(source="nfs:10.0.0.2:/data", path="/data")},
        service_account="robot@example.org",
    )
    wanted = Job("migrate", "app:1", ("python", "-m", "app.migrate"), settings)
    written = task_template_of(wanted, run_v2.Revision(), Timeout(timedelta(minutes=5)))
    secret = run_v2.SecretKeySelector(secret="token", version="3")
    expected = run_v2.TaskTemplate(
        containers=[
            run_v2.Container(
                image="app:1",
                command=["python", "-m", "app.migrate"],
                env=[
                    run_v2.EnvVar(name="MODE", value="full"),
                    run_v2.EnvVar(
                        name="TOKEN", value_source=run_v2.EnvVarSource(secret_key_ref=secret)
                    ),
                ],
                resources=run_v2.ResourceRequirements(limits={"cpu": "2"}),
                volume_mounts=[run_v2.VolumeMount(name="data", mount_path="/data")],
            )
        ],
        volumes=[
            run_v2.Volume(name="data", nfs=run_v2.NFSVolumeSource(server="10.0.0.2", path="/data"))
        ],
        max_retries=0,
        timeout={"seconds": 300},
        service_account="robot@example.org",
    )
    assert written == expected


def test_a_task_runs_where_the_service_does_with_what_nobody_said() -> None:
    live = template_of(REVISION, "app:0")
    baseline = run_v2.Revision(
        containers=live.containers,
        volumes=live.volumes,
        vpc_access=live.vpc_access,
        service_account=live.service_account,
        execution_environment=live.execution_environment,
        encryption_key=live.encryption_key,
        node_selector=live.node_selector,
    )
    wanted = Job("migrate", "app:1", ("migrate",), RevisionSettings(), "web-one")
    task = task_template_of(wanted, baseline, Timeout(timedelta(minutes=5)))
    [container] = task.containers
    main = next(it for it in live.containers if it.ports)
    assert (container.image, list(container.command), list(container.args)) == (
        *("app:1", ["migrate"]),
        [],
    )
    assert container.env == main.env
    assert container.volume_mounts == main.volume_mounts
    assert container.resources.limits == main.resources.limits
    assert not (container.ports)
    assert not (container.depends_on)
    assert "startup_probe" not in container
    assert task.vpc_access == live.vpc_access
    assert (task.service_account, task.encryption_key) == (
        live.service_account,
        live.encryption_key,
    )
    mounted = {mount.name for mount in main.volume_mounts}
    assert {volume.name for volume in task.volumes} == mounted


def executions(clients: GoogleClients, place: Location) -> list[run_v2.Execution]:
    """Those that run; none as long as there is no job."""
    jobs = list(clients.jobs.list_jobs(parent=place.parent))
    found = [
        execution
        for one in jobs
        for execution in clients.executions.list_executions(parent=one.name)
    ]
    return [execution for execution in found if execution.running_count]
