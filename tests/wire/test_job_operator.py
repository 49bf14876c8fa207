"""Starting a job, finding it again and giving it up, against a real lake."""

import json
import sqlite3
import sys
import threading
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import TaskDeferred

from airflow_provider_lake.cli.main import main
from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.client import Job, JobStatus, RetryPolicy
from airflow_provider_lake.client.transport.session import Session, make_transport
from airflow_provider_lake.exceptions import LakeJobError, LakePermanentError, WaitTimeoutError
from airflow_provider_lake.operators.import_bucket import ImportBucketObjectsOperator
from airflow_provider_lake.operators.processing import LaunchProcessingOperator
from airflow_provider_lake.tasks.jobs import require_no_failure
from tests.lake_process import LakeProcess
from tests.tries import Tries
from tests.wire.breaking_proxy import Break, breaking_proxy
from tests.wire.job_server import job_server
from tests.wire.scripted import Given, scripted

SLOW = "import time; time.sleep(60)"
QUICK = "print('done')"
FAILING = "print('no disk left'); raise SystemExit(9)"


@pytest.fixture(autouse=True)
def _photos(lake: LakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection())
    for name, program in {"slow": SLOW, "quick": QUICK, "failing": FAILING}.items():
        command = [name, "--", sys.executable, "-c", program]
        assert main(["processing", "register", "--data-dir", str(lake.data_dir), *command]) == 0
    lake.client().get_datalake().upload_data(make_photos(lake.data_dir.parent / "photos", 1)[0], tags=["jobs"])


def _operator(processing: str, **options: Any) -> LaunchProcessingOperator:
    return LaunchProcessingOperator(
        task_id="launch", processing=processing, tags="jobs", poll_interval=0.1, **({"deferrable": False} | options)
    )


def _start(tries: Tries, **options: Any) -> str:
    """Start a slow job without waiting for it; return its id."""
    summary = _operator("slow", wait_for_completion=False, **options).execute(tries.next())
    job_id: str = summary["job_id"]
    return job_id


@pytest.mark.quick
def test_the_summary_is_the_same_in_every_mode(lake: LakeProcess) -> None:
    """Waited for here, deferred, and found again by a retry after it has succeeded."""
    here = Tries()
    fresh = _operator("quick").execute(here.next())
    found = _operator("quick").execute(here.next())
    with pytest.raises(TaskDeferred) as deferral:
        _operator("quick", deferrable=True).execute(Tries().next())
    lake.client().get_job_by_id((deferral.value.kwargs or {})["job_id"]).wait_for_done(0.1, 200)
    resumed = _operator("quick", deferrable=True).execute_complete(
        Tries().next(), event={"status": "ended"}, **(deferral.value.kwargs or {})
    )

    assert found == fresh
    assert resumed.pop("job_id") != fresh.pop("job_id")
    assert resumed == fresh


def test_a_retry_that_knows_nothing_is_given_its_job_by_the_lake(lake: LakeProcess) -> None:
    """As below Airflow 3.3, or where a process was killed before it could keep the job; a cleared task starts anew."""
    tries = Tries()
    job_id = _start(tries)
    tries.state.clear()
    again = _start(tries)
    tries.state.clear()
    tries.clear()
    cleared = _start(tries)
    for each in (job_id, cleared):
        lake.client().get_job_by_id(each).kill()

    assert again == job_id
    assert cleared != job_id


def test_a_retry_that_knows_nothing_starts_another_job_than_one_that_failed() -> None:
    """The lake answers with the failed one, which is none to wait for."""
    tries = Tries()
    ids = set()
    for _ in range(3):
        with pytest.raises(LakeJobError) as failure:
            _operator("failing").execute(tries.next())
        ids.add(str(failure.value).split()[1])
        tries.state.clear()

    assert len(ids) == 3


@pytest.mark.parametrize("kind", Break)
def test_a_start_whose_answer_is_lost_starts_one_job(
    lake: LakeProcess, monkeypatch: pytest.MonkeyPatch, kind: Break
) -> None:
    """The client asks again with the same key."""
    lost: list[str] = []

    def decide(line: str, number: int) -> Break | None:
        if line.startswith("POST") and "/processing/launch " in line and number < 2:
            lost.append(line)
            return kind
        return None

    before = _jobs(lake)
    with breaking_proxy(lake.url, decide) as url:
        monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", lake.connection(host=url))
        job_id = _start(Tries())
    lake.client().get_job_by_id(job_id).kill()

    assert len(lost) == 2
    assert _jobs(lake) - before == {job_id.replace("-", "")}


def _jobs(lake: LakeProcess) -> set[str]:
    """Return the ids of all jobs, straight from the lake's table."""
    with closing(sqlite3.connect(lake.data_dir / "lake.db")) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM jobs")}


