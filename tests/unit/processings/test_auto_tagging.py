"""What the auto tagging sees in an image."""

import warnings
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.media.images import read_header
from airflow_provider_lake.processings.auto_tagging import (
    Measures,
    NotMeasurableError,
    Thresholds,
    measure,
    read_thresholds,
    tags_for,
)
from tests.odd_files import odd_files


def _encode(image: Image.Image, **options: object) -> BytesIO:
    file = BytesIO()
    image.save(file, "JPEG", **options)
    file.seek(0)
    return file


def _checkers(size: tuple[int, int]) -> Image.Image:
    image = Image.new("L", size, 128)
    draw = ImageDraw.Draw(image)
    for x in range(0, size[0], 16):
        for y in range(0, size[1], 16):
            if (x + y) // 16 % 2:
                draw.rectangle((x, y, x + 15, y + 15), fill=230)
    return image


@pytest.mark.parametrize("light", [10, 120, 240])
def test_brightness_is_the_mean_luminance(light: int) -> None:
    """A plain gray measures as what it is, and has no edges."""
    measures = measure(_encode(Image.new("L", (64, 64), light)))

    assert measures.brightness == pytest.approx(light, abs=1)
    assert measures.sharpness == pytest.approx(0, abs=1)


def test_a_blurred_image_measures_less_sharp() -> None:
    """Blurring takes most of the edges away."""
    sharp = _checkers((320, 240))

    assert (
        measure(_encode(sharp)).sharpness > 10 * measure(_encode(sharp.filter(ImageFilter.GaussianBlur(6)))).sharpness
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_the_one_displayed(orientation: int) -> None:
    """EXIF orientations 5 to 8 turn an image by a quarter, also one so large that it is decoded at a fraction."""
    exif = Image.Exif()
    exif[0x0112] = orientation

    measures = measure(_encode(Image.new("L", (3000, 2000)), exif=exif))

    assert (measures.width, measures.height) == ((3000, 2000) if orientation < 5 else (2000, 3000))


def test_a_position_in_the_exif_is_seen(tmp_path: Path) -> None:
    """The first sample camera has GPS, the second has not."""
    located, unlocated, *_ = make_photos(tmp_path, 2)

    assert [measure(path.open("rb")).has_gps for path in (located, unlocated)] == [True, False]


@pytest.mark.parametrize(
    ("measures", "tags"),
    [
        (Measures(4, 3, 30, 500, has_gps=True), ["landscape", "dark", "sharp", "has GPS"]),
        (Measures(3, 4, 120, 5, has_gps=False), ["portrait", "blurry"]),
        (Measures(3, 3, 220, 500, has_gps=False), ["square", "bright", "sharp"]),
    ],
)
def test_tags_follow_the_measures(measures: Measures, tags: list[str]) -> None:
    """One tag for each thing measured, none for ordinary light."""
    assert tags_for(measures, Thresholds()) == tags


def test_parameters_change_the_thresholds() -> None:
    """Under the same names."""
    assert read_thresholds({"dark_below": 5}) == Thresholds(dark_below=5)


@pytest.mark.parametrize("parameters", [{"darkness": 5}, {"dark_below": "much"}])
def test_a_wrong_parameter_is_named(parameters: dict[str, object]) -> None:
    """The job ends with a message that names it."""
    with pytest.raises(SystemExit, match=next(iter(parameters))):
        read_thresholds(parameters)


@pytest.mark.parametrize("content", [b"words", b"", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF"])
def test_what_is_no_image_cannot_be_measured(content: bytes) -> None:
    """Whoever measures many images can go on with the next; no other program is started for any of them."""
    with pytest.raises(NotMeasurableError, match=r"not an image of a known format|the file is empty"):
        measure(BytesIO(content))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_damaged_image_is_measured_or_not_measurable(data: st.DataObject) -> None:
    """Whatever the damage: one broken image does not end the others' job."""
    file = BytesIO()
    _checkers((48, 48)).save(file, data.draw(st.sampled_from(["PNG", "TIFF", "JPEG", "PPM", "GIF"])))
    content = bytearray(file.getvalue())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))

    with warnings.catch_warnings(), suppress(NotMeasurableError):
        warnings.simplefilter("ignore")
        measure(BytesIO(content[: data.draw(st.integers(0, len(content)))]))


@pytest.mark.parametrize(("value", "brightness"), [(8000, 31), (65535, 255)])
def test_sixteen_bits_are_scaled(value: int, brightness: int) -> None:
    """Their brightest white is 65535."""
    file = BytesIO()
    Image.new("I;16", (8, 8), value).save(file, "PNG")

    assert measure(file).brightness == pytest.approx(brightness, abs=1)


def test_transparency_is_neither_dark_nor_bright() -> None:
    """What cannot be seen tells nothing of the light."""
    file = BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(file, "PNG")

    assert measure(file).brightness == pytest.approx(128, abs=1)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of what is broken
def test_odd_files_are_measured_or_named() -> None:
    """As displayed, and with the place that the lake knows; what is cut raises nothing else."""
    measured = 0
    for name, content in odd_files().items():
        try:
            measures = measure(BytesIO(content))
        except NotMeasurableError:
            continue
        header = read_header(BytesIO(content))
        assert (measures.width, measures.height) == (header.width, header.height), name
        assert measures.has_gps == ("latitude" in header.metadata), name
        measured += 1

    assert measured > 100
