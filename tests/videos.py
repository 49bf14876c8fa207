"""Small real videos, made by PyAV: pictures whose upper left corner is red."""

import random
import struct
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
from PIL import Image

RATE = 10
SIZE = (64, 48)


def make_video(
    container: str = "mp4",
    codec: str = "mpeg4",
    *,
    frames: int = 20,
    size: tuple[int, int] = SIZE,
    rotation: int | None = None,
    metadata: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
) -> bytes:
    """Return a video of ten pictures a second.

    :param container: FFmpeg's name of a container.
    :param codec: FFmpeg's name of an encoder.
    :param rotation: degrees counterclockwise by which it is turned to be shown.
    :param metadata: fields of the container.
    :param options: of the container's writer.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, "video")
        with av.open(str(path), "w", format=container, options=dict(options or {})) as target:
            target.metadata.update(metadata or {})
            stream: Any = target.add_stream(codec, rate=RATE)
            stream.width, stream.height = size
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            if rotation is not None:
                stream.set_display_rotation(rotation)
            for number in range(frames):
                target.mux(stream.encode(_frame(size, number)))
            target.mux(stream.encode())
        return path.read_bytes()


def make_sound() -> bytes:
    """Return an MP4 with a second of silence, and no video."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "sound")
        with av.open(str(path), "w", format="mp4") as target:
            stream: Any = target.add_stream("aac", rate=8000)
            frame: Any = av.AudioFrame(format="fltp", layout="mono", samples=1024)
            frame.sample_rate = 8000
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            for number in range(8):
                frame.pts = 1024 * number
                target.mux(stream.encode(frame))
            target.mux(stream.encode())
        return path.read_bytes()


def large_video(size: int, end: bytes = b"") -> bytes:
    """Return a video of so many bytes, most of which nobody looks at.

    :param end: what they end with.
    """
    video = make_video(frames=1, size=(16, 16))
    filling = size - len(video) - 8 - len(end)
    return video + struct.pack(">I4s", 8 + filling + len(end), b"free") + random.randbytes(filling) + end


def cut(content: bytes, share: float = 0.6) -> bytes:
    """Return the first part of a file, as broken transfers leave it."""
    return content[: int(len(content) * share)]


def _frame(size: tuple[int, int], number: int) -> Any:
    """Return a picture that compresses badly, so that a file's end lies in its pictures."""
    picture = Image.effect_noise(size, 60 + number % 7).convert("RGB")
    picture.paste("red", (0, 0, size[0] // 4, size[1] // 4))
    frame: Any = av.VideoFrame
    return frame.from_image(picture)
