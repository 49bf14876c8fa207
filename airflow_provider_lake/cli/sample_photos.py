"""Generates sample photos with the EXIF of fictitious cameras."""

import random
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

from PIL import ExifTags, Image, ImageDraw, ImageFilter

# Maker, model, whether it has GPS, and the EXIF orientation of its photos.
CAMERAS = (
    ("Northlight", "Field 7", True, 1),
    ("Northlight", "Mast 2", False, 6),
    ("Ostra", "Gate One", False, 1),
)
SIZE = (1280, 960)
_FIRST_SHOT = datetime(2026, 5, 4, 7, 30)  # noqa: DTZ001 - EXIF times have no time zone
_ORIGIN = (47.5576, 10.7498)


def make_photos(folder: Path, count: int, seed: int = 1) -> list[Path]:
    """Generate JPEG photos of varying brightness and sharpness; the same seed gives the same photos.

    :param folder: created if missing.
    :param count: number of photos.
    :return: their paths.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    paths = []
    for number in range(count):
        maker, model, has_gps, orientation = CAMERAS[number % len(CAMERAS)]
        path = folder / f"{model.lower().replace(' ', '-')}-{number:04d}.jpg"
        exif = _exif(maker, model, orientation, _FIRST_SHOT + timedelta(minutes=7 * number))
        if has_gps:
            _locate(exif, _ORIGIN[0] + number / 1000, _ORIGIN[1] - number / 1000)
        is_upright = orientation == 1
        scene = _scene(
            rng, SIZE if is_upright else SIZE[::-1], blurred=number % 4 == 1, light=(0.35, 1.0, 1.0, 2.0)[number % 4]
        )
        # A rotated camera stores pictures in the sensor's orientation: 6 means to rotate them by 90 degrees clockwise.
        (scene if is_upright else scene.transpose(Image.Transpose.ROTATE_90)).save(
            path, quality=88, exif=exif, dpi=(72, 72)
        )
        paths.append(path)
    return paths


def _scene(rng: random.Random, size: tuple[int, int], *, blurred: bool, light: float) -> Image.Image:
    """Draw hills under a sky; a ``light`` of 1 is normal daylight."""
    width, height = size
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    for y in range(height):
        draw.line((0, y, width, y), fill=_with_light((120 + y // 10, 150 + y // 12, 190), light))
    for hill in range(5):
        base, color = height * (hill + 4) // 9, (40 + hill * 12, 70 + hill * 14, 30 + hill * 9)
        outline = [(x, base + rng.randint(-40, 40)) for x in range(0, width + 80, 80)]
        draw.polygon([*outline, (width, height), (0, height)], fill=_with_light(color, light))
    for _ in range(400):
        x, y, edge = rng.randrange(width), rng.randrange(height // 2, height), rng.randint(2, 14)
        draw.rectangle((x, y, x + edge, y + edge), fill=_with_light((rng.randint(30, 220),) * 3, light))
    return image.filter(ImageFilter.GaussianBlur(6)) if blurred else image


def _with_light(color: tuple[int, int, int], light: float) -> tuple[int, int, int]:
    red, green, blue = (min(255, round(part * light)) for part in color)
    return red, green, blue


def _exif(maker: str, model: str, orientation: int, shot: datetime) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = maker
    exif[ExifTags.Base.Model] = model
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Software] = "airflow-provider-lake sample"
    exif[ExifTags.Base.DateTime] = f"{shot:%Y:%m:%d %H:%M:%S}"
    return exif


def _locate(exif: Image.Exif, latitude: float, longitude: float) -> None:
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef] = "N" if latitude >= 0 else "S"
    gps[ExifTags.GPS.GPSLatitude] = _sexagesimal(latitude)
    gps[ExifTags.GPS.GPSLongitudeRef] = "E" if longitude >= 0 else "W"
    gps[ExifTags.GPS.GPSLongitude] = _sexagesimal(longitude)


def _sexagesimal(degrees: float) -> tuple[Fraction, Fraction, Fraction]:
    """Convert to degrees, minutes and seconds, as EXIF stores angles."""
    seconds = Fraction(round(abs(degrees) * 3600 * 100), 100)
    whole, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return Fraction(whole), Fraction(minutes), Fraction(rest)
