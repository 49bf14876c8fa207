"""Imports into a real lake of more than one job takes, and changes of more data than one call takes."""

import pickle
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from airflow_provider_lake.client import (
    Datalake,
    ForbiddenError,
    Job,
    JobStatus,
    MultiData,
    MultiJob,
    RetryPolicy,
    UsageError,
)
from airflow_provider_lake.client.resources.imports import Imports
from airflow_provider_lake.client.transport.session import Session, make_transport
from tests.lake_process import LakeProcess
from tests.wire.scripted import Given, scripted

OFTEN = (0.1, 600)
COUNT = 520


@pytest.fixture(scope="module")
def datalake(lake: LakeProcess) -> Datalake:
    """Return the lake's datalake."""
    return lake.client().get_datalake()


@pytest.fixture(scope="module")
def folder(lake: LakeProcess) -> Path:
    """Have images in the bucket, more than one job takes."""
    folder = lake.objects / f"many-{uuid4()}"
    folder.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "0.png")
    content = (folder / "0.png").read_bytes()
    for number in range(1, COUNT):
        (folder / f"{number}.png").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def imported(datalake: Datalake, folder: Path) -> MultiData:
    """Import them by name, each with custom metadata of its own."""
    objects = {
        f"{folder.name}/{number}.png": {"tags": [folder.name], "custom_metadata": {"number": number}}
        for number in range(COUNT)
    }
    jobs = datalake.import_cloud_objects(objects)
    assert isinstance(jobs, MultiJob)
    assert len(jobs) == 2
    done = jobs.wait_for_done(*OFTEN)
    assert done.ids == jobs.ids
    assert [job.progress and job.progress["imported"] for job in done] == [500, 20]
    return datalake.list_data(tags=folder.name)


def test_many_objects_are_imported(imported: MultiData) -> None:
    """All of them, each with what was said of it."""
    assert len(imported) == COUNT
    for data in imported:
        assert data.custom_metadata == {"number": int(data.filename.partition(".")[0])}


def test_many_projections_are_imported(datalake: Datalake, folder: Path, imported: MultiData) -> None:
    """Over several jobs that are waited for as one; another object of the bucket is each data's view."""
    view = f"{folder.name}/0.png"
    jobs = datalake.import_cloud_projections(
        {data.object_name: [{"name": "v", "object_name": view}] for data in imported}
    )
    assert isinstance(jobs, MultiJob)
    done = jobs.wait_for_done(*OFTEN)

    assert [job.status for job in done] == [JobStatus.SUCCEEDED] * 2
    for data in (imported[0], imported[-1]):
        # The lake's own thumbnail may be there already.
        views = [each.object_name for each in data.list_projections() if each.name == "v"]
        assert views == [view]


def test_many_data_are_changed(datalake: Datalake, imported: MultiData) -> None:
    """More than one call takes: metadata, custom metadata, tags and source of each."""
    tag, chosen = f"tag-{uuid4()}", imported[:230]
    datalake.update_multiple_data(
        {data.id: {"metadata": {"reference": data.filename}, "tags": [tag], "data_source": "bulk"} for data in chosen}
    )
    changed = datalake.list_data(tags=tag)

    assert sorted(changed.ids) == sorted(chosen.ids)
    assert all(data.metadata == {"reference": data.filename} for data in changed)
    assert {data.data_source.name for data in changed if data.data_source} == {"bulk"}


def test_an_import_that_cannot_start_all_its_jobs_names_those_that_it_started() -> None:
    """They go on, and whoever is told of the error can wait for them; also in another process."""
    ids = [str(uuid4()) for _ in range(2)]
    jobs = [Given(body={"job": {"id": each, "status": "PENDING"}}) for each in ids]
    with scripted(*jobs, Given(403, {"detail": "no more"})) as server:
        session = Session(server.url, "token", make_transport(5, verify=True), RetryPolicy(attempts=1))
        with pytest.raises(ForbiddenError) as caught:
            Imports(session, uuid4()).import_objects({f"{number}.png": {} for number in range(1001)})
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes

    assert [str(job.id) for job in copy.started_jobs] == ids
    assert all(each in copy.__notes__[0] for each in ids)


def test_few_objects_are_one_job(datalake: Datalake, folder: Path) -> None:
    """Then there is nothing to wait for as one; and none at all is an error before anything is sent."""
    assert isinstance(datalake.import_cloud_objects({f"{folder.name}/1.png": {}}), Job)
    with pytest.raises(UsageError, match="no objects given"):
        datalake.import_cloud_objects({})
    with pytest.raises(UsageError, match="no projections given"):
        datalake.import_cloud_projections({})
    with pytest.raises(UsageError, match="no data given"):
        datalake.update_multiple_data({})
