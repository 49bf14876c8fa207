"""Jobs of a real lake: imports and processings."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from airflow_provider_lake.client import (
    Client,
    ConflictError,
    Datalake,
    JobFailedError,
    JobKilledError,
    JobStatus,
    JobTimeoutError,
    MultiData,
    MultiJob,
    Processing,
    UsageError,
)
from tests.lake_process import LakeProcess

# Of a wait: seconds between looks, number of looks.
OFTEN = (0.05, 600)


@pytest.fixture
def client(lake: LakeProcess) -> Client:
    """Return a client of the lake."""
    return lake.client()


@pytest.fixture
def datalake(client: Client) -> Datalake:
    """Return the lake's datalake."""
    return client.get_datalake()


@pytest.fixture
def data(datalake: Datalake, tmp_path: Path) -> MultiData:
    """Upload two images."""
    path = tmp_path / "image.png"
    Image.new("RGB", (8, 8)).save(path)
    uploaded = datalake.upload_data([path, path])
    assert isinstance(uploaded, MultiData)
    return uploaded


def test_objects_of_the_bucket_are_imported(lake: LakeProcess, client: Client, datalake: Datalake) -> None:
    """A job makes data of what lies below a prefix, with tags and source; its progress counts them."""
    prefix = f"cams-{uuid4()}"
    (lake.objects / prefix).mkdir(parents=True)
    for number in range(3):
        Image.new("RGB", (8 + number, 8)).save(lake.objects / prefix / f"{number}.png")
    job = datalake.import_bucket_objects([f"{prefix}/"], tags=[prefix], source="cam-9")
    done = job.wait_for_done(*OFTEN)
    imported = datalake.list_data(tags=prefix)

    assert done == job
    assert (done.status, done.type) == (JobStatus.SUCCEEDED, "IMPORT")
    assert done.progress is not None
    assert (done.progress["total"], done.progress["imported"], done.progress["failed"]) == (3, 3, 0)
    assert [data.width for data in imported] == [8, 9, 10]
    assert {data.data_source.name for data in imported if data.data_source} == {"cam-9"}
    assert client.get_job_by_id(str(job.id)).status == JobStatus.SUCCEEDED
    assert job.refresh().finished_at is not None


def test_named_objects_are_imported(lake: LakeProcess, datalake: Datalake) -> None:
    """A job makes data of named objects, each with what is said of it."""
    prefix = f"named-{uuid4()}"
    (lake.objects / prefix).mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(lake.objects / prefix / "a.png")
    objects = {f"{prefix}/a.png": {"custom_metadata": {"lot": 4}, "tags": [prefix]}}
    datalake.import_cloud_objects(objects).wait_for_done(*OFTEN)

    assert [data.custom_metadata for data in datalake.list_data(tags=prefix)] == [{"lot": 4}]


def test_a_processing_runs_on_data(client: Client, datalake: Datalake, data: MultiData) -> None:
    """The one that comes with the lake tags the data, and its log can be read."""
    job = datalake.launch_processing(client.get_processing("data auto tagging"), data).wait_for_done(*OFTEN)

    assert job.type == "PROCESSING"
    assert "square" in [tag.name for tag in data[0].refresh().tags]
    assert "2 data" in job.log_tail()[0]
    assert len(job.log_tail(1)) == 1


def test_a_processing_learns_its_task(client: Client, datalake: Datalake, data: MultiData) -> None:
    """The job tells which data, which parameters, which datalake."""
    job = datalake.launch_processing(client.get_processing("data auto tagging"), data[::-1], {"dark_below": 10})
    task = job.get_processing_task()

    assert task.datalake_id == datalake.id
    assert task.parameters == {"dark_below": 10}
    assert task.data_ids == data[::-1].ids
    job.wait_for_done(*OFTEN)


def test_a_failed_job_tells_why(client: Client, datalake: Datalake, data: MultiData) -> None:
    """The error carries the job and the last lines of its log."""
    processing = client.get_processing("data auto tagging")
    with pytest.raises(JobFailedError, match="exit code 1") as caught:
        datalake.launch_processing(processing, data, {"no-such-parameter": 1}).wait_for_done(*OFTEN)

    assert caught.value.job.status == JobStatus.FAILED
    assert "no-such-parameter" in caught.value.log[-1]
    assert caught.value.log[-1] in str(caught.value)


