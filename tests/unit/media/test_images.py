"""What is read from the headers of images."""

import re
import struct
import sys
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.PngImagePlugin import PngInfo

from airflow_provider_lake.media import images
from airflow_provider_lake.media.images import (
    ImageHeader,
    ImageUnsupportedError,
    NotAnImageError,
    read_camera,
    read_header,
)
from tests import odd_exif
from tests.odd_exif import short, text
from tests.odd_files import encode, odd_files

FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "TIFF", "WEBP")
WITH_EXIF = ("JPEG", "PNG", "TIFF", "WEBP")


def _image(format_: str, exif: Image.Exif | None = None) -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 48)).save(file, format_, exif=exif or Image.Exif())
    return file.getvalue()


IMAGES = [_image(each) for each in FORMATS]


@pytest.mark.parametrize("content", IMAGES, ids=FORMATS)
def test_the_size_of_an_image_is_read(content: bytes) -> None:
    """Of every common format."""
    assert (read_header(BytesIO(content)).width, read_header(BytesIO(content)).height) == (64, 48)


@pytest.mark.parametrize("format_", WITH_EXIF)
@pytest.mark.parametrize(("orientation", "size"), [(1, (64, 48)), (3, (64, 48)), (6, (48, 64)), (8, (48, 64))])
def test_the_size_is_that_of_the_displayed_image(format_: str, orientation: int, size: tuple[int, int]) -> None:
    """An image that is displayed lying on its side is as wide as it is high in the file."""
    exif = Image.Exif()
    exif[Base.Orientation] = orientation

    facts = read_header(BytesIO(_image(format_, exif)))

    assert (facts.width, facts.height) == size


def test_exif_is_given_in_the_platforms_keys() -> None:
    """Numbers as numbers, names by their tables, the time in ISO 8601, the position in signed degrees."""
    exif = Image.Exif()
    exif.update(
        {Base.DateTime: "2024:05:06 07:08:09", Base.Artist: "Ann", Base.Make: "ACME\0", Base.Software: "v" * 200}
    )
    exif.update({Base.XResolution: 72.0, Base.YResolution: 36.5, Base.ResolutionUnit: 3, Base.Compression: 6})
    exif.get_ifd(IFD.Exif)[Base.ColorSpace] = 1
    position = {GPS.GPSLatitudeRef: "S", GPS.GPSLatitude: (48.0, 30.0, 36.0)}
    position |= {GPS.GPSLongitudeRef: "W", GPS.GPSLongitude: (2.0, 15.0, 0.0)}
    exif.get_ifd(IFD.GPSInfo).update(position | {GPS.GPSAltitudeRef: b"\x01", GPS.GPSAltitude: 12.5})

    assert read_header(BytesIO(_image("JPEG", exif))).metadata == {
        "acquired_at": "2024-05-06T07:08:09",
        "acquired_by": "Ann",
        "resolution_x": 72.0,
        "resolution_y": 36.5,
        "resolution_unit": "cm",
        "compression": "JPEG (old-style)",
        "manufacturer": "ACME",
        "software": "v" * 128,
        "color_space": "sRGB",
        "latitude": -48.51,
        "longitude": -2.25,
        "altitude": -12.5,
    }


def test_meaningless_exif_is_left_out() -> None:
    """A time that is none, an empty name, a latitude without longitude."""
    exif = Image.Exif()
    exif.update({Base.DateTime: "0000:00:00 00:00:00", Base.Make: " \0", Base.ResolutionUnit: 9})
    exif.get_ifd(IFD.GPSInfo).update({GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: (48.0, 30.0, 36.0)})

    assert read_header(BytesIO(_image("JPEG", exif))) == ImageHeader(64, 48)


