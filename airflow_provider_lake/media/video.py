"""Reads videos with PyAV: size as displayed, duration, frame rate, codec, metadata, and pictures.

PyAV comes with the extra ``video``. Files are opened by Python: other files that a file refers to, such as those of a
playlist, are not opened, and only video containers are accepted.
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

# FFmpeg's names of video containers. None of these starts a program, and no others are tried: some (hls, concat, dash,
# image2 …) refer to further files, or would accept a picture or a text as a video.
_CONTAINERS = "mov,matroska,webm,avi,asf,flv,mpeg,mpegts,mpegvideo,h264,hevc,ogg,mxf,dv,rm,wtv,nut,ivf,gxf"
_BUFFER_BYTES = 256 << 10
# A file with a longer header is refused. Headers of hours of video have some 20 MB if the container has an index.
_MAX_HEADER_BYTES = 256 << 20
_HEADER_SECONDS = 30.0
# Number of packets in which the first picture is searched.
_FIRST_PACKETS = 300
_MAX_PIXELS = 128_000_000
# Streams cut out of a broadcast may start with undecodable pictures: those on which they depend are missing.
_STARTS_ANYWHERE = frozenset({"mpeg", "mpegts"})
# Containers whose header has the duration, so that it is not estimated.
_REPORTS_DURATION = frozenset({"matroska,webm", "flv", "asf"})
# Brands of pictures that are stored in a video container.
_STILL_BRANDS = frozenset({"avif", "heic", "heix", "heim", "heis", "mif1"})
_MIN_SHARE = 0.95
_MIN_GAP_SECONDS = 1.0
_DECODER_THREADS = 2


class NotAVideoError(ValueError):
    """The bytes are not a readable video; the message is a reason that can be shown to a user."""


class VideoUnsupportedError(RuntimeError):
    """PyAV is missing; the message says what to install."""

    def __init__(self, message: str = UNSUPPORTED) -> None:
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """Contents of a video's header.

    :param width: of a picture, in pixels, as displayed: after the rotation that the container defines.
    :param height: likewise.
    :param duration: in seconds; None: unknown.
    :param frame_rate: average number of pictures per second; None: unknown.
    :param codec: FFmpeg's name of the codec, such as ``h264``.
    :param metadata: platform metadata key to value, with only the keys that the video has.
    """

    width: int
    height: int
    duration: float | None
    frame_rate: float | None
    codec: str
    metadata: dict[str, Any] = field(default_factory=dict)


@cache
def is_supported() -> bool:
    """Whether PyAV is installed and can be imported."""
    try:
        import av  # noqa: F401 - checks that the import works
    except ImportError:
        return False
    return True


def read_video(file: BinaryIO) -> VideoFacts:
    """Read the header of a video, and its first picture, which alone has the rotation.

    :raises NotAVideoError: not a video, one with a broken header, or one in an unknown container.
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
    """Return the first picture of a video, rotated as it is displayed.

    :param max_side: maximum width and height in pixels; larger pictures are scaled down.
    :raises NotAVideoError: it has no picture that can be decoded.
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
    """Decode a video completely, and compare it with its header, to find truncation and damage as far as detectable.

    This takes as long as two processors need to decode the whole video.

    :raises NotAVideoError: it is not a video, or it is truncated or broken; the message says where.
    :raises VideoUnsupportedError: PyAV is missing.
    :raises OSError: the bytes cannot be read.
    """
    # Pictures that an edit list hides are still in the file, and the header counts them.
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
    """Decode all pictures; return the number of video packets, and the time in seconds at which the file ends."""
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
    """Return the number of pictures decoded from a packet, and whether the packet or one of them is broken."""
    import av

    try:
        frames = packet.decode()
    except av.FFmpegError as error:
        # EOFError: the decoder has returned all of its pictures.
        return 0, not isinstance(error, EOFError)
    return len(frames), packet.is_corrupt or any(frame.is_corrupt for frame in frames)


def _first_frame(container: "InputContainer", stream: "VideoStream") -> "VideoFrame | None":
    """Return the first picture; None: it cannot be decoded, or is too large."""
    import av

    if stream.codec_context.width * stream.codec_context.height > _MAX_PIXELS:
        return None
    # With threads, the decoder returns pictures later.
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

    :raises NotAVideoError: the container is broken, which is detected on opening it or within the block.
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
    """Return the first video stream that is not a cover picture."""
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
    """A file that limits how many bytes are read, and for how long; beyond that, it is not accepted as a video.

    :param max_bytes: None: no limit.
    :param seconds: None: no limit.
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
        # FFmpeg queries the size with its own whence value.
        if whence not in {SEEK_SET, SEEK_CUR, SEEK_END}:
            raise ValueError(f"no such whence: {whence}")
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