def test_a_retry_finds_a_job_that_goes_on(lake: LakeProcess) -> None:
    """Whether it waits here or defers; the trigger waits for that job."""
    tries = Tries()
    job_id = _start(tries)

    with pytest.raises(TaskDeferred) as deferral:
        _operator("slow", deferrable=True).execute(tries.next())

    assert deferral.value.trigger.job_id == job_id
    lake.client().get_job_by_id(job_id).kill()


def test_a_cleared_task_finds_only_a_job_that_goes_on(lake: LakeProcess) -> None:
    """One that had succeeded is done again; one that goes on is waited for."""
    tries = Tries()
    done = _operator("quick").execute(tries.next())["job_id"]
    tries.clear()
    again = _operator("quick").execute(tries.next())["job_id"]
    assert again != done

    tries = Tries()
    running = _start(tries)
    tries.clear()
    assert _start(tries) == running
    lake.client().get_job_by_id(running).kill()


def test_a_failed_or_forgotten_job_is_started_again() -> None:
    """A retry after a failure is meant to try again; an unknown id is no reason to fail."""
    tries = Tries()
    with pytest.raises(LakeJobError, match=r"(?s)exit code 9.*no disk left"):
        _operator("failing").execute(tries.next())
    assert _operator("quick").execute(tries.next())["status"] == "SUCCEEDED"
    tries.state["lake_job"]["job_id"] = "00000000-0000-4000-8000-000000000000"

    assert _operator("quick").execute(tries.next())["status"] == "SUCCEEDED"


def test_a_retry_after_the_dag_was_corrected_starts_what_it_says_now(lake: LakeProcess) -> None:
    """Whether the first job is known by Airflow or by the lake; the order of names in a set is no correction."""
    started = []
    for is_kept in (True, False):
        tries = Tries()
        for processing, tags in (("slow", {"jobs", "other"}), ("slow", {"other", "jobs"}), ("quick", {"jobs"})):
            operator = LaunchProcessingOperator(
                task_id="launch", processing=processing, tags=tags, wait_for_completion=False, deferrable=False
            )
            started.append(operator.execute(tries.next())["job_id"])
            tries.state.clear() if not is_kept else None

    assert [started.index(job_id) for job_id in started] == [0, 0, 2, 3, 3, 5]
    for job_id in (started[0], started[3]):
        lake.client().get_job_by_id(job_id).kill()


def test_a_lake_whose_jobs_fail_at_once_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """One job, and one for each try whose job may have failed before; then the task fails with the last."""
    named = {"id": str(uuid4()), "name": "default"}
    user = {"username": "someone", "default_organization": named["id"], "idempotency_keys": True}
    jobs = [{"id": str(uuid4()), "status": "FAILED", "error": "out of order"} for _ in range(5)]
    connected = [Given(body=user), Given(body=named | {"default_connector_id": named["id"]})]
    datalake = Given(body=named | {"connector_id": named["id"]})
    with scripted(*connected, datalake, *(Given(body={"job": job}) for job in jobs[:3]), Given(404)) as server:
        connection = {"conn_type": "lake", "host": server.url, "password": "token"}
        monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", json.dumps(connection))
        tries = Tries()
        tries.next()
        with pytest.raises(LakeJobError, match=f"job {jobs[2]['id']} ended as FAILED: out of order"):
            ImportBucketObjectsOperator(task_id="imports", prefixes="x/").execute(tries.next())

    keys = [asked.headers["Idempotency-Key"] for asked in server.asked if asked.method == "POST"]
    assert len(set(keys)) == len(keys) == 3


def test_without_durability_each_try_starts_a_job() -> None:
    """Neither what Airflow keeps nor what the lake knows is asked."""
    tries = Tries()

    ids = {_operator("quick", durable=False).execute(tries.next())["job_id"] for _ in range(2)}

    assert len(ids) == 2


@pytest.mark.parametrize("cancel_on_kill", [True, False])
@pytest.mark.parametrize("is_deferred", [True, False])
def test_a_wait_that_is_given_up_ends_the_job_where_asked(
    lake: LakeProcess, is_deferred: bool, cancel_on_kill: bool
) -> None:
    """On a worker and after deferral; otherwise the job goes on."""
    tries, operator = Tries(), _operator("slow", timeout=0.3, cancel_on_kill=cancel_on_kill, deferrable=is_deferred)
    if is_deferred:
        with pytest.raises(TaskDeferred) as deferral:
            operator.execute(tries.next())
        event = {"status": "timeout", "message": "too long"}
        with pytest.raises(WaitTimeoutError, match=r"timeout is 0\.3 s$"):
            operator.execute_complete(tries.next(), event=event, **(deferral.value.kwargs or {}))
    else:
        with pytest.raises(WaitTimeoutError):
            operator.execute(tries.next())
    job = lake.client().get_job_by_id(tries.state["lake_job"]["job_id"])

    assert (job.status == "KILLED") == cancel_on_kill
    job.kill() if not job.status.is_final else None