def _png_of(width: int, height: int) -> bytes:
    """Make a PNG that says how large it is, and has no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", b""), (b"IEND", b"")]
    framed = [(struct.pack(">I", len(body)), name + body, zlib.crc32(name + body)) for name, body in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(size + body + struct.pack(">I", check) for size, body, check in framed)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"no image", "not an image of a known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "not an image of a known format"),
        (_image("JPEG")[:40], "the image's header is broken: Truncated File Read"),
        (_png_of(100_000, 100_000), "the image is too large: Image size (10000000000 pixels) exceeds limit"),
    ],
)
def test_what_is_no_image_is_told_why(content: bytes, reason: str) -> None:
    """The reason can be shown to a user; no program is started to look at a file."""
    with pytest.raises(NotAnImageError, match=re.escape(reason)):
        read_header(BytesIO(content))


def test_an_avif_with_broken_exif_is_no_image() -> None:
    """Pillow writes its EXIF anew when it opens it, and fails where a text is said to be a number."""
    exif = Image.Exif()
    exif.update({Base.Make: "abc", Base.Orientation: 6})
    content = _image("AVIF", exif)
    text, number = struct.pack(">HHI", Base.Make, 2, 4), struct.pack(">HHI", Base.Make, 11, 1)

    with pytest.raises(NotAnImageError, match="the image's header is broken"):
        read_header(BytesIO(content.replace(text, number)))


def _exif(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif.update({Base.Orientation: orientation, Base.Make: "ACME"})
    return exif


@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_has_size_and_exif(orientation: int) -> None:
    """As displayed, as of every other format."""
    header = read_header(BytesIO(_image("AVIF", _exif(orientation))))

    assert header == ImageHeader(*((64, 48) if orientation < 5 else (48, 64)), {"manufacturer": "ACME"})


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg_2000_has_size_and_exif(orientation: int) -> None:
    """Its EXIF lies in a box of its own, behind the pixels where exiftool puts it."""
    turned = f"turned {orientation}.jp2"

    header = read_header(BytesIO(odd_files()[turned]))

    assert header == ImageHeader(*((64, 48) if orientation < 5 else (48, 64)), {"manufacturer": "ACME"})


@pytest.mark.parametrize("length", [0, 1, 2, 7, 8, 9, 15, 1 << 31])
def test_boxes_of_no_length_end_a_jpeg_2000(length: int) -> None:
    """Whatever their length says, reading ends."""
    content = _image("JPEG2000") + struct.pack(">I", length) + b"uuid" + b"\0" * 40

    assert read_header(BytesIO(content)) == ImageHeader(64, 48)


def test_heif_has_size_and_exif() -> None:
    """What phones make."""
    pillow_heif = pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    file = BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 48))).save(file, exif=_exif().tobytes())
    content = file.getvalue()

    assert read_header(BytesIO(content)) == ImageHeader(64, 48, {"manufacturer": "ACME"})
    for end in (40, len(content) // 3):
        with pytest.raises(NotAnImageError):
            read_header(BytesIO(content[:end]))


@pytest.mark.parametrize("brands", [b"heic", b"mif1\0\0\0\0mif1heic", b"msf1\0\0\0\0hevc"])
def test_what_is_missing_for_a_format_is_said(brands: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an image for all that: one that cannot be read here."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    images._is_supported.cache_clear()
    content = struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + b"\0" * 40

    with pytest.raises(ImageUnsupportedError, match=r"install airflow-provider-lake\[heif\]"):
        read_header(BytesIO(content))
    images._is_supported.cache_clear()


@pytest.mark.parametrize("keep", ["tEXt", "zTXt", "iTXt"])
def test_a_png_with_long_texts_is_read(keep: str) -> None:
    """Programs keep their whole work in them; size and EXIF are there as ever."""
    info = PngInfo()
    if keep == "iTXt":
        info.add_itxt("work", "x" * (3 << 20), zip=True)
    else:
        info.add_text("work", "x" * (3 << 20), zip=keep == "zTXt")
    file = BytesIO()
    Image.new("RGB", (64, 48)).save(file, "PNG", pnginfo=info, exif=_exif(6))

    assert read_header(BytesIO(file.getvalue())) == ImageHeader(48, 64, {"manufacturer": "ACME"})


def test_a_broken_directory_spoils_no_other() -> None:
    """Where that of GPS is damaged, maker and moment are read."""
    exif = _exif()
    exif[IFD.Exif] = {Base.DateTimeOriginal: "2024:05:06 07:08:09"}
    exif[IFD.GPSInfo] = {GPS.GPSLatitudeRef: "S", GPS.GPSLatitude: (33.0, 51.0, 24.0)}
    content = _image("JPEG", exif)
    start = content.index(struct.pack(">HHI", GPS.GPSLatitude, 5, 3))
    broken = content[: start + 8] + b"\x7f\xff\xff\xff" + content[start + 12 :]

    assert read_header(BytesIO(broken)).metadata == {"manufacturer": "ACME", "acquired_at": "2024-05-06T07:08:09"}


damaged = st.builds(
    lambda content, place, byte, end: (content[:place] + bytes([byte]) + content[place + 1 :])[:end],
    st.sampled_from([*IMAGES, *(_image(each) for each in WITH_EXIF)]),
    st.integers(0, 400),
    st.integers(0, 255),
    st.integers(0, 2000),
)


@given(content=st.binary(max_size=200) | damaged)
def test_no_bytes_break_the_reader(content: bytes) -> None:
    """Whatever a file holds, it is an image with a size or it is none."""
    try:
        facts = read_header(BytesIO(content))
    except NotAnImageError:
        return

    assert facts.width >= 0
    assert facts.height >= 0


@pytest.mark.parametrize(
    ("main", "camera"),
    [
        ({odd_exif.MAKE: text(b"ION\0"), odd_exif.MODEL: text(b"ION230\0F\0")}, "ION ION230"),
        ({odd_exif.MODEL: text(b"5300\0")}, "5300"),
        ({odd_exif.MODEL: short(5300)}, "5300"),
        ({odd_exif.MAKE: text(b"Zo\xc3\xab\0"), odd_exif.MODEL: text(b"  \0")}, "Zoë"),
        ({odd_exif.MAKE: text(b"m" * 300), odd_exif.MODEL: text(b"n" * 300)}, "m" * 128),
        ({odd_exif.MAKE: text(b"\0\0\0\0\0\0")}, None),
        ({}, None),
    ],
)
def test_cameras_are_named_by_maker_and_model(main: odd_exif.Tags, camera: str | None) -> None:
    """By a name that a data source can have."""
    assert read_camera(BytesIO(encode("JPEG", exif=odd_exif.exif(main)))) == camera


@pytest.mark.filterwarnings("ignore")  # Pillow warns of what is broken
def test_odd_files_have_a_camera_or_none() -> None:
    """Nothing is raised, whatever they are."""
    cameras = {read_camera(BytesIO(content)) for content in odd_files().values()}

    assert {None, "ACME", "ION ION230", "5300 5300", "Zoë Müller"} <= cameras
