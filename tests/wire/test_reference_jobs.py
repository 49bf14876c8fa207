"""The platform's published client starts imports and processings on the embedded lake, and follows their jobs."""

import sys
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from tests.lake_process import LakeProcess
from tests.videos import make_video
from tests.wire.job_calls import register
from tests.wire.published_client import connect, picsellia, upload

SUCCEEDED = picsellia.types.enums.JobRunStatus.SUCCEEDED
INPUT = picsellia.types.enums.ProcessingInputType
PROCESSING = {
    "target": "DATALAKE",
    "default_cpu": 2,
    "default_gpu": 0,
    "default_parameters": {"gamma": 1.2},
    "docker_image": "tagger",
    "docker_tag": "1.0",
    "type": "DATA_AUTO_TAGGING",
    "description": "tags",
}


@pytest.fixture(scope="module")
def client(lake: LakeProcess) -> picsellia.Client:
    """Connect the published client."""
    return connect(lake)


@pytest.fixture(scope="module")
def datalake(client: picsellia.Client) -> picsellia.Datalake:
    """Return the default datalake."""
    return client.get_datalake()


@pytest.fixture
def folder(lake: LakeProcess) -> Path:
    """Put two photos, a clip and a text into a folder of the bucket."""
    folder = lake.objects / f"camera-{uuid4()}"
    folder.mkdir(parents=True)
    for name in ("a.jpg", "b.png"):
        Image.new("RGB", (30, 20)).save(folder / name)
    (folder / "clip.mp4").write_bytes(make_video())
    (folder / "readme.txt").write_text("words")
    return folder


@pytest.fixture
def job(client: picsellia.Client, datalake: picsellia.Datalake, tmp_path: Path) -> picsellia.sdk.job.Job:
    """Launch the processing that comes with the lake on one image."""
    Image.new("RGB", (30, 20)).save(tmp_path / "a.jpg")
    data = upload(datalake, [tmp_path / "a.jpg"])
    return datalake.launch_processing(client.get_processing("data auto tagging"), data)


def _done(job: picsellia.sdk.job.Job) -> picsellia.types.enums.JobRunStatus:
    return job.wait_for_done(blocking_time_increment=0.05, attempts=1200)


def test_a_folder_of_the_bucket_is_imported(datalake: picsellia.Datalake, folder: Path) -> None:
    """Its images and videos become data, with the tags and the source; the text does not."""
    tag, source = f"tag {uuid4()}", f"source {uuid4()}"

    job = datalake.import_bucket_objects([f"{folder.name}/"], tags=[tag], source=source)

    assert _done(job) == SUCCEEDED
    data = datalake.list_data(tags=tag)
    assert sorted(each.filename for each in data) == ["a.jpg", "b.png", "clip.mp4"]
    assert {each.get_datasource().name for each in data} == {source}
    assert datalake.find_data(object_name=f"{folder.name}/a.jpg").width == 30


def test_named_objects_are_imported(datalake: picsellia.Datalake, folder: Path, tmp_path: Path) -> None:
    """Each as it is described, by a dict or by a record."""
    tag, source = f"tag {uuid4()}", f"source {uuid4()}"
    first, second = f"{folder.name}/a.jpg", f"{folder.name}/b.png"

    job = datalake.import_cloud_objects(
        {
            first: {"metadata": {"reference": "XYZ1"}, "tags": [tag], "data_source": source},
            second: picsellia.CloudObject(custom_metadata={"value": 25}, tags=[tag]),
        }
    )

    assert _done(job) == SUCCEEDED
    assert {each.object_name for each in datalake.list_data(tags=tag)} == {first, second}
    data = datalake.find_data(object_name=first)
    assert (data.metadata["reference"], data.get_datasource().name) == ("XYZ1", source)
    assert datalake.find_data(object_name=second).custom_metadata == {"value": 25}
    data.download(tmp_path)
    assert (tmp_path / "a.jpg").read_bytes() == (folder / "a.jpg").read_bytes()