@pytest.mark.parametrize(
    ("cancel_on_kill", "durable", "airflow_says", "is_killed"),
    [
        (True, True, "failed", True),
        (True, True, "running", False),
        (True, False, "running", True),
        (False, True, "failed", False),
    ],
)
def test_a_killed_task_ends_its_job_where_asked(
    lake: LakeProcess, cancel_on_kill: bool, durable: bool, airflow_says: str, is_killed: bool
) -> None:
    """A durable task that still counts as running is only moved to another worker: its job goes on."""
    tries = Tries()
    tries.airflow_says = airflow_says
    operator = _operator("slow", wait_for_completion=False, cancel_on_kill=cancel_on_kill, durable=durable)
    job = lake.client().get_job_by_id(operator.execute(tries.next())["job_id"])

    operator.on_kill()

    assert (job.refresh().status == "KILLED") == is_killed
    if not is_killed:
        job.kill()


def test_a_killed_task_leaves_alone_what_has_ended(lake: LakeProcess) -> None:
    """The job is read before it is killed."""
    operator = _operator("quick", cancel_on_kill=True)
    job = lake.client().get_job_by_id(operator.execute(Tries().next())["job_id"])

    operator.on_kill()

    assert job.refresh().status == "SUCCEEDED"


@pytest.mark.parametrize("is_late", [True, False])
def test_a_job_that_ended_at_the_last_moment_has_ended(is_late: bool) -> None:
    """What the trigger did not see before its deadline, the worker does."""
    summary = _operator("quick").execute(Tries().next())
    event = {"status": "timeout", "message": "too long"} if is_late else {"status": "ended"}

    resumed = _operator("quick", deferrable=True, timeout=1).execute_complete(
        Tries().next(), event=event, job_id=summary["job_id"], details={"data_count": summary["data_count"]}
    )

    assert resumed == {name: summary[name] for name in ("job_id", "status", "progress", "data_count")}


def test_a_resumed_task_bears_with_a_lake_that_does_not_answer(
    own_lake: LakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job has ended, and the lake is gone when the worker comes to read it: it asks until the lake is back."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_DEFAULT", own_lake.connection())
    datalake = own_lake.client().get_datalake()
    command = ["quick", "--", sys.executable, "-c", QUICK]
    assert main(["processing", "register", "--data-dir", str(own_lake.data_dir), *command]) == 0
    datalake.upload_data(make_photos(own_lake.data_dir.parent / "photos", 1)[0], tags=["jobs"])
    job_id = _operator("quick").execute(Tries().next())["job_id"]
    own_lake.stop()
    again = threading.Thread(target=own_lake.start)
    again.start()

    resumed = _operator("quick").execute_complete(Tries().next(), event={"status": "ended"}, job_id=job_id)

    again.join()
    assert resumed["status"] == "SUCCEEDED"


def test_an_execution_timeout_counts_while_deferred(lake: LakeProcess) -> None:
    """Airflow does not look at it then, so the trigger's deadline does; it counts from the task's start."""
    tries = Tries()
    operator = _operator("slow", deferrable=True, timeout=3600, execution_timeout=timedelta(seconds=60))

    with pytest.raises(TaskDeferred) as deferral:
        operator.execute(tries.next())

    assert deferral.value.trigger.deadline == tries.started.timestamp() + 60
    lake.client().get_job_by_id(deferral.value.trigger.job_id).kill()


def test_default_args_reach_how_a_task_waits() -> None:
    """A DAG says once that its tasks are not durable."""
    with DAG(
        "d",
        schedule=None,
        default_args={"durable": False, "poll_interval": 30, "cancel_on_kill": True, "outage_budget": 60},
    ):
        imports = ImportBucketObjectsOperator(task_id="imports", prefixes="x/")
        own = ImportBucketObjectsOperator(task_id="own", prefixes="x/", durable=True)

    assert (imports.durable, own.durable) == (False, True)
    assert (imports.poll_interval, imports.cancel_on_kill, imports.outage_budget) == (30, True, 60)
    assert _operator("quick").durable


def test_an_unknown_processing_starts_nothing() -> None:
    """And no retry mends it."""
    tries = Tries()

    with pytest.raises(LakePermanentError, match="no such processing"):
        _operator("no such processing").execute(tries.next())
    assert tries.state == {}


def test_a_job_has_failed_though_its_log_cannot_be_read() -> None:
    """A refused log is no reason not to try again, and does not hide why that is done."""
    with job_server(lambda _name, _number: (403, {})) as server:
        session = Session(server.url, "token", make_transport(10.0, verify=True), RetryPolicy())
        job = Job(uuid4(), session, JobStatus.FAILED)
        with pytest.raises(LakeJobError, match=f"job {job.id} ended as FAILED\nits log cannot be read: "):
            require_no_failure(job, LakeJobError)
