"""Making thumbnails."""

from io import BytesIO

import pytest
from PIL import Image

from airflow_provider_lake.server.work.readers.thumbnail_images import MAX_SIDE, NoThumbnailError, make_thumbnail


def _encoded(image: Image.Image, kind: str) -> BytesIO:
    file = BytesIO()
    image.save(file, kind)
    file.seek(0)
    return file


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *[("BMP", "RGB"), ("GIF", "P"), ("JPEG", "CMYK"), ("JPEG", "L"), ("TIFF", "CMYK"), ("TIFF", "F")],
        *[("PNG", mode) for mode in ("1", "I;16", "LA", "P", "RGBA")],
    ],
)
def test_every_kind_of_image_becomes_a_jpeg(kind: str, mode: str) -> None:
    """In its proportions, no side longer than allowed."""
    made = make_thumbnail(_encoded(Image.new(mode, (1024, 256)), kind))

    with Image.open(BytesIO(made.content)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (MAX_SIDE, 128))
    assert (made.width, made.height) == (MAX_SIDE, 128)


def test_a_small_image_is_not_enlarged() -> None:
    """It keeps its size."""
    made = make_thumbnail(_encoded(Image.new("RGB", (3, 2)), "PNG"))

    assert (made.width, made.height) == (3, 2)


def test_what_is_transparent_becomes_white() -> None:
    """JPEG knows no transparency."""
    made = make_thumbnail(_encoded(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "PNG"))

    with Image.open(BytesIO(made.content)) as image:
        assert image.getpixel((4, 4)) == (255, 255, 255)


def test_deep_colours_keep_their_brightness() -> None:
    """16 bits a pixel become 8, not white."""
    made = make_thumbnail(_encoded(Image.new("I;16", (8, 8), 0x8000), "PNG"))

    with Image.open(BytesIO(made.content)) as image:
        assert image.convert("L").getpixel((4, 4)) == 0x80


@pytest.mark.parametrize("kept", [0, 20, 600])
def test_broken_pixels_have_no_thumbnail(kept: int) -> None:
    """Wherever the bytes end."""
    whole = _encoded(Image.effect_noise((64, 64), 90), "JPEG").read()

    with pytest.raises(NoThumbnailError):
        make_thumbnail(BytesIO(whole[:kept]))


def test_an_image_that_would_fill_the_memory_has_no_thumbnail() -> None:
    """Though its file is small."""
    with pytest.raises(NoThumbnailError, match="pixels"):
        make_thumbnail(_encoded(Image.new("1", (8000, 8001)), "PNG"))