def test_more_than_a_page_of_data_is_listed(own_lake: LakeProcess) -> None:
    """Each once, by cursor and by offset."""
    own_lake.objects.mkdir(exist_ok=True)
    image = own_lake.objects / "0000.png"
    Image.new("RGB", (3, 2)).save(image)
    for number in range(1, 1002):
        (own_lake.objects / f"{number:04}.png").write_bytes(image.read_bytes())
    datalake = connect(own_lake).get_datalake()
    assert _done(datalake.import_bucket_objects([""])) == SUCCEEDED

    expected = [f"{number:04}.png" for number in range(1002)]
    assert sorted(each.filename for each in datalake.list_data()) == expected
    assert [each.filename for each in datalake.list_data(order_by=["-filename"])] == expected[::-1]
    assert [each.filename for each in datalake.list_data(order_by=["filename"], limit=1001, offset=1)] == expected[1:]


def test_a_processing_is_created_found_changed_and_deleted(client: picsellia.Client) -> None:
    """Under its name, and in the list."""
    name = f"processing {uuid4()}"
    processing = client.create_processing(name=name, **PROCESSING)

    assert client.get_processing(name) == processing == client.get_public_processing(name)
    assert processing in client.list_processings(order_by=["name"])
    assert len(client.list_processings(limit=1, offset=1)) == 1
    processing.update(docker_tag="2.0", description="better tags", default_parameters={}, default_cpu=1, default_gpu=1)
    assert processing.sync()["default_parameters"] == {}
    assert processing.docker == "tagger:2.0"
    processing.delete()
    with pytest.raises(picsellia.exceptions.ResourceNotFoundError, match=name):
        client.get_processing(name)


def test_a_processing_declares_its_inputs(
    lake: LakeProcess, client: picsellia.Client, datalake: picsellia.Datalake, tmp_path: Path
) -> None:
    """A launch has to give what is required; the job's program finds it."""
    Image.new("RGB", (30, 20)).save(tmp_path / "a.jpg")
    data, name = upload(datalake, [tmp_path / "a.jpg"]), f"processing {uuid4()}"
    register(lake, name, sys.executable, "-c", "pass")
    processing = client.get_processing(name)

    processing.add_processing_input("model", INPUT.TEXT, True, None, None)
    processing.add_processing_input("side", INPUT.NUMBER, True, None, None)
    processing.update_processing_input("side", False, None, None)
    assert [(each["name"], each["required"]) for each in processing.list_processing_inputs()] == [
        ("model", True),
        ("side", False),
    ]
    with pytest.raises(picsellia.exceptions.BadRequestError, match="model"):
        datalake.launch_processing(processing, data, inputs={"side": 3})
    job = datalake.launch_processing(processing, data, inputs={"model": "v1"})
    assert job.sync()["processing_job"]["inputs"] == {"model": "v1"}
    assert _done(job) == SUCCEEDED

    processing.delete_processing_input("model")
    assert [each["name"] for each in processing.list_processing_inputs()] == ["side"]


def test_a_processing_is_launched_and_followed(client: picsellia.Client, job: picsellia.sdk.job.Job) -> None:
    """Its job is found by its id, and ends well."""
    found = client.get_job_by_id(str(job.id))

    assert found == job
    assert found.wait_for_status(["SUCCEEDED"], blocking_time_increment=0.05, attempts=1200) == SUCCEEDED
    assert _done(job) == SUCCEEDED


def test_a_processing_without_a_command_is_not_launched(
    client: picsellia.Client, datalake: picsellia.Datalake, job: picsellia.sdk.job.Job
) -> None:
    """The conflict says how to register one."""
    processing = client.create_processing(name=f"processing {uuid4()}", **PROCESSING)

    with pytest.raises(picsellia.exceptions.ResourceConflictError, match="lake processing register"):
        datalake.launch_processing(processing, datalake.list_data(limit=1), parameters={"a": 1}, cpu=1, gpu=0)
    assert _done(job) == SUCCEEDED


def test_an_unknown_job_is_not_found(client: picsellia.Client) -> None:
    """The message names it."""
    job_id = str(uuid4())

    with pytest.raises(picsellia.exceptions.ResourceNotFoundError, match=job_id):
        client.get_job_by_id(job_id)


def test_an_ended_job_cannot_begin_again(job: picsellia.sdk.job.Job) -> None:
    """Its final state stays, whatever is reported."""
    _done(job)

    with pytest.raises(picsellia.exceptions.ResourceConflictError, match="SUCCEEDED"):
        job.update_job_run_with_status(picsellia.types.enums.JobRunStatus.RUNNING)
    job.sync()
    assert job.status == SUCCEEDED
