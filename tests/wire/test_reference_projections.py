"""The platform's published client shows second files along data of the embedded lake."""

from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from tests.lake_process import LakeProcess
from tests.videos import make_video
from tests.wire.published_client import connect, picsellia, upload

SUCCEEDED = picsellia.types.enums.JobRunStatus.SUCCEEDED


@pytest.fixture(scope="module")
def datalake(lake: LakeProcess) -> picsellia.Datalake:
    """Return the default datalake, as the published client sees it."""
    return connect(lake).get_datalake()


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """Make an image to be shown along another."""
    path = tmp_path / "mask.png"
    Image.new("L", (60, 40), 255).save(path)
    return path


@pytest.fixture
def data(datalake: picsellia.Datalake, tmp_path: Path) -> picsellia.Data:
    """Upload a film, of which the lake makes no thumbnail."""
    path = tmp_path / f"{uuid4()}.mp4"
    path.write_bytes(make_video(frames=2))
    return upload(datalake, [path])[0]


def test_a_projection_is_created_listed_downloaded_and_deleted(
    datalake: picsellia.Datalake, data: picsellia.Data, mask: Path, tmp_path: Path
) -> None:
    """Its name, its file and what was said about it come back; afterwards it is gone."""
    created = datalake.create_projection(data, "mask", str(mask), additional_info={"model": "v1"}, fill_metadata=True)

    (listed,) = data.list_projections()
    assert listed == created
    assert (listed.name, listed.filename) == ("mask", "mask.png")
    assert listed.infos["model"] == "v1"
    listed.download(tmp_path / "first")
    assert (tmp_path / "first" / "mask.png").read_bytes() == mask.read_bytes()
    assert listed.sync()["compute_status"] == "DONE"
    listed.reset_url()
    listed.download(tmp_path / "second", use_id=True)
    assert (tmp_path / "second" / f"{listed.id}.png").read_bytes() == mask.read_bytes()

    listed.delete()
    assert data.list_projections() == []
    with pytest.raises(picsellia.exceptions.ResourceNotFoundError, match=str(listed.id)):
        listed.sync()


def test_projections_are_imported_from_the_bucket(
    lake: LakeProcess, datalake: picsellia.Datalake, data: picsellia.Data, mask: Path, tmp_path: Path
) -> None:
    """Several of one data, described by dicts and by records."""
    folder = lake.objects / f"masks-{uuid4()}"
    folder.mkdir(parents=True)
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(mask.read_bytes())

    job = datalake.import_cloud_projections(
        {
            data.object_name: [
                {"name": "a", "object_name": f"{folder.name}/a.png"},
                picsellia.CloudProjectionObject(name="b", object_name=f"{folder.name}/b.png"),
            ]
        }
    )

    assert job.wait_for_done(blocking_time_increment=0.05, attempts=1200) == SUCCEEDED
    projections = data.list_projections()
    assert sorted((each.name, each.object_name) for each in projections) == [
        ("a", f"{folder.name}/a.png"),
        ("b", f"{folder.name}/b.png"),
    ]
    projections[0].download(tmp_path)
    assert (tmp_path / projections[0].filename).read_bytes() == mask.read_bytes()
