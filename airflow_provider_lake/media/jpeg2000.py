"""Reads the EXIF of a JPEG 2000 file from its own box, which Pillow does not read."""

from typing import BinaryIO

# The identifier of the box, as exiftool and other programs write it.
_EXIF_BOX = b"JpgTiffExif->JP2"
_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_MAX_BOXES = 64
_MAX_EXIF = 1 << 20
_HEADER = 8
_LONG_HEADER = 16


def find_exif(file: BinaryIO) -> bytes | None:
    """Return the EXIF of a JPEG 2000 file; None: there is none."""
    file.seek(0)
    if file.read(len(_SIGNATURE)) != _SIGNATURE:
        return None
    place = len(_SIGNATURE)
    for _ in range(_MAX_BOXES):
        file.seek(place)
        header = file.read(_LONG_HEADER)
        if len(header) < _HEADER:
            return None
        length, name, start = int.from_bytes(header[:4]), header[4:8], place + _HEADER
        if length == 1:
            length, start = int.from_bytes(header[8:]), place + _LONG_HEADER
        if name == b"uuid":
            file.seek(start)
            if file.read(len(_EXIF_BOX)) == _EXIF_BOX:
                size = length - (start - place) - len(_EXIF_BOX) if length else _MAX_EXIF
                return file.read(max(0, min(size, _MAX_EXIF)))
        if length < start - place:
            # The last box, which extends to the end of the file, or a broken one.
            return None
        place += length
    return None
