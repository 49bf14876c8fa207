"""What the auto tagging sees in an image."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from airflow_provider_lake.cli.sample_photos import make_photos
from airflow_provider_lake.processings.auto_tagging import Measures, Thresholds, measure, read_thresholds, tags_for


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


def test_what_is_no_image_is_an_oserror() -> None:
    """Whoever measures many images can go on with the next."""
    with pytest.raises(OSError, match="cannot identify"):
        measure(BytesIO(b"words"))
