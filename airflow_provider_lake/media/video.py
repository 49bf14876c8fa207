"""What a video file tells, by PyAV: size as displayed, duration, frame rate, codec, metadata; and its pictures.

PyAV comes with the extra ``video``. Files are read as Python opens them: whatever a file names besides (playlists and
the like) is not followed, and no format is known here but containers of video.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from io import SEEK_CUR, SEEK_END, SEEK_SET
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_provider_lake.media.video_metadata import metadata_of

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from PIL.Image import Image

UNSUPPORTED = "videos cannot be read here without PyAV: install airflow-provider-lake[video]"

# FFmpeg's names of what contains video. None of these starts a program, and none but these is tried: others (hls,
# concat, dash, image2 …) name further files, or would take a picture or a text for a video.
_CONTAINERS = "mov,matroska,webm,avi,asf,flv,mpeg,mpegts,mpegvideo,h264,hevc,ogg,mxf,dv,rm,wtv,nut,ivf,gxf"
_BUFFER_BYTES = 256 << 10
# A header that wants more is none. Those of hours of video have some 20 MB, where the container has an index.
_MAX_HEADER_BYTES = 256 << 20
_HEADER_SECONDS = 30.0
# Packets in which the first picture is looked for.
_FIRST_PACKETS = 300
_MAX_PIXELS = 128_000_000
# What streams that are cut out of a broadcast begin with cannot be decoded: pictures are missing that it builds on.
_STARTS_ANYWHERE = frozenset({"mpeg", "mpegts"})
# Their duration stands in the header, and is not guessed.
_REPORTS_DURATION = frozenset({"matroska,webm", "flv", "asf"})
# What makes a picture of a container of video.
_STILL_BRANDS = frozenset({"avif", "heic", "heix", "heim", "heis", "mif1"})
_MIN_SHARE = 0.95
_MIN_GAP_SECONDS = 1.0
_DECODER_THREADS = 2


class NotAVideoError(ValueError):
    """The bytes are no video that can be read; the message is the reason, fit to be shown to a user."""


class VideoUnsupportedError(RuntimeError):
    """PyAV is missing; the message says what to install."""

    def __init__(self, message: str = UNSUPPORTED) -> None:
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What the header of a video tells.

    :param width: of a picture, in pixels, as displayed: turned as the container says.
    :param height: likewise.
    :param duration: in seconds; None: the container does not say.
    :param frame_rate: pictures a second, on the average; None: nobody knows.
    :param codec: as FFmpeg names it, such as ``h264``.
    :param metadata: platform metadata key to value; only what the video carries.
    """

    width: int
    height: int
    duration: float | None
    frame_rate: float | None
    codec: str
    metadata: dict[str, Any] = field(default_factory=dict)


@cache
def is_supported() -> bool:
    """Whether PyAV is installed, and loads."""
    try:
        import av  # noqa: F401 - whether it can be
    except ImportError:
        return False
    return True


def read_video(file: BinaryIO) -> VideoFacts:
    """Read the header of a video, and its first picture, which alone says how it is turned.

    :raises NotAVideoError: no video, one whose header is broken, or one in an unknown container.
    :raises VideoUnsupportedError: PyAV is missing.
    :raises OSError: the bytes cannot be read.
    """
    with _open(_BoundedFile(file, _MAX_HEADER_BYTES, _HEADER_SECONDS)) as container:
        stream = _video_stream(container)
        width, height = stream.codec_context.width, stream.codec_context.height
        if not width or not height:
            raise NotAVideoError("the video's header does not say how large its pictures are")
        frame = _first_frame(container, stream)
        if frame is not None and frame.rotation % 180:
            width, height = height, width
        codec = stream.codec_context.codec.canonical_name
        metadata = metadata_of({**stream.metadata, **container.metadata}, codec)
        return VideoFacts(width, height, _duration(container, stream), _frame_rate(stream), codec, metadata)


def read_first_frame(file: BinaryIO, max_side: int) -> "Image":
    """Return the first picture of a video, turned as it is displayed.

    :param max_side: in pixels; larger ones are made smaller.
    :raises NotAVideoError: it has none that can be decoded.
    :raises VideoUnsupportedError: PyAV is missing.
    :raises OSError: the bytes cannot be read.
    """
    with _open(_BoundedFile(file, _MAX_HEADER_BYTES, _HEADER_SECONDS)) as container:
        frame = _first_frame(container, _video_stream(container))
        if frame is None:
            raise NotAVideoError("the video's first picture cannot be decoded")
        scale = min(1.0, max_side / max(frame.width, frame.height))
        width, height = (max(1, round(side * scale)) for side in (frame.width, frame.height))
        small: Any = frame.reformat(width, height, "rgb24")
        image: Image = small.to_image()
        return image.rotate(frame.rotation, expand=True) if frame.rotation else image


