"""What a file tells about itself."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from airflow_provider_lake.client.media import content_type_of, data_type_of, read_image

GPS_DIRECTORY = 0x8825
EXIF_DIRECTORY = 0x8769


def _picture(format: str = "JPEG", exif: Image.Exif | None = None, size: tuple[int, int] = (64, 48)) -> BytesIO:
    file = BytesIO()
    Image.new("RGB", size).save(file, format, exif=exif or Image.Exif())
    file.seek(0)
    return file


def _metadata(tags: dict[int, object], directory: int | None = None) -> dict[str, object]:
    exif = Image.Exif()
    exif.update(tags if directory is None else {directory: tags})
    facts = read_image(_picture(exif=exif))
    assert facts is not None
    return facts.metadata


@pytest.mark.parametrize(
    ("filename", "content_type", "data_type"),
    [
        ("a.jpg", "image/jpeg", "IMAGE"),
        ("a.JPEG", "image/jpeg", "IMAGE"),
        ("a.b.png", "image/png", "IMAGE"),
        ("a.tif", "image/tiff", "IMAGE"),
        ("a.webp", "image/webp", "IMAGE"),
        ("a.heic", "image/heic", "IMAGE"),
        ("a.avif", "image/avif", "IMAGE"),
        ("a.mp4", "video/mp4", "VIDEO"),
        ("a.mov", "video/quicktime", "VIDEO"),
        ("a.unheard-of", "application/octet-stream", "IMAGE"),
        ("a", "application/octet-stream", "IMAGE"),
    ],
)
def test_the_name_gives_content_type_and_kind(filename: str, content_type: str, data_type: str) -> None:
    """A file's content type follows from its name, the kind of data from that."""
    assert content_type_of(filename) == content_type
    assert data_type_of(content_type) == data_type


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_as_displayed(format: str, orientation: int) -> None:
    """The EXIF orientations 5 to 8 turn an image by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    facts = read_image(_picture(format, exif))

    assert facts is not None
    assert facts.size == ((48, 64) if orientation >= 5 else (64, 48))


@pytest.mark.parametrize("format", ["BMP", "GIF", "PNG"])
def test_images_without_exif_have_a_size(format: str) -> None:
    """Absent EXIF spoils nothing."""
    facts = read_image(_picture(format))

    assert facts is not None
    assert facts.size == (64, 48)
    assert facts.metadata == {}


def test_exif_becomes_metadata() -> None:
    """Each tag goes under the platform's key, in the platform's form."""
    assert _metadata(
        {
            0x0132: "2024:05:06 07:08:09",
            0x013B: "Ansel\0",
            0x011A: 72.5,
            0x011B: 300,
            0x0128: 2,
            0x0103: 7,
            0x010F: "ACME ",
            0x0131: "Darkroom 1",
        }
    ) == {
        "acquired_at": "2024-05-06T07:08:09",
        "acquired_by": "Ansel",
        "resolution_x": 72.5,
        "resolution_y": 300.0,
        "resolution_unit": "inches",
        "compression": "JPEG",
        "manufacturer": "ACME",
        "software": "Darkroom 1",
    }


def test_the_moment_of_the_shot_stands_in_for_a_missing_date() -> None:
    """DateTimeOriginal and ColorSpace, in the EXIF directory, are read too."""
    assert _metadata({0x9003: "2023:01:02 03:04:05", 0xA001: 1}, EXIF_DIRECTORY) == {
        "acquired_at": "2023-01-02T03:04:05",
        "color_space": "sRGB",
    }


def test_the_place_is_read() -> None:
    """GPS degrees become signed numbers; below sea level is negative."""
    place = {1: "S", 2: (33.0, 51.0, 24.12), 3: "E", 4: (151.0, 12.0, 54.0), 5: b"\x01", 6: 4.5}

    assert _metadata(place, GPS_DIRECTORY) == {"latitude": -33.8567, "longitude": 151.215, "altitude": -4.5}


@pytest.mark.parametrize(
    "place",
    [
        {1: "N", 2: (33.0, 51.0, 24.0)},
        {1: "N", 2: (133.0, 0.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)},
        {1: "N", 2: (IFDRational(1, 0), 0.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)},
        {1: "N", 2: (1.0, 2.0), 3: "E", 4: (1.0, 0.0)},
    ],
)
def test_a_place_that_is_none_is_left_out(place: dict[int, object]) -> None:
    """Latitude and longitude come together, and on this earth, or not at all."""
    assert _metadata(place, GPS_DIRECTORY) == {}


@pytest.mark.parametrize(
    "tags",
    [{0x0132: "yesterday"}, {0x0132: ""}, {0x011A: IFDRational(1, 0)}, {0x0128: 99}, {0x0103: 4711}, {0x013B: " \0 "}],
)
def test_unreadable_tags_are_left_out(tags: dict[int, object]) -> None:
    """What makes no sense is as if it were absent."""
    assert _metadata(tags) == {}


def test_long_texts_are_cut() -> None:
    """The platform takes 128 characters."""
    assert _metadata({0x0131: "x" * 500}) == {"software": "x" * 128}


@given(st.binary(max_size=200))
def test_bytes_that_are_no_image_are_no_error(content: bytes) -> None:
    """The lake judges what is no image."""
    assert read_image(BytesIO(content)) is None


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of broken EXIF
@given(st.binary(min_size=1, max_size=60), st.data())
def test_damage_is_no_error(damage: bytes, data: st.DataObject) -> None:
    """An image damaged anywhere is read as far as it goes, or not at all."""
    exif = Image.Exif()
    exif.update({0x0132: "2024:05:06 07:08:09", 0x010F: "ACME"})
    exif[GPS_DIRECTORY] = {1: "S", 2: (33.0, 51.0, 24.0), 3: "E", 4: (151.0, 12.0, 54.0)}
    content = bytearray(_picture(exif=exif).getvalue())
    start = data.draw(st.integers(2, len(content) - 1))
    content[start : start + len(damage)] = damage
    facts = read_image(BytesIO(content))

    assert facts is None or all(isinstance(value, str | float) for value in facts.metadata.values())
