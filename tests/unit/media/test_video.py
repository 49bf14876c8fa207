"""What is read of videos: size, duration, frame rate, codec, metadata and first picture; and what is cut or broken."""

import random
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from airflow_provider_lake.media.video import NotAVideoError, check_video, read_first_frame, read_video
from tests.videos import cut, make_sound, make_video

pytestmark = pytest.mark.server

AT_THE_FRONT = {"movflags": "faststart"}
# Container, encoder, options of the container, and the codec's name.
KINDS: dict[str, tuple[str, str, dict[str, str], str]] = {
    "mp4": ("mp4", "libx264", AT_THE_FRONT, "h264"),
    "mp4 in fragments": ("mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}, "h264"),
    "mov": ("mov", "mjpeg", AT_THE_FRONT, "mjpeg"),
    "3gp": ("3gp", "mpeg4", AT_THE_FRONT, "mpeg4"),
    "mkv": ("matroska", "libx264", {}, "h264"),
    "webm": ("webm", "libvpx-vp9", {}, "vp9"),
    "avi": ("avi", "mpeg4", {}, "mpeg4"),
    "wmv": ("asf", "wmv2", {}, "wmv2"),
    "flv": ("flv", "libx264", {}, "h264"),
    "ts": ("mpegts", "mpeg2video", {}, "mpeg2video"),
    "mpg": ("mpeg", "mpeg2video", {}, "mpeg2video"),
}


def _made(kind: str, **given: Any) -> bytes:
    container, encoder, options, _ = KINDS[kind]
    return make_video(container, encoder, options=options, **given)


@pytest.mark.parametrize("kind", KINDS)
def test_header_tells_size_duration_rate_and_codec(kind: str) -> None:
    """In every container alike, within what each can say; and the whole video can be decoded."""
    content = _made(kind)

    facts = read_video(BytesIO(content))

    assert (facts.width, facts.height, facts.codec) == (64, 48, KINDS[kind][3])
    assert facts.duration == pytest.approx(2, abs=0.25)
    assert facts.frame_rate == pytest.approx(10)
    assert facts.metadata["compression"] == facts.codec
    check_video(BytesIO(content))


def test_a_stream_without_a_container_is_read() -> None:
    """What cameras of buildings write: nobody knows how long it is."""
    content = make_video("h264", "libx264")

    facts = read_video(BytesIO(content))

    assert (facts.width, facts.height, facts.codec, facts.duration) == (64, 48, "h264", None)
    check_video(BytesIO(content))


@pytest.mark.parametrize(
    ("rotation", "size", "corner"),
    [
        (None, (64, 48), "upper left"),
        (90, (48, 64), "lower left"),
        (-90, (48, 64), "upper right"),
        (180, (64, 48), "lower right"),
    ],
)
def test_a_turned_video_is_measured_and_shown_as_displayed(
    rotation: int | None, size: tuple[int, int], corner: str
) -> None:
    """Phones film on their side, and say so in the container."""
    content = make_video(rotation=rotation)

    facts, frame = read_video(BytesIO(content)), read_first_frame(BytesIO(content), 512)

    assert (facts.width, facts.height) == frame.size == size
    assert _red_corner(frame) == corner


def test_first_frame_is_made_small() -> None:
    """Its longer side has the length that is asked for, and the other one fits."""
    assert read_first_frame(BytesIO(make_video(size=(320, 160))), 64).size == (64, 32)


def test_container_metadata_become_the_platforms() -> None:
    """Time with its offset, place, author: what cameras write."""
    given = {"creation_time": "2024-05-06T07:08:09Z", "location": "+48.8577+002.2950+035.0/", "artist": "Zoë"}

    metadata = read_video(BytesIO(make_video("mov", metadata=given))).metadata

    assert metadata == {
        "acquired_at": "2024-05-06T07:08:09+00:00",
        "acquired_by": "Zoë",
        "latitude": 48.8577,
        "longitude": 2.295,
        "altitude": 35.0,
        "compression": "mpeg4",
    }


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"ts", "mpg"}])
def test_a_cut_video_is_found_by_decoding_it(kind: str) -> None:
    """Its header may be whole: what it promises is not there. Only what is broadcast promises nothing."""
    with pytest.raises(NotAVideoError, match="cut"):
        check_video(BytesIO(cut(_made(kind, frames=50))))


