"""Odd files, as the world's cameras, phones and programs make them: for tests that every way in takes them alike."""

import struct
import zlib
from collections.abc import Iterator
from functools import cache
from io import BytesIO

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests import odd_exif
from tests.odd_exif import (
    ALTITUDE,
    ALTITUDE_REF,
    ARTIST,
    DIGITIZED,
    LATITUDE,
    LATITUDE_REF,
    LONGITUDE_REF,
    MAKE,
    MODEL,
    MODIFIED,
    MODIFIED_OFFSET,
    ORIENTATION,
    SOFTWARE,
    SUBSECOND,
    TAKEN,
    TAKEN_OFFSET,
    UNIT,
    X_RESOLUTION,
    exif,
    fractions,
    long,
    octets,
    place,
    short,
    text,
    undefined,
)

WIDTH, HEIGHT = 64, 48
_SUFFIXES = {"JPEG": "jpg", "TIFF": "tif", "JPEG2000": "jp2"}
_MOMENT = text(b"2024:05:06 07:08:09\0")
Named = Iterator[tuple[str, bytes]]


@cache
def odd_files() -> dict[str, bytes]:
    """Make the files; most are images, some claim to be."""
    return dict([*_kinds(), *_turned(), *_cut(), *_odd_exif(), *_heif()])


def encode(format_: str, mode: str = "RGB", size: tuple[int, int] = (WIDTH, HEIGHT), **options: object) -> bytes:
    """Return an image in a format."""
    file = BytesIO()
    _gradient(mode, size).save(file, format_, **options)
    return file.getvalue()


def _gradient(mode: str, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    return Image.linear_gradient("L").resize(size).convert(mode)


def _kinds() -> Named:
    """Yield what is odd in how its pixels are kept."""
    for mode in ("CMYK", "L", "YCbCr"):
        yield f"{mode}.jpg", encode("JPEG", mode)
    yield "progressive.JPG", encode("JPEG", progressive=True)
    yield "one pixel.jpeg", encode("JPEG", size=(1, 1))
    yield "kept as.jfif", encode("JPEG")
    yield "two pictures.mpo", encode("MPO", save_all=True, append_images=[_gradient("RGB")])
    yield "behind a comment.jpg", _behind_comments(encode("JPEG"))
    for mode in ("1", "P", "LA", "RGBA", "I;16"):
        yield f"{mode.replace(';', '')}.png", encode("PNG", mode)
    yield "animated.apng", encode("PNG", save_all=True, append_images=[_gradient("RGB", (32, 32))])
    yield "long text.png", _with_text(zip_=False)
    yield "long packed text.png", _with_text(zip_=True)
    yield "animated.gif", encode("GIF", "P", save_all=True, append_images=[_gradient("P").rotate(90)])
    yield "animated.webp", encode("WEBP", save_all=True, append_images=[_gradient("RGB").rotate(90)])
    yield "lossless.webp", encode("WEBP", "RGBA", lossless=True)
    yield "pages.tif", encode("TIFF", save_all=True, append_images=[_gradient("L", (10, 10))])
    for mode, compression in (("1", "group4"), ("I;16", "tiff_lzw"), ("CMYK", "tiff_adobe_deflate"), ("RGB", "jpeg")):
        yield f"{compression}.tiff", encode("TIFF", mode, compression=compression)
    yield "big.tif", encode("TIFF", big_tiff=True)
    bitmap = encode("BMP")
    # Its height is negative: the first row is the upper one.
    yield "from above.bmp", bitmap[:22] + struct.pack("<i", -HEIGHT) + bitmap[26:]
    yield "palette.bmp", encode("BMP", "P")
    yield "favourite.ico", encode("ICO", sizes=[(16, 16), (32, 32)])
    yield "commented.ppm", b"P6\n# made by hand\n2 # width\n3\n255\n" + b"\0" * 18
    yield "plain.pbm", b"P1\n2 2\n1 0 0 1\n"
    yield "gray.pgm", encode("PPM", "L")
    yield "plain.jp2", encode("JPEG2000")
    yield "stream.j2k", encode("JPEG2000", no_jp2=True)
    yield "gray.avif", encode("AVIF", "L")


def _behind_comments(jpeg: bytes) -> bytes:
    """Put as many bytes before the size as a comment can have, three times."""
    comment = b"\xff\xfe\xff\xff" + b"c" * 65533
    return jpeg[:2] + comment * 3 + jpeg[2:]


def _with_text(*, zip_: bool) -> bytes:
    info = PngInfo()
    info.add_text("workflow", "x" * (3 << 20), zip=zip_)
    return encode("PNG", pnginfo=info, exif=exif({MAKE: text(b"ACME\0"), ORIENTATION: short(6)}))


def _turned() -> Named:
    """Yield what is to be turned to be displayed, all ways, in all formats that say so."""
    for format_ in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "JPEG2000"):
        for number in range(1, 9):
            turn = exif({MAKE: text(b"ACME\0"), ORIENTATION: short(number)})
            suffix = _SUFFIXES.get(format_, format_.lower())
            if format_ == "JPEG2000":
                yield f"turned {number}.{suffix}", encode(format_) + _exif_box(turn)
            else:
                yield f"turned {number}.{suffix}", encode(format_, exif=turn)


