"""Processings written with the platform's published client run on the embedded lake as they are."""

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from airflow_provider_lake.client import Client, Datalake, Job, JobFailedError, JobStatus, MultiData
from tests.lake_process import LakeProcess
from tests.wire.job_calls import wait_for

PROGRAM = Path(__file__).with_name("published_program.py")
COLORS = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200)}


@pytest.fixture
def client(lake: LakeProcess) -> Client:
    """Return a client of the lake's owner."""
    return lake.client()


@pytest.fixture
def datalake(client: Client) -> Datalake:
    """Return the default datalake."""
    return client.get_datalake()


@pytest.fixture
def images(datalake: Datalake, tmp_path: Path) -> MultiData:
    """Upload an image of each color, whose names no other test uses."""
    run = uuid4()
    paths = [tmp_path / f"{color}-{run}.png" for color in COLORS]
    for path, color in zip(paths, COLORS.values(), strict=True):
        Image.new("RGB", (60, 40), color).save(path)
    uploaded = datalake.upload_data(paths)
    assert isinstance(uploaded, MultiData)
    return uploaded


def _register(lake: LakeProcess, *command: str) -> str:
    """Register a command as a user does, and return its name."""
    name = f"processing {uuid4()}"
    cli = [sys.executable, "-m", "airflow_provider_lake.cli", "processing", "register"]
    subprocess.run([*cli, "--data-dir", str(lake.data_dir), name, "--", *command], check=True, capture_output=True)
    return name


def _launch(client: Client, datalake: Datalake, name: str, data: MultiData, **parameters: object) -> Job:
    """Launch a processing, and return its job once it has ended."""
    job = datalake.launch_processing(client.get_processing(name), data, parameters)

    def ended() -> Job | None:
        now = job.refresh()
        return now if now.status.is_final else None

    return wait_for(ended)


def test_it_works_on_its_data(lake: LakeProcess, client: Client, datalake: Datalake, images: MultiData) -> None:
    """It finds its data by the four variables alone, tags and adds data, writes to its log and reports success."""
    job = _launch(client, datalake, _register(lake, sys.executable, str(PROGRAM)), images, side=20)

    assert (job.status, job.error) == (JobStatus.SUCCEEDED, None)
    for data in images:
        assert [tag.name for tag in data.refresh().tags] == [data.filename.partition("-")[0]]
        small = datalake.find_data(filename=f"small-{data.filename}").wait_for_upload_done(0.02, 1000)
        assert (small.width, small.height, [tag.name for tag in small.tags]) == (20, 13, ["thumbnail"])
    lines = job.log_tail()
    for data in images:
        assert f"{data.filename}: {data.filename.partition('-')[0]}" in lines
    assert [line for line in lines if line in {"all", "done"}] == ["all", "done"]


def test_a_reported_failure_is_one(lake: LakeProcess, client: Client, datalake: Datalake, images: MultiData) -> None:
    """Though the program ends with exit code 0; who waits for the job gets the end of its log."""
    name = _register(lake, sys.executable, str(PROGRAM))
    job = _launch(client, datalake, name, images, side=20, fail=True)

    assert job.status == JobStatus.FAILED
    with pytest.raises(JobFailedError, match="done"):
        job.require_success()


def test_an_exit_without_report(lake: LakeProcess, client: Client, datalake: Datalake, images: MultiData) -> None:
    """Exit code 0 is a success, any other a failure that names it."""
    good = _launch(client, datalake, _register(lake, sys.executable, "-c", "pass"), images)
    bad = _launch(client, datalake, _register(lake, sys.executable, "-c", "raise SystemExit(3)"), images)

    assert (good.status, good.error) == (JobStatus.SUCCEEDED, None)
    assert (bad.status, bad.error) == (JobStatus.FAILED, "exit code 3")


def test_an_exception_is_a_failure(lake: LakeProcess, client: Client, datalake: Datalake, images: MultiData) -> None:
    """The program lacks a parameter; its exception is the job's error."""
    job = _launch(client, datalake, _register(lake, sys.executable, str(PROGRAM)), images)

    assert job.status == JobStatus.FAILED
    assert job.error == "exit code 1: KeyError: 'side'"