@pytest.fixture
def sleeper(lake: LakeProcess, client: Client) -> Processing:
    """Register a processing that does not end by itself."""
    command = [sys.executable, "-m", "airflow_provider_lake.cli", "processing", "register"]
    subprocess.run([*command, "--data-dir", str(lake.data_dir), "sleeper", "--", "sleep", "600"], check=True)
    return client.get_processing("sleeper")


def test_a_job_is_killed(datalake: Datalake, data: MultiData, sleeper: Processing) -> None:
    """It ends as killed, and so does the wait for it."""
    job = datalake.launch_processing(sleeper, data)
    job.kill()
    with pytest.raises(JobKilledError, match=f"job {job.id} is KILLED"):
        job.wait_for_done(*OFTEN)


def test_a_wait_ends_before_the_job(datalake: Datalake, data: MultiData, sleeper: Processing) -> None:
    """When the looks are spent the error carries the job, which goes on."""
    job = datalake.launch_processing(sleeper, data)
    with pytest.raises(JobTimeoutError) as caught:
        job.wait_for_done(0.01, 2)

    assert caught.value.job == job
    assert not job.refresh().status.is_final
    job.kill()


def test_several_jobs_are_one(client: Client, datalake: Datalake, data: MultiData, sleeper: Processing) -> None:
    """Waited for until all have ended; the error carries the one that failed, or that goes on."""
    processing = client.get_processing("data auto tagging")
    good = datalake.launch_processing(processing, data)
    bad = datalake.launch_processing(processing, data, {"no-such-parameter": 1})
    endless = datalake.launch_processing(sleeper, data)

    assert [job.status for job in MultiJob([good]).wait_for_done(*OFTEN)] == [JobStatus.SUCCEEDED]
    with pytest.raises(JobFailedError) as failed:
        MultiJob([good, bad]).wait_for_done(*OFTEN)
    assert failed.value.job == bad
    jobs = MultiJob([good, bad, endless])
    with pytest.raises(JobTimeoutError) as late:
        jobs.wait_for_done(0.01, 2)
    assert late.value.job == endless
    jobs[2:].kill()
    with pytest.raises(JobKilledError):
        jobs[::2].wait_for_done(*OFTEN)


def test_a_program_reports_its_job(datalake: Datalake, data: MultiData, sleeper: Processing) -> None:
    """What it says of its end counts; anything but a state to report is refused."""
    job = datalake.launch_processing(sleeper, data)
    with pytest.raises(UsageError, match="'KILLED' is none of RUNNING"):
        job.update_job_run_with_status("KILLED")
    job.update_job_run_with_status("RUNNING")

    assert job.update_job_run_with_status("SUCCEEDED").wait_for_done(*OFTEN).status == JobStatus.SUCCEEDED
    with pytest.raises(ConflictError):
        job.update_job_run_with_status("FAILED")


def test_a_launch_that_makes_no_sense(datalake: Datalake, data: MultiData, sleeper: Processing) -> None:
    """Without data, or with a processing for something else, nothing is started."""
    with pytest.raises(UsageError, match="no data given for processing 'sleeper'"):
        datalake.launch_processing(sleeper, [])
    with pytest.raises(UsageError, match="works on MODEL_VERSION, not on a datalake"):
        datalake.launch_processing(replace(sleeper, target="MODEL_VERSION"), data)


def test_processings_are_created_changed_and_deleted(client: Client) -> None:
    """A processing of this lake's own, from beginning to end; it runs once it has a command."""
    name = f"processing-{uuid4()}"
    processing = client.create_processing(name, "DATALAKE", 2, 0, {"a": 1}, "image", "latest", description="tries")
    assert processing in client.list_processings()
    assert processing.default_parameters == {"a": 1}
    assert processing.update(description="changed", default_cpu=4).description == "changed"
    assert processing.refresh().default_cpu == 4
    processing.delete()
    assert processing not in client.list_processings()


def test_a_processing_without_command_cannot_run(client: Client, datalake: Datalake, data: MultiData) -> None:
    """The lake says how to give it one."""
    processing = client.create_processing(f"processing-{uuid4()}", "DATALAKE", 1, 0, {}, "image", "latest")
    with pytest.raises(ConflictError, match="lake processing register"):
        datalake.launch_processing(processing, data)