def _exif_box(content: bytes) -> bytes:
    body = b"uuidJpgTiffExif->JP2" + content.removeprefix(b"Exif\0\0")
    return struct.pack(">I", 4 + len(body)) + body


def _cut() -> Named:
    """Yield what was cut on its way, and what claims to be an image."""
    full = exif({MAKE: text(b"ACME\0")}, {TAKEN: _MOMENT}, place(b"N\0", b"E\0"))
    for format_ in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "JPEG2000", "GIF", "BMP"):
        content = encode(format_, exif=full) if format_ not in {"GIF", "BMP", "JPEG2000"} else encode(format_)
        suffix = _SUFFIXES.get(format_, format_.lower())
        yield f"half.{suffix}", content[: len(content) * 3 // 5]
        yield f"header cut.{suffix}", content[:20]
    yield "empty.jpg", b""
    yield "text.jpg", b"this is no image\n"
    yield "a page.png", b"<!DOCTYPE html><title>404</title>"
    yield "zeros.jpg", bytes(5000)
    yield "a png.jpg", encode("PNG")
    yield "a jpeg.png", encode("JPEG", exif=full)
    yield "starts a program.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n"
    yield "trailing bytes.jpg", encode("JPEG", exif=full) + b"\0" * 999
    yield "large.png", _large_png()


def _large_png() -> bytes:
    small = encode("PNG")
    header = small[12:16] + struct.pack(">II", 100_000, 100_000) + small[24:29]
    return small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]


def _jpeg(
    main: odd_exif.Tags | None = None, details: odd_exif.Tags | None = None, gps: odd_exif.Tags | None = None
) -> bytes:
    return encode("JPEG", exif=exif(main, details, gps))


