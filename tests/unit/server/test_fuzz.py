"""What arrives from outside and is parsed: whatever it holds, it is taken or refused, and nothing else happens.

A short run with the same input each time; ``--fuzz-seconds N`` goes on for so long with ever new input.
"""

import json
import struct
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image, features
from PIL.ExifTags import GPS, IFD, Base

from airflow_provider_lake.media.images import NotAnImageError, read_header
from airflow_provider_lake.server.blobs.form import FormReader
from airflow_provider_lake.server.blobs.incoming import IncomingFile
from airflow_provider_lake.server.blobs.signing import UrlSigner
from airflow_provider_lake.server.errors import ApiError, BadRequestError, ForbiddenError
from airflow_provider_lake.server.http.routes.cursors import decode_cursor, encode_cursor
from airflow_provider_lake.server.http.routes.ranges import RangeError, read_range
from airflow_provider_lake.server.store.query_language import compile_filter
from airflow_provider_lake.server.work.readers.thumbnail_images import MAX_SIDE, NoThumbnailError, make_thumbnail

EXAMPLES = 150
T = TypeVar("T")
Fuzz = Callable[[st.SearchStrategy[T], Callable[[T], None]], None]


@pytest.fixture
def fuzz(request: pytest.FixtureRequest) -> Fuzz[Any]:
    """Return what tries a check on many inputs."""
    seconds = request.config.getoption("--fuzz-seconds")

    def run(strategy: st.SearchStrategy[T], check: Callable[[T], None]) -> None:
        end, number = time.monotonic() + seconds, 0
        while number == 0 or time.monotonic() < end:

            @seed(number if seconds == 0 else time.time_ns())
            @settings(
                max_examples=EXAMPLES,
                phases=[Phase.generate, Phase.shrink],
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(strategy)
            def try_some(value: T) -> None:
                check(value)

            try_some()
            number += 1

    return run


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif.update({Base.Make: "maker", Base.Orientation: 6, Base.DateTime: "2024:05:06 07:08:09", Base.XResolution: 72})
    exif.get_ifd(IFD.Exif)[Base.ColorSpace] = 1
    exif.get_ifd(IFD.GPSInfo).update({GPS.GPSLatitude: (1, 2, 3), GPS.GPSLatitudeRef: "N", GPS.GPSAltitude: 9})
    return exif


def _images() -> list[bytes]:
    formats = ["JPEG", "PNG", "TIFF", "GIF", "BMP", "PPM", "ICO"]
    formats += [name for name in ("WEBP", "AVIF") if features.check(name.lower())]
    found = []
    for name in formats:
        file = BytesIO()
        Image.new("RGB", (24, 16), "red").save(file, name, exif=_exif())
        found.append(file.getvalue())
    # A resolution that is text: it can be read, but not be written again.
    fraction, text = (struct.pack(">HHL", Base.XResolution, type_, 1) for type_ in (5, 2))
    return [*found, *(image.replace(fraction, text) for image in found)]


def _damage(content: bytes, changes: list[tuple[int, bytes, int]], end: int) -> bytes:
    damaged = bytearray(content)
    for place, piece, removed in changes:
        at = place % (len(damaged) + 1)
        damaged[at : at + removed] = piece
    return bytes(damaged[:end])


CHANGE = st.tuples(st.integers(0, 3000), st.binary(max_size=8), st.integers(0, 8))
DAMAGED_IMAGE = st.builds(
    _damage, st.sampled_from(_images()), st.lists(CHANGE, max_size=6), st.just(1 << 20) | st.integers(0, 2000)
)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of what is broken
def test_images_that_are_uploaded(fuzz: Fuzz[bytes]) -> None:
    """An image of some size whose metadata can be stored, and a small thumbnail; or none, and why."""

    def check(content: bytes) -> None:
        try:
            header = read_header(BytesIO(content))
        except NotAnImageError:
            return
        assert min(header.width, header.height) >= 0
        json.dumps(header.metadata, allow_nan=False)
        try:
            thumbnail = make_thumbnail(BytesIO(content))
        except NoThumbnailError:
            return
        assert max(thumbnail.width, thumbnail.height) <= MAX_SIDE

    fuzz(DAMAGED_IMAGE | st.binary(max_size=300), check)


WORDS = [
    *("filename", "tags.name", "metadata.reference", "meta.width", "custom_metadata.a", "data_source.name", "id"),
    *("=", "!=", "~", "!~", "<", ">=", "in", "not", "and", "or", "(", ")", ",", "startswith", "endswith"),
    *('"a"', '"\\"', "1", "-1.5e308", "None", "True", "\0", "\ud800", '"', "9" * 30),
]


def test_queries(fuzz: Fuzz[str]) -> None:
    """A query that a database can be asked, or a refusal."""

    def check(text: str) -> None:
        with suppress(BadRequestError):
            str(compile_filter(text))

    fuzz(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join) | st.text(max_size=80), check)


