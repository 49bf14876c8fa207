"""EXIF in the platform's metadata keys: what cameras and programs write, and what they write wrongly."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from airflow_provider_lake.media.images import ImageHeader, NotAnImageError, read_header
from tests import odd_exif
from tests.odd_exif import fractions, short, text

GPS_DIRECTORY = 0x8825
EXIF_DIRECTORY = 0x8769


def _picture(format: str = "JPEG", exif: Image.Exif | None = None, size: tuple[int, int] = (64, 48)) -> BytesIO:
    file = BytesIO()
    Image.new("RGB", size).save(file, format, exif=exif or Image.Exif())
    file.seek(0)
    return file


def _with_text(text: bytes) -> bytes:
    """Make a JPEG whose artist is a text."""
    exif = Image.Exif()
    exif[0x013B] = text.decode("ascii")
    return _picture(exif=exif).getvalue()


def _moment_of(tags: dict[int, object]) -> object:
    """Return when a photo was taken, whose tags lie where they belong."""
    exif = Image.Exif()
    exif.update({tag: value for tag, value in tags.items() if tag == 0x0132})
    exif[EXIF_DIRECTORY] = {tag: value for tag, value in tags.items() if tag != 0x0132}
    return read_header(_picture(exif=exif)).metadata.get("acquired_at")


def _metadata(tags: dict[int, object], directory: int | None = None) -> dict[str, object]:
    exif = Image.Exif()
    exif.update(tags if directory is None else {directory: tags})
    return read_header(_picture(exif=exif)).metadata


def _written(main: odd_exif.Tags, gps: odd_exif.Tags | None = None) -> dict[str, object]:
    """Return what is read from tags of any types."""
    file = BytesIO()
    Image.new("RGB", (64, 48)).save(file, "JPEG", exif=odd_exif.exif(main, gps=gps))
    return read_header(BytesIO(file.getvalue())).metadata


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
        {1: "N", 2: (33.0, 51.0, IFDRational(0, 0)), 3: "E", 4: (1.0, 0.0, 0.0)},
        {2: (33.0, 51.0, 24.0), 4: (151.0, 12.0, 54.0)},
        {1: "N", 2: (33.0, 51.0, 24.0), 4: (151.0, 12.0, 54.0)},
        {1: "", 2: (33.0, 51.0, 24.0), 3: "E", 4: (151.0, 12.0, 54.0)},
        {1: "\0", 2: (33.0, 51.0, 24.0), 3: "E", 4: (151.0, 12.0, 54.0)},
        {1: "N", 2: (33.0, 51.0, 24.0), 3: "Oeste", 4: (9.0, 12.0, 54.0)},
    ],
)
def test_a_place_that_is_none_is_left_out(place: dict[int, object]) -> None:
    """Latitude and longitude come together, and on this earth, or not at all."""
    assert _metadata(place, GPS_DIRECTORY) == {}


@pytest.mark.parametrize(
    ("latitude", "longitude", "signs"),
    [
        ("N", "E", (1, 1)),
        ("S", "W", (-1, -1)),
        ("s", "w", (-1, -1)),
        ("n", "e", (1, 1)),
        ("South", "West", (-1, -1)),
        ("SOUTH\0", "west ", (-1, -1)),
        (b"S\0", b"W", (-1, -1)),
        (" S", " W", (-1, -1)),
    ],
)
def test_hemispheres_are_known_however_they_are_written(
    latitude: str | bytes, longitude: str | bytes, signs: tuple[int, int]
) -> None:
    """By their first letter, as exiftool does."""
    place: dict[int, object] = {1: latitude, 2: (33.0, 30.0, 0.0), 3: longitude, 4: (151.0, 15.0, 0.0)}

    assert _metadata(place, GPS_DIRECTORY) == {"latitude": 33.5 * signs[0], "longitude": 151.25 * signs[1]}


@pytest.mark.parametrize(
    ("angle", "degrees"),
    [
        ((33.0, 30.0), 33.5),
        ((33.5,), 33.5),
        (33.5, 33.5),
        ((IFDRational(67, 2), IFDRational(0, 1), IFDRational(0, 1)), 33.5),
        ((33.0, 29.0, 60.0), 33.5),
    ],
)
def test_angles_may_lack_their_smaller_parts(angle: object, degrees: float) -> None:
    """Some cameras write decimals, others no seconds."""
    place = {1: "N", 2: angle, 3: "E", 4: (151.0, 15.0, 0.0)}

    assert _metadata(place, GPS_DIRECTORY) == {"latitude": degrees, "longitude": 151.25}


@pytest.mark.parametrize(
    ("reference", "altitude"), [(b"\0", 4.5), (b"\1", -4.5), (b"\2", 4.5), (b"\3", -4.5), (None, 4.5)]
)
def test_altitudes_have_their_sign_from_their_reference(reference: bytes | None, altitude: float) -> None:
    """1 and 3 are below the level that they refer to."""
    tags: dict[int, object] = {6: 4.5} if reference is None else {5: reference, 6: 4.5}

    assert _metadata(tags, GPS_DIRECTORY) == {"altitude": altitude}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Zoë Müller".encode(), "Zoë Müller"),
        ("Zoë Müller".encode("latin-1"), "Zoë Müller"),
        ("山田太郎".encode(), "山田太郎"),
        ("ж\0junk".encode(), "ж"),
        (b"ION230\0F\0", "ION230"),
        (b"\0\0", None),
        (b"  Ann  ", "Ann"),
    ],
)
def test_texts_are_read_in_the_encoding_that_they_are_in(written: bytes, read: str | None) -> None:
    """UTF-8 where they are valid in it, else Latin-1; they end at their first NUL, as exiftool has it."""
    # As cameras write them: the bytes themselves, in a tag of text.
    place = b"x" * max(5, len(written) - 1)
    content = _with_text(place).replace(place + b"\0", written.ljust(len(place) + 1, b"\0"))

    assert read_header(BytesIO(content)).metadata.get("acquired_by") == read


def test_a_number_for_a_name_is_its_text() -> None:
    """Models are called 5300, and programs write them as numbers."""
    assert _written({odd_exif.MAKE: short(5300), odd_exif.ARTIST: fractions((5, 2)), odd_exif.SOFTWARE: short(7)}) == {
        "manufacturer": "5300",
        "acquired_by": "2.5",
        "software": "7",
    }


def test_a_text_for_a_number_is_its_number() -> None:
    """As programs write them that know texts only."""
    main = {odd_exif.X_RESOLUTION: text(b"72.5\0"), odd_exif.UNIT: text(b"2\0")}
    place = {1: text(b"S\0"), 2: text(b"33 30 0\0"), 3: text(b"E\0"), 4: text(b"151.25\0"), 5: text(b"1\0")}

    assert _written(main, gps={**place, 6: text(b"4.5\0")}) == {
        "resolution_x": 72.5,
        "resolution_unit": "inches",
        "latitude": -33.5,
        "longitude": 151.25,
        "altitude": -4.5,
    }


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-05-06 07:08:09", "2024-05-06T07:08:09"),
        ("2024/05/06 07:08:09", "2024-05-06T07:08:09"),
        ("2024:05:06T07:08:09", "2024-05-06T07:08:09"),
        (" 2024:5:6  7:8:9\0\0", "2024-05-06T07:08:09"),
        ("2024:05:06 07:08:09.125", "2024-05-06T07:08:09"),
        ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09+00:00"),
        ("2024:05:06 07:08:09+02:00", "2024-05-06T07:08:09+02:00"),
        *((none, None) for none in ("0000:00:00 00:00:00", "    :  :     :  :  ", "2024:13:06 07:08:09", "2024:05:06")),
        *((none, None) for none in ("2024:05-06 07:08:09", "2024:05:06 07:08:09 at noon", "2024:05:06 24:00:00")),
    ],
)
def test_moments_are_read_however_they_are_separated(written: str, read: str | None) -> None:
    """What is no moment is left out."""
    assert _metadata({0x0132: written}).get("acquired_at") == read


@pytest.mark.parametrize(
    ("tags", "moment"),
    [
        ({0x9003: "2024:05:06 07:08:09", 0x9011: "+02:00"}, "2024-05-06T07:08:09+02:00"),
        ({0x0132: "2024:05:06 07:08:09", 0x9010: "-05:30"}, "2024-05-06T07:08:09-05:30"),
        ({0x0132: "2024:05:06 07:08:09", 0x9010: "Z"}, "2024-05-06T07:08:09+00:00"),
        ({0x9004: "2024:05:06 07:08:09", 0x9012: "+09:00"}, "2024-05-06T07:08:09+09:00"),
        ({0x0132: "2024:05:06 07:08:09", 0x9010: "+0530\0"}, "2024-05-06T07:08:09+05:30"),
        ({0x0132: "2024:05:06 07:08:09", 0x9010: b"-08"}, "2024-05-06T07:08:09-08:00"),
        # Each has its own offset; that of the same moment stands in.
        (
            {0x0132: "2024:05:06 07:08:09", 0x9003: "2023:01:01 00:00:00", 0x9011: "+02:00"},
            "2024-05-06T07:08:09",
        ),
        (
            {0x0132: "2024:05:06 07:08:09", 0x9003: "2024:05:06 07:08:09", 0x9011: "+02:00"},
            "2024-05-06T07:08:09+02:00",
        ),
        (
            {0x0132: "0000:00:00 00:00:00", 0x9010: "+01:00", 0x9003: "2024:05:06 07:08:09", 0x9011: "+02:00"},
            "2024-05-06T07:08:09+02:00",
        ),
        *(
            ({0x0132: "2024:05:06 07:08:09", 0x9010: offset}, "2024-05-06T07:08:09")
            for offset in ("", "   :  ", "02:00", "+2", "+99:00", "+02:99", "\0", "+ab:cd", "local")
        ),
    ],
)
def test_moments_keep_their_offset(tags: dict[int, object], moment: str) -> None:
    """From universal time, where the file has one that is none of another moment."""
    assert _moment_of(tags) == moment


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
    try:
        header: ImageHeader | None = read_header(BytesIO(content))
    except NotAnImageError:
        header = None

    assert header is None or all(isinstance(value, str | float) for value in header.metadata.values())