def check_video(file: BinaryIO) -> None:
    """Decode all of a video, and count what should be there: what is cut or damaged is found, where it shows.

    It takes as long as playing the video at the full speed of two processors.

    :raises NotAVideoError: it is none, or it is cut or broken; the message says where.
    :raises VideoUnsupportedError: PyAV is missing.
    :raises OSError: the bytes cannot be read.
    """
    # What an edit list hides is in the file nevertheless, and counted in its header.
    with _open(_BoundedFile(file), {"ignore_editlist": "1"}) as container:
        stream = _video_stream(container)
        stream.codec_context.thread_type = "AUTO"
        stream.codec_context.thread_count = _DECODER_THREADS
        packets, end = _decode_all(container, stream)
        expected = stream.frames
        is_cut = {"avi": packets < _MIN_SHARE * expected, "mov": packets < expected}
        if is_cut.get(container.format.name.partition(",")[0], False):
            raise NotAVideoError(f"the video is cut: {packets} of {expected} pictures are there")
        duration = _duration(container, stream)
        if container.format.name in _REPORTS_DURATION and duration and end < _MIN_SHARE * duration - _MIN_GAP_SECONDS:
            raise NotAVideoError(f"the video is cut: it ends after {end:.1f} of {duration:.1f} s")


def _decode_all(container: "InputContainer", stream: "VideoStream") -> tuple[int, float]:
    """Decode all pictures, and return how many there were to decode, and when the last thing in the file ends."""
    begins_anywhere = container.format.name in _STARTS_ANYWHERE
    start = (container.start_time or 0) / 1e6
    count, frames, end = 0, 0, 0.0
    for packet in container.demux():
        if packet.pts is not None and packet.time_base is not None:
            end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base) - start)
        if packet.stream_index != stream.index:
            continue
        count += packet.size > 0
        decoded, is_broken = _decoded(packet)
        if is_broken and (frames or not begins_anywhere):
            raise NotAVideoError(f"the video is cut or broken after {end:.1f} s")
        frames += 0 if is_broken else decoded
    if not frames:
        raise NotAVideoError("none of the video's pictures can be decoded")
    return count, end


def _decoded(packet: Any) -> tuple[int, bool]:
    """Return how many pictures come out of a packet, and whether something is wrong with it or one of them."""
    import av

    try:
        frames = packet.decode()
    except av.FFmpegError as error:
        # At the end: there is nothing more to be had of the decoder.
        return 0, not isinstance(error, EOFError)
    return len(frames), packet.is_corrupt or any(frame.is_corrupt for frame in frames)


def _first_frame(container: "InputContainer", stream: "VideoStream") -> "VideoFrame | None":
    """Return the first picture; None: it cannot be decoded, or would be too large."""
    import av

    if stream.codec_context.width * stream.codec_context.height > _MAX_PIXELS:
        return None
    # With threads, pictures come later.
    stream.codec_context.thread_type = "NONE"
    for place, packet in enumerate(container.demux(stream)):
        try:
            for frame in packet.decode():
                return frame
        except av.FFmpegError:
            continue
        if place >= _FIRST_PACKETS:
            break
    return None


@contextmanager
def _open(file: "_BoundedFile", options: dict[str, str] | None = None) -> "Iterator[InputContainer]":
    """Open a container.

    :raises NotAVideoError: here, or where it is used: there is something wrong with it.
    """
    if not is_supported():
        raise VideoUnsupportedError
    import av

    file.seek(0)
    if not file.read(1):
        raise NotAVideoError("the file is empty")
    file.seek(0)
    given = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none", **(options or {})}
    try:
        container = av.open(file, "r", options=given, metadata_errors="replace", buffer_size=_BUFFER_BYTES)
    except av.FFmpegError as error:
        raise NotAVideoError("not a video of a known format, or its header is cut or broken") from error
    with container:
        try:
            yield container
        except av.FFmpegError as error:
            raise NotAVideoError(f"the video is broken: {error.strerror}") from error


def _video_stream(container: "InputContainer") -> "VideoStream":
    """Return the first stream of video that is no picture of a cover."""
    from av.stream import Disposition

    if container.metadata.get("major_brand") in _STILL_BRANDS:
        raise NotAVideoError("the file is a picture, and no video")
    for stream in container.streams.video:
        if stream.disposition & Disposition.attached_pic:
            continue
        if stream.codec_context is None:
            raise NotAVideoError("the video's codec is not known here")
        return stream
    raise NotAVideoError("there is no video in the file" + (", only sound" if container.streams.audio else ""))


def _duration(container: "InputContainer", stream: "VideoStream") -> float | None:
    if container.duration is not None:
        return _positive(container.duration / 1e6)
    if stream.duration is not None and stream.time_base is not None:
        return _positive(float(stream.duration * stream.time_base))
    return None


def _frame_rate(stream: "VideoStream") -> float | None:
    rate = stream.average_rate or stream.guessed_rate
    return None if rate is None else _positive(float(rate))


def _positive(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) and value > 0 else None


class _BoundedFile:
    """A file of which only so much is read, and only for so long; then it is no video.

    :param max_bytes: None: all.
    :param seconds: None: as long as it takes.
    """

    def __init__(self, file: BinaryIO, max_bytes: int | None = None, seconds: float | None = None) -> None:
        self._file = file
        self._left = math.inf if max_bytes is None else max_bytes
        self._deadline = math.inf if seconds is None else time.monotonic() + seconds

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise NotAVideoError("the video's header has no end")
        if time.monotonic() > self._deadline:
            raise NotAVideoError("the video's header takes too long to read")
        return piece

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        # FFmpeg asks for the size by a whence of its own.
        if whence not in {SEEK_SET, SEEK_CUR, SEEK_END}:
            raise ValueError(f"no such whence: {whence}")
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
