"""What exiftool says of images, in the lake's words."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

_TAGS = (
    *("ImageWidth", "ImageHeight", "Orientation", "Rotation", "Make", "ModifyDate", "DateTimeOriginal", "CreateDate"),
    *("OffsetTime", "OffsetTimeOriginal", "OffsetTimeDigitized", "GPSLatitude", "GPSLongitude"),
    *("GPSLatitudeRef", "GPSLongitudeRef", "FileType", "ExifImageWidth"),
)
_ON_THEIR_SIDE = frozenset({5, 6, 7, 8})


def ask_exiftool(files: Iterable[Path]) -> dict[str, Mapping[str, Any]]:
    """Return what it says of each file: path to tags, with their groups."""
    if shutil.which("exiftool") is None:
        pytest.skip("no exiftool here (Debian: apt-get install libimage-exiftool-perl)")
    command = ["exiftool", "-json", "-n", "-G", "-charset", "exif=UTF8", *(f"-{tag}" for tag in _TAGS), "-@", "-"]
    # It fails where one of the files has no metadata; what it says of the others stands.
    names = "\n".join(map(str, files)).encode()
    said = subprocess.run(command, input=names, capture_output=True, check=False, timeout=300).stdout
    return {each["SourceFile"]: each for each in json.loads(said.decode("utf-8", "replace"))}


def displayed_size(said: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return width and height of an image as it is displayed; None: it does not say."""
    width, height = (_size_of(said, name) for name in ("ImageWidth", "ImageHeight"))
    if width is None or height is None:
        return None
    if "QuickTime:Rotation" in said:
        is_lying = said["QuickTime:Rotation"] in {90, 270}
    else:
        is_lying = said.get("EXIF:Orientation") in _ON_THEIR_SIDE
    return (height, width) if is_lying else (width, height)


def _size_of(said: Mapping[str, Any], name: str) -> int | None:
    groups = ("File", "PNG", "RIFF", "GIF", "QuickTime", "Jpeg2000", "EXIF")
    return next((abs(said[f"{group}:{name}"]) for group in groups if f"{group}:{name}" in said), None)


def moment(said: Mapping[str, Any]) -> str | None:
    """Return the moment of a photo, with its offset where that belongs to it."""
    tags = (
        ("ModifyDate", "OffsetTime"),
        ("DateTimeOriginal", "OffsetTimeOriginal"),
        ("CreateDate", "OffsetTimeDigitized"),
    )
    found = [(str(said.get(f"EXIF:{tag}", "")), str(said.get(f"EXIF:{offset}", ""))) for tag, offset in tags]
    for text, _ in found:
        date, _, time = text.strip().partition(" ")
        if not date.strip("0:- "):
            continue
        offset = next((offset for same, offset in found if same == text and offset.strip(": ")), "")
        return f"{date.replace(':', '-')}T{time}{offset}"
    return None


def place(said: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return latitude and longitude, where their references and values are there."""
    names = ("EXIF:GPSLatitude", "EXIF:GPSLongitude", "EXIF:GPSLatitudeRef", "EXIF:GPSLongitudeRef")
    if any(said.get(name, "") == "" for name in names):
        return None
    return said["Composite:GPSLatitude"], said["Composite:GPSLongitude"]


def maker(said: Mapping[str, Any]) -> str | None:
    """Return who made the camera."""
    return str(said.get("EXIF:Make", "")).strip() or None
