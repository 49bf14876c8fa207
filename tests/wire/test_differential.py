"""The published client, ours and the lake agree: about what one of them wrote, and about what an image tells."""

import math
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.TiffImagePlugin import IFDRational

from airflow_provider_lake.client import Data, Datalake
from airflow_provider_lake.media.images import ImageHeader, read_header
from tests.lake_process import LakeProcess
from tests.wire.published_client import connect, picsellia, real_photos, upload

WITH_EXIF = ("JPEG", "PNG", "TIFF", "WEBP")
SUFFIXES = {"JPEG": "jpg", "TIFF": "tif"}
MAX_TEXT = 128
COLOR_SPACES = {
    "1": "sRGB",
    "2": "Adobe RGB",
    "65533": "Wide Gamut RGB",
    "65534": "ICC Profile",
    "65535": "Uncalibrated",
}


@pytest.fixture(scope="module")
def published(lake: LakeProcess) -> picsellia.Datalake:
    """Return the datalake as the published client sees it."""
    return connect(lake).get_datalake()


@pytest.fixture(scope="module")
def datalake(lake: LakeProcess) -> Datalake:
    """Return the datalake as our client sees it."""
    return lake.client().get_datalake()


def _encode(format_: str, exif: Image.Exif | None = None, mode: str = "RGB", **options: object) -> BytesIO:
    file = BytesIO()
    # As bytes: of an Exif, Pillow leaves the directories out of a TIFF.
    Image.new(mode, (64, 48)).save(file, format_, exif=(exif or Image.Exif()).tobytes(), **options)
    file.seek(0)
    return file


def _files(folder: Path) -> list[Path]:
    """Make an image of every format, and one of each with all that EXIF can tell."""
    paths = []
    for format_ in ("BMP", "GIF", *WITH_EXIF):
        for name, exif in (("plain", None), ("full", _full_exif())):
            path = folder / f"{name}-{uuid4()}.{SUFFIXES.get(format_, format_.lower())}"
            path.write_bytes(_encode(format_, exif).getvalue())
            paths.append(path)
    return paths


def _full_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Artist], exif[Base.Software] = "Ostra", "Ada", "Darkroom 1"
    exif[Base.DateTime], exif[Base.Orientation] = "2026:05:04 07:30:00", 6
    exif[Base.XResolution], exif[Base.YResolution], exif[Base.ResolutionUnit] = 300.0, 72.5, 3
    exif.get_ifd(IFD.Exif)[Base.ColorSpace] = 1
    exif.get_ifd(IFD.GPSInfo).update(
        {
            GPS.GPSLatitudeRef: "S",
            GPS.GPSLatitude: (33.0, 51.0, 24.0),
            GPS.GPSLongitudeRef: "E",
            GPS.GPSLongitude: (151.0, 12.0, 54.0),
        }
    )
    return exif


def _seen_by_published(data: picsellia.Data, folder: Path) -> dict[str, object]:
    data.sync()
    data.download(folder, use_id=True)
    source = data.get_datasource()
    return {
        "bytes": (folder / data.id_with_extension).read_bytes(),
        "names": (data.filename, data.object_name, data.content_type, data.type.value, data.upload_status.value),
        "size": (data.width, data.height),
        "metadata": (data.metadata, data.custom_metadata),
        "tags": sorted((tag.id, tag.name) for tag in data.get_tags()),
        "source": source and (source.id, source.name),
    }


def _seen_by_ours(data: Data) -> dict[str, object]:
    source = data.data_source
    return {
        "bytes": data.read(),
        "names": (data.filename, data.object_name, data.content_type, data.type, data.upload_status.value),
        "size": (data.width, data.height),
        "metadata": (data.metadata, data.custom_metadata),
        "tags": sorted((tag.id, tag.name) for tag in data.tags),
        "source": source and (source.id, source.name),
    }


def _extras() -> dict[str, Any]:
    return {
        "tags": [f"tag {uuid4()}", f"tag {uuid4()}"],
        "source": f"source {uuid4()}",
        "metadata": {"reference": "XY 1", "weather": "Föhn", "yaw": 1.5},
        "custom_metadata": {"lot": 7, "parts": ["a", None, {"b": 1.25}], "ß": True},
    }