FORM = (
    b'--edge\r\nContent-Disposition: form-data; name="key"\r\n\r\na.jpg\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    b"bytes\r\n--edge\r\n of the file\r\n--edge--\r\n"
)
Fed = tuple[Mapping[str, str], bytes] | str


def _feed(body: bytes, size: int, folder: Path) -> Fed:
    """Read a form in pieces of a size; return fields and file, or why it was refused."""
    with IncomingFile(folder / "file") as incoming:
        try:
            form = FormReader("multipart/form-data; boundary=edge", lambda _fields: (incoming, 64))
            for start in range(0, len(body), size):
                form.feed(body[start : start + size])
            form.finish()
        except ApiError as error:
            return type(error).__name__
        incoming.finish()
        return form.fields, incoming.path.read_bytes()


def test_forms(fuzz: Fuzz[tuple[bytes, int]]) -> None:
    """Fields and a file of no more bytes than allowed, or a refusal; the same however the body was cut into pieces."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def check(given: tuple[bytes, int]) -> None:
            body, size = given
            whole, pieces = _feed(body, len(body) or 1, folder), _feed(body, size, folder)
            assert whole == pieces
            assert isinstance(whole, str) or len(whole[1]) <= 64
            assert list(folder.iterdir()) == []

        damaged = st.builds(
            _damage, st.just(FORM), st.lists(CHANGE, max_size=5), st.just(1 << 20) | st.integers(0, 400)
        )
        fuzz(st.tuples(damaged | st.binary(max_size=100), st.integers(1, 50)), check)


def test_cursors_and_ranges(fuzz: Fuzz[str]) -> None:
    """A cursor is a position that the database can compare, a range lies within the object; or they are refused."""

    def check(text: str) -> None:
        try:
            position = decode_cursor(text)
        except BadRequestError:
            pass
        else:
            assert 0 <= position < 2**63
            assert decode_cursor(encode_cursor(position)) == position
        try:
            found = read_range(text, 100)
        except RangeError:
            return
        assert found is None or 0 <= found[0] <= found[1] < 100

    numbers = st.integers(-(2**70), 2**70).map(str)
    ranges = st.tuples(numbers | st.just(""), numbers | st.just("")).map("-".join).map("bytes={}".format)
    fuzz(st.text(max_size=40) | st.integers(0, 2**70).map(encode_cursor) | ranges, check)


def test_signatures(fuzz: Fuzz[tuple[dict[str, str], str]]) -> None:
    """No fields or arguments but the signed ones are accepted; the others are forbidden, whatever they are."""
    signer = UrlSigner(b"secret", timedelta(hours=1))

    def check(given: tuple[dict[str, str], str]) -> None:
        fields, path = given
        with pytest.raises(ForbiddenError):
            signer.check_form(fields)
        with pytest.raises(ForbiddenError):
            signer.check_url("GET", path, fields)

    names = st.sampled_from(["key", "policy", "signature", "expires", "object"]) | st.text(max_size=10)
    fuzz(st.tuples(st.dictionaries(names, st.text(max_size=80), max_size=6), st.text(max_size=40)), check)