@pytest.mark.parametrize("kind", ["mp4", "mov", "avi", "mkv"])
def test_a_damaged_video_is_found_by_decoding_it(kind: str) -> None:
    """Some sectors in its middle are gone: all zeros, as a card leaves them."""
    content = bytearray(_made(kind, frames=50))
    middle = len(content) // 2
    content[middle : middle + 2048] = bytes(2048)

    with pytest.raises(NotAVideoError):
        check_video(BytesIO(content))


NO_VIDEOS = {
    "empty": b"",
    "text": b"I am a text and no video.\n" * 100,
    "zeros": bytes(100_000),
    "noise": random.Random(1).randbytes(100_000),
    "mp4 without its end, where the index is": cut(make_video()),
    "sound": make_sound(),
    # These name other files, which nobody may have read by naming them.
    "playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
    "list of files": b"ffconcat version 1.0\nfile /etc/hostname\n",
    "session": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
}


def _image(name: str) -> bytes:
    target = BytesIO()
    Image.effect_noise((64, 48), 60).save(target, name)
    return target.getvalue()


@pytest.mark.parametrize("name", [*NO_VIDEOS, "JPEG", "PNG", "GIF", "AVIF", "TIFF"])
def test_what_is_no_video_is_named_so(name: str) -> None:
    """By the header and by decoding alike, with one reason, and nothing else is raised."""
    content = NO_VIDEOS[name] if name in NO_VIDEOS else _image(name)

    with pytest.raises(NotAVideoError) as by_header:
        read_video(BytesIO(content))
    with pytest.raises(NotAVideoError) as by_decoding:
        check_video(BytesIO(content))

    assert str(by_header.value) == str(by_decoding.value)


def test_only_sound_is_called_so() -> None:
    """Whoever reads the reason knows what the file is."""
    with pytest.raises(NotAVideoError, match="only sound"):
        read_video(BytesIO(make_sound()))


def test_a_disk_that_fails_is_no_fault_of_the_video() -> None:
    """The error of the reading comes through."""

    class Failing(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 300_000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    content = make_video(codec="mjpeg", frames=60, size=(320, 240), container="mov", options=AT_THE_FRONT)
    assert len(content) > 600_000

    with pytest.raises(OSError, match="Input/output error"):
        check_video(Failing(content))


@pytest.mark.parametrize("seed", range(40))
def test_damage_anywhere_raises_nothing_else(seed: int) -> None:
    """Random bytes in place of others, header included: a reason, or facts."""
    chance = random.Random(seed)
    kind = chance.choice(list(KINDS))
    content = bytearray(_made(kind, frames=5))
    for _ in range(chance.randrange(1, 60)):
        content[chance.randrange(min(len(content), chance.choice([200, 2000, 10**9])))] = chance.randrange(256)

    for read in (read_video, check_video, lambda file: read_first_frame(file, 64)):
        with suppress(NotAVideoError):
            read(BytesIO(content))


def _red_corner(frame: Image.Image) -> str:
    right, lower = frame.width - 4, frame.height - 4
    corners = {"upper left": (4, 4), "upper right": (right, 4), "lower left": (4, lower), "lower right": (right, lower)}
    pixels = {name: frame.getpixel(place) for name, place in corners.items()}
    return max(pixels, key=lambda name: pixels[name][0] - pixels[name][1])  # type: ignore[index] # RGB


@pytest.mark.parametrize("read", [read_video, check_video, lambda file: read_first_frame(file, 64)])
def test_a_codec_that_nobody_knows_is_a_reason(read: Callable[[BytesIO], object]) -> None:
    """And no error of Python's."""
    video = make_video("avi", "mjpeg").replace(b"MJPG", b"XQZW")

    with pytest.raises(NotAVideoError, match="codec is not known"):
        read(BytesIO(video))
