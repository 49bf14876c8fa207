"""A process that reads the headers of image files: a crash in a parser does not crash the lake.

It reads a list of paths as one line of JSON, writes a line with the result for each, and ends with its input.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_provider_lake.media.images import ImageHeader, ImageUnsupportedError, NotAnImageError, read_header

# The result of reading an image: its header, or the error.
ImageResult = ImageHeader | Exception


def serve() -> None:
    """Serve requests until the end of the input. Signals are ignored: the lake handles them, and closes the input."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        for line in sys.stdin:
            sys.stdout.write(json.dumps([_to_json(read_file(path)) for path in json.loads(line)]) + "\n")
            sys.stdout.flush()
    except BrokenPipeError:
        # The lake was killed: nobody reads the rest of the response, or this error.
        os._exit(0)


def from_json(found: Mapping[str, Any]) -> ImageResult:
    """Return the result for an image from the JSON that the process wrote."""
    if "width" in found:
        return ImageHeader(found["width"], found["height"], found["metadata"])
    if "errno" in found:
        return OSError(found["errno"], found["message"])
    return {"none": NotAnImageError, "unsupported": ImageUnsupportedError}.get(found["kind"], RuntimeError)(
        found["message"]
    )


def read_file(path: str | Path) -> ImageResult:
    """Return the header of one file, or the error."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - thousands of them
            return read_header(file)
    except Exception as error:  # noqa: BLE001 - the caller handles it
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
