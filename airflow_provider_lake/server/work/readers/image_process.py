"""A process that reads the headers of image files: beside the lake's own, and what breaks it does not break the lake.

It reads a list of paths as one line of JSON, answers a line with what it found in each, and ends with its input.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_provider_lake.media.images import ImageHeader, ImageUnsupportedError, NotAnImageError, read_header

# What was found: facts, or the error that the reading raised.
ImageResult = ImageHeader | Exception


def serve() -> None:
    """Answer until there is no more input; signals are for the lake, which closes it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        for line in sys.stdin:
            sys.stdout.write(json.dumps([_to_json(read_file(path)) for path in json.loads(line)]) + "\n")
            sys.stdout.flush()
    except BrokenPipeError:
        # The lake was killed: nobody hears what is left to say, neither the rest of the answer nor this error.
        os._exit(0)


def from_json(found: Mapping[str, Any]) -> ImageResult:
    """Return what was found in an image, as the process wrote it."""
    if "width" in found:
        return ImageHeader(found["width"], found["height"], found["metadata"])
    if "errno" in found:
        return OSError(found["errno"], found["message"])
    return {"none": NotAnImageError, "unsupported": ImageUnsupportedError}.get(found["kind"], RuntimeError)(
        found["message"]
    )


def read_file(path: str | Path) -> ImageResult:
    """Return what is found in one file."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - thousands of them
            return read_header(file)
    except Exception as error:  # noqa: BLE001 - raised again where it was asked for
        return error


def _to_json(found: ImageResult) -> dict[str, Any]:
    if isinstance(found, ImageHeader):
        return {"width": found.width, "height": found.height, "metadata": found.metadata}
    if isinstance(found, OSError) and found.errno is not None:
        return {"errno": found.errno, "message": found.strerror}
    if isinstance(found, NotAnImageError | ImageUnsupportedError):
        return {"kind": "none" if isinstance(found, NotAnImageError) else "unsupported", "message": str(found)}
    return {"kind": "broken", "message": f"{type(found).__name__}: {found}"}


if __name__ == "__main__":
    serve()