def test_what_the_published_client_wrote_both_read_equal(
    published: picsellia.Datalake, datalake: Datalake, tmp_path: Path
) -> None:
    """Bytes, names, size, metadata, tags and source of every kind of image."""
    (tmp_path / "in").mkdir()
    paths, extras = _files(tmp_path / "in"), _extras()
    for each in ("metadata", "custom_metadata"):
        extras[each] = [extras[each]] * len(paths)
    written = upload(published, paths, fill_metadata=True, **extras)

    assert len(written) == len(paths)
    for data in written:
        seen = _seen_by_ours(datalake.find_data(id=data.id))
        assert seen == _seen_by_published(data, tmp_path)
        assert seen["bytes"] == (tmp_path / "in" / data.filename).read_bytes()


def test_what_ours_wrote_both_read_equal(published: picsellia.Datalake, datalake: Datalake, tmp_path: Path) -> None:
    """Bytes, names, size, metadata, tags and source of every kind of image."""
    (tmp_path / "in").mkdir()
    written = datalake.upload_data(_files(tmp_path / "in"), fill_metadata=True, **_extras())

    assert not isinstance(written, Data)
    for data in written:
        seen = _seen_by_published(published.find_data(id=data.id), tmp_path)
        assert seen == _seen_by_ours(data)
        assert seen["bytes"] == (tmp_path / "in" / data.filename).read_bytes()


def test_an_import_tells_the_same_as_an_upload(lake: LakeProcess, datalake: Datalake) -> None:
    """Size and metadata of every kind of image do not depend on the way that it came in."""
    folder = lake.objects / f"imported-{uuid4()}"
    folder.mkdir(parents=True)
    uploaded = datalake.upload_data(_files(folder), fill_metadata=True)

    job = datalake.import_bucket_objects([f"{folder.name}/"])
    job.wait_for_done(0.05, 1200)
    assert not isinstance(uploaded, Data)
    for data in uploaded:
        imported = datalake.find_data(object_name=f"{folder.name}/{data.filename}")
        assert (imported.width, imported.height) == (data.width, data.height)
        assert (imported.metadata, imported.content_type) == (data.metadata, data.content_type)


def test_both_find_the_same_data(published: picsellia.Datalake, datalake: Datalake, tmp_path: Path) -> None:
    """In the same order, by the same arguments."""
    tag = f"tag {uuid4()}"
    datalake.upload_data(_files(tmp_path), tags=[tag, f"other {tag}"])
    selections: list[dict[str, Any]] = [
        {"tags": [tag, f"other {tag}"], "intersect_tags": True, "order_by": ["-filename"]},
        {"tags": [tag, "nobody's"], "order_by": ["content_type", "filename"], "limit": 5, "offset": 3},
        {"q": f'tags.name = "{tag}" and content_type in ("image/png", "image/gif")', "order_by": ["filename"]},
    ]

    for selection in selections:
        found = [data.id for data in datalake.list_data(**selection)]
        assert found == [data.id for data in published.list_data(**selection)]


def _read_as_published(file: BytesIO) -> tuple[tuple[int, int], dict[str, Any]] | None:
    """Return size and metadata as the published client reads them; None where it gives up."""
    try:
        with Image.open(file) as image:
            read = picsellia.exif.read_image_metadata(image, None, True)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (read.width, read.height), read.metadata or {}


def _text(read_as_latin: str) -> str:
    try:
        return read_as_latin.encode("latin-1").decode()
    except UnicodeError:
        return read_as_latin


