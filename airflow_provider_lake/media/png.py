"""Reads PNG files with text chunks too long for Pillow, as programs write them that store whole projects in them."""

import struct
from typing import BinaryIO

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
# Text chunks with EXIF or XMP are kept; they are short.
_WANTED = (b"Raw profile type", b"XML:com.adobe.xmp")
_MAX_CHUNK = 1 << 20
_MAX_CHUNKS = 10_000
# Some programs write pixels in chunks of a few KiB.
_MAX_PIXEL_CHUNKS = 1_000_000
# An empty pixel chunk, and the end chunk.
_END = b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82"


def strip_text_chunks(file: BinaryIO, *, with_pixels: bool = False) -> bytes | None:
    """Return the header of a PNG without its long text chunks; None: the file is not a PNG.

    :param with_pixels: also return the rest of the file, likewise without long text chunks.
    :raises OSError: the bytes cannot be read.
    """
    file.seek(0)
    if file.read(len(_SIGNATURE)) != _SIGNATURE:
        return None
    kept = [_SIGNATURE]
    for _ in range(_MAX_PIXEL_CHUNKS if with_pixels else _MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:  # noqa: PLR2004 - length and name of a chunk
            break
        (length,), name = struct.unpack(">I", head[:4]), head[4:]
        if name in {b"IDAT", b"IEND"} and not with_pixels:
            break
        if length > _MAX_CHUNK and (name in _TEXTS or not with_pixels):
            file.seek(length + 4, 1)
            continue
        body = file.read(length + 4)
        if name not in _TEXTS or body.startswith(_WANTED):
            kept.append(head + body)
    return b"".join(kept if with_pixels else (*kept, _END))
