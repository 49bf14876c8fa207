"""Second files along data of a real lake."""

from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from airflow_provider_lake.client import Data, Datalake, MultiData, NotFoundError, UploadError
from tests.lake_process import LakeProcess
from tests.videos import make_video


@pytest.fixture
def datalake(lake: LakeProcess) -> Datalake:
    """Return the lake's datalake."""
    return lake.client().get_datalake()


@pytest.fixture
def data(datalake: Datalake, tmp_path: Path) -> Data:
    """Upload what the lake can make no thumbnail of."""
    path = tmp_path / f"{uuid4()}.mp4"
    path.write_bytes(make_video(frames=2))
    uploaded = datalake.upload_data(path, wait_for_unprocessable_data=False)
    assert isinstance(uploaded, Data)
    return uploaded


@pytest.fixture
def view(tmp_path: Path) -> Path:
    """Make an image that says by whom and when it was taken, lying on its side."""
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x0132: "2024:05:06 07:08:09", 0x010F: "ACME"})
    path = tmp_path / "view.jpg"
    Image.new("RGB", (64, 48)).save(path, exif=exif)
    return path


def test_a_projection_from_beginning_to_end(datalake: Datalake, data: Data, view: Path, tmp_path: Path) -> None:
    """Created, listed, read, downloaded under filename or id, deleted."""
    created = datalake.create_projection(data, "side", view)
    (listed,) = data.list_projections()
    assert listed == created
    assert (listed.name, listed.filename, listed.refresh().compute_status) == ("side", "view.jpg", "DONE")
    assert listed.read() == created.read() == view.read_bytes()

    folder = tmp_path / "deep" / "folder"
    saved = listed.download(folder)
    assert saved == folder / "view.jpg"
    assert saved.read_bytes() == view.read_bytes()
    saved.write_bytes(b"mine")
    assert listed.download(folder).read_bytes() == b"mine"
    assert listed.download(folder, force_replace=True).read_bytes() == view.read_bytes()
    assert listed.download(folder, use_id=True).name == f"{listed.id}.jpg"

    listed.delete()
    assert data.list_projections() == []
    with pytest.raises(NotFoundError, match=str(listed.id)):
        listed.refresh()


def test_what_exif_tells_is_kept(datalake: Datalake, data: Data, view: Path) -> None:
    """With ``fill_metadata`` only, and what the caller says wins."""
    told = datalake.create_projection(data, "told", view, {"manufacturer": "me", "n": 1, "z": None}, fill_metadata=True)
    plain = datalake.create_projection(data, "plain", view, {"n": 2})

    assert told.infos is not None
    assert told.infos.items() >= {"manufacturer": "me", "n": 1, "acquired_at": "2024-05-06T07:08:09"}.items()
    assert "z" not in told.infos
    assert plain.infos is not None
    assert plain.infos["n"] == 2
    assert "acquired_at" not in plain.infos


def test_any_file_may_be_a_projection(datalake: Datalake, data: Data, tmp_path: Path) -> None:
    """It need be no image; an empty or a missing one is an error that names it."""
    points = tmp_path / "points.bin"
    points.write_bytes(b"\x00\x01\x02")
    assert datalake.create_projection(data, "points", points, fill_metadata=True).read() == b"\x00\x01\x02"
    points.write_bytes(b"")
    with pytest.raises(UploadError, match=r"points\.bin: is empty"):
        datalake.create_projection(data, "points", points)
    with pytest.raises(UploadError, match="nowhere"):
        datalake.create_projection(data, "points", tmp_path / "nowhere")


def test_projections_of_several_data_stay_apart(datalake: Datalake, data: Data, view: Path, tmp_path: Path) -> None:
    """Each data lists its own."""
    path = tmp_path / "other.mp4"
    path.write_bytes(b"another film")
    other = datalake.upload_data([path], wait_for_unprocessable_data=False)
    assert isinstance(other, Data | MultiData)
    mine = [datalake.create_projection(data, name, view) for name in ("a", "b")]

    assert set(data.list_projections()) == set(mine)
    assert (other if isinstance(other, Data) else other[0]).list_projections() == []
