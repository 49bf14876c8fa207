"""The photos that the demo makes."""

from pathlib import Path

from PIL import Image, ImageOps
from PIL.ExifTags import Base

from airflow_provider_lake.cli.sample_photos import CAMERAS, SIZE, make_photos
from airflow_provider_lake.media.images import read_header


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path) -> None:
    """Under the same names; another seed makes other ones."""
    first, again, other = (
        {path.name: path.read_bytes() for path in make_photos(tmp_path / folder, 4, seed)}
        for folder, seed in (("first", 1), ("again", 1), ("other", 2))
    )

    assert first == again
    assert first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first)


def test_each_photo_is_a_file_of_its_own(tmp_path: Path) -> None:
    """In the folder, which is made, and in the order of the returned paths."""
    paths = make_photos(tmp_path / "new" / "folder", 5)

    assert len(set(paths)) == 5
    assert set((tmp_path / "new" / "folder").iterdir()) == set(paths)


def test_the_exif_is_that_of_the_cameras(tmp_path: Path) -> None:
    """Maker, orientation, and a place where the camera knows it; each shot later than the one before."""
    moments = []
    for path, (maker, model, has_gps, orientation) in zip(make_photos(tmp_path, 3), CAMERAS, strict=True):
        with path.open("rb") as file:
            header = read_header(file)
        with Image.open(path) as image:
            exif = image.getexif()

        assert (header.width, header.height) == (SIZE if orientation == 1 else SIZE[::-1])
        assert (exif[Base.Model], header.metadata["manufacturer"]) == (model, maker)
        assert ("latitude" in header.metadata) == has_gps
        moments.append(header.metadata["acquired_at"])

    assert moments == sorted(set(moments))


def test_the_sky_is_above_as_displayed(tmp_path: Path) -> None:
    """Whichever way the camera was held."""
    for path in make_photos(tmp_path, 3):
        with Image.open(path) as image:
            column = ImageOps.exif_transpose(image).convert("RGB").resize((1, 8)).tobytes()
        sky, ground = column[:3], column[-3:]
        assert sky[2] > sky[0]
        assert ground[1] > ground[2]