def _odd_exif() -> Named:
    """Yield what is odd in what is said of it."""
    for latitude, longitude in ((b"s", b"w"), (b"South\0", b"West\0"), (b"S\0\0", b"W\0\0"), (b"N\0", b"W\0")):
        yield (
            f"{latitude.decode().strip(chr(0))} {len(latitude)} {longitude[:1].decode()}.jpg",
            _jpeg(gps=place(latitude, longitude)),
        )
    yield "no references.jpg", _jpeg(gps=place(None, None))
    yield "one reference.jpg", _jpeg(gps=place(b"S\0", None))
    here = place(b"S\0", b"E\0")
    yield "references of no type.jpg", _jpeg(gps={**here, LATITUDE_REF: undefined(b"S\0")})
    yield "two parts.jpg", _jpeg(gps={**here, LATITUDE: fractions((33, 1), (513, 10))})
    yield "decimal degrees.jpg", _jpeg(gps={**here, LATITUDE: fractions((338567, 10000))})
    yield "degrees as text.jpg", _jpeg(gps={**here, LATITUDE: text(b"33.8567\0")})
    yield "nowhere.jpg", _jpeg(gps={**here, LATITUDE: fractions((0, 0), (0, 0), (0, 0))})
    yield "below the sea.jpg", _jpeg(gps={**here, ALTITUDE_REF: octets(b"\1"), ALTITUDE: fractions((45, 10))})
    yield "high up.jpg", _jpeg(gps={**here, ALTITUDE_REF: octets(b"\0"), ALTITUDE: fractions((88488, 10))})
    yield "no height.jpg", _jpeg(gps={**here, ALTITUDE_REF: octets(b"\0"), ALTITUDE: fractions((1, 0))})
    yield (
        "null island.jpg",
        _jpeg(gps={**here, LATITUDE: fractions((0, 1), (0, 1), (0, 1)), LONGITUDE_REF: text(b"E\0")}),
    )
    for name, maker in (("utf-8", "Zoë Müller".encode()), ("latin-1", "Zoë Müller".encode("latin-1"))):
        yield f"{name}.jpg", _jpeg({MAKE: text(maker + b"\0"), ARTIST: text(maker + b"\0")})
    yield "nul.jpg", _jpeg({MAKE: text(b"ION\0junk\0"), MODEL: text(b"ION230\0F\0")})
    yield "blanks.jpg", _jpeg({MAKE: text(b"ACME   \0\0\0"), SOFTWARE: text(b"   \0")})
    yield "numbers for names.jpg", _jpeg({MAKE: short(5300), MODEL: short(5300)})
    yield "names of no type.jpg", _jpeg({MAKE: undefined(b"ACME\0"), MODEL: text(b"no end")})
    yield "no resolution.jpg", _jpeg({X_RESOLUTION: fractions((72, 0)), UNIT: short(2)})
    yield "orientation as long.jpg", _jpeg({ORIENTATION: long(6)})
    yield "orientation 9.jpg", _jpeg({ORIENTATION: short(9)})
    offset = text(b"+02:00\0")
    yield "offset.jpg", _jpeg({MODIFIED: _MOMENT}, {MODIFIED_OFFSET: offset, SUBSECOND: text(b"123\0")})
    yield "offset of the shot.jpg", _jpeg({}, {TAKEN: _MOMENT, TAKEN_OFFSET: text(b"-05:30\0")})
    yield "unknown offset.jpg", _jpeg({MODIFIED: _MOMENT}, {MODIFIED_OFFSET: text(b"   :  \0")})
    yield "digitized.jpg", _jpeg({}, {DIGITIZED: _MOMENT})
    yield "no moment.jpg", _jpeg({MODIFIED: text(b"0000:00:00 00:00:00\0")}, {TAKEN: _MOMENT})
    yield "dashes.jpg", _jpeg({MODIFIED: text(b"2024-05-06 07:08:09\0")})
    full = exif({MAKE: text("Žižka".encode() + b"\0")}, {TAKEN: _MOMENT, TAKEN_OFFSET: offset}, place(b"s\0", b"w\0"))
    for format_ in ("JPEG", "PNG", "WEBP", "AVIF"):
        yield f"full.{_SUFFIXES.get(format_, format_.lower())}", encode(format_, exif=full)
    yield "full.jp2", encode("JPEG2000") + _exif_box(full)
    broken = full.replace(struct.pack("<HHI", LATITUDE, 5, 3), struct.pack("<HHI", LATITUDE, 5, 0x7FFFFFFF))
    yield "broken place.jpg", encode("JPEG", exif=broken)
    yield "exif cut.jpg", encode("JPEG", exif=full[:60])
    yield "exif of nothing.jpg", encode("JPEG", exif=b"Exif\0\0nothing of the kind")


def _heif() -> Named:
    """Yield what phones make; none without pillow-heif."""
    try:
        import pillow_heif
    except ImportError:
        return
    for number in (1, 3, 6, 8):
        turn = exif({MAKE: text(b"ACME\0"), ORIENTATION: short(number)}, {TAKEN: _MOMENT}, place(b"S\0", b"W\0"))
        file = BytesIO()
        # Of other sizes the encoder makes larger pictures, which are cropped; exiftool gives the sizes before that.
        pillow_heif.from_pillow(_gradient("RGB", (192, 128))).save(file, exif=turn)
        yield f"turned {number}.{'HEIC' if number == 1 else 'heif'}", file.getvalue()
    yield "half.heic", file.getvalue()[:200]