def _tidy(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Write what the published client reads as the platform can keep it and a user would look for it.

    Texts up to their NUL, in their own encoding, without blanks around them and of the platform's length; numbers that
    are some; the color space by its name.
    """
    tidied: dict[str, Any] = {}
    for key, value in metadata.items():
        if key == "color_space":
            tidied[key] = COLOR_SPACES.get(value)
        elif isinstance(value, datetime):
            tidied[key] = value.isoformat()
        elif isinstance(value, str):
            tidied[key] = _text(value.lstrip("\0").partition("\0")[0]).strip()[:MAX_TEXT] or None
        elif isinstance(value, float) and math.isfinite(value):
            tidied[key] = value
    return {key: value for key, value in tidied.items() if value is not None}


def _assert_agree(file: BytesIO) -> ImageHeader:
    """We read all that the published client reads."""
    read = read_header(file)
    file.seek(0)
    published = _read_as_published(file)

    if published is not None:
        size, metadata = published
        assert _tidy(metadata).items() <= read.metadata.items()
        # Of a TIFF, Pillow gives the size as displayed, and the published client turns it once more.
        assert size == (read.width, read.height) or Image.open(file).format == "TIFF"
    return read


@pytest.mark.parametrize("format_", WITH_EXIF)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_they_agree_on_the_displayed_size(format_: str, orientation: int) -> None:
    """In all orientations; of a TIFF, too, it is the one displayed."""
    exif = Image.Exif()
    exif[Base.Orientation] = orientation

    header = _assert_agree(_encode(format_, exif))

    assert (header.width, header.height) == ((64, 48) if orientation < 5 else (48, 64))


@pytest.mark.parametrize(
    ("format_", "mode", "options"),
    [
        ("BMP", "RGB", {}),
        ("GIF", "P", {}),
        ("JPEG", "CMYK", {}),
        ("JPEG", "L", {"dpi": (300, 300)}),
        ("PNG", "I;16", {}),
        ("PNG", "LA", {"dpi": (300, 300)}),
        ("TIFF", "1", {"compression": "group4"}),
        ("TIFF", "L", {"compression": "tiff_lzw"}),
        ("TIFF", "RGB", {"compression": "jpeg", "dpi": (300, 300)}),
        ("TIFF", "RGB", {"compression": "tiff_adobe_deflate"}),
        ("WEBP", "RGBA", {"lossless": True}),
    ],
)
def test_they_agree_on_every_kind_of_image(format_: str, mode: str, options: dict[str, Any]) -> None:
    """Modes and compressions change nothing of it."""
    header = _assert_agree(_encode(format_, mode=mode, **options))

    assert (header.width, header.height) == (64, 48)


@pytest.mark.parametrize("format_", WITH_EXIF)
def test_ours_read_more(format_: str) -> None:
    """Place and color space, which the published client does not look for where they are."""
    facts = _assert_agree(_encode(format_, _full_exif()))

    assert facts.metadata == {
        "acquired_at": "2026-05-04T07:30:00",
        "acquired_by": "Ada",
        "color_space": "sRGB",
        "latitude": -33.85666667,
        "longitude": 151.215,
        "manufacturer": "Ostra",
        "resolution_unit": "cm",
        "resolution_x": 300.0,
        "resolution_y": 72.5,
        "software": "Darkroom 1",
        **({"compression": "Uncompressed"} if format_ == "TIFF" else {}),
    }


_TEXTS = st.one_of(st.text(max_size=300), st.binary(max_size=20))
_TAGS = {
    Base.DateTime: st.one_of(
        _TEXTS,
        st.datetimes().map(lambda moment: f"{moment:%Y:%m:%d %H:%M:%S}"),
        st.sampled_from(["0000:00:00 00:00:00", "2024:5:6 7:8:9", "2024-05-06 07:08:09", " 2024:05:06 07:08:09\0"]),
    ),
    **dict.fromkeys((Base.Make, Base.Artist, Base.Software), _TEXTS),
    **dict.fromkeys((Base.XResolution, Base.YResolution), st.one_of(st.floats(0, 1e6), st.just(IFDRational(1, 0)))),
    **dict.fromkeys((Base.ResolutionUnit, Base.Compression, Base.ColorSpace, Base.Orientation), st.integers(0, 65535)),
}


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of broken EXIF
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tags=st.fixed_dictionaries({}, optional=_TAGS), format_=st.sampled_from(["JPEG", "PNG", "WEBP"]))
@example(tags={Base.Make: "\x000"}, format_="JPEG")
def test_they_agree_on_odd_exif(tags: dict[int, object], format_: str) -> None:
    """Whatever stands in the tags, what the published client makes of them ours make too."""
    exif = Image.Exif()
    exif.update(tags)

    _assert_agree(_encode(format_, exif))


# Photos of real cameras belong to those who took them, and are no part of this repository.
@pytest.mark.skipif(not real_photos(), reason="there is no folder of real photos beside this checkout")
@pytest.mark.parametrize("photo", real_photos(), ids=lambda path: path.stem)
def test_they_agree_on_real_photos(photo: Path) -> None:
    """Those with GPS get a place besides."""
    facts = _assert_agree(BytesIO(photo.read_bytes()))

    assert ("latitude" in facts.metadata) == photo.name.startswith("gps_")
