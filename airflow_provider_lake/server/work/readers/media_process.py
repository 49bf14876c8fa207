"""A process that reads videos and decodes whole files: a crash in a decoder costs one file, not the lake.

It receives requests over a connection, as JSON: an operation and a file. It opens local files itself; of remote
objects it requests ranges from the lake, which responds with their bytes. It ends with the lake, however that ends.
"""

import io
import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import Any, BinaryIO

from airflow_provider_lake.media.decoding import check_image
from airflow_provider_lake.media.images import ImageUnsupportedError, NotAnImageError
from airflow_provider_lake.media.video import NotAVideoError, VideoUnsupportedError, check_video, read_video
from airflow_provider_lake.server.blobs.ranged import open_ranged
from airflow_provider_lake.server.work.readers.thumbnail_images import Thumbnail, make_video_thumbnail

# Far beyond what frames of 8K need.
_MAX_MEMORY = 4 << 30

VIDEO_FACTS = "video facts"
VIDEO_THUMBNAIL = "video thumbnail"
VIDEO_CHECK = "video check"
IMAGE_CHECK = "image check"

_WORK: Mapping[str, Callable[[BinaryIO], Any]] = {
    VIDEO_FACTS: read_video,
    VIDEO_THUMBNAIL: make_video_thumbnail,
    VIDEO_CHECK: check_video,
    IMAGE_CHECK: check_image,
}


def serve(connection: Connection) -> None:
    """Serve requests until the connection is closed."""
    while True:
        try:
            request = json.loads(connection.recv_bytes())
        except EOFError:
            return
        response, content = _handle(connection, request)
        connection.send_bytes(json.dumps(response).encode())
        if content is not None:
            connection.send_bytes(content)


def _handle(connection: Connection, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes | None]:
    try:
        with _open_file(connection, request) as file:
            result = _WORK[request["what"]](file)
    except (ImageUnsupportedError, VideoUnsupportedError) as error:
        return {"unsupported": str(error)}, None
    except (NotAVideoError, NotAnImageError) as error:
        return {"refused": str(error)}, None
    except OSError as error:
        return {"errno": error.errno, "message": error.strerror or str(error)}, None
    except Exception as error:  # noqa: BLE001 - reported in the response
        return {"failed": f"{type(error).__name__}: {error}"}, None
    if isinstance(result, Thumbnail):
        return {"width": result.width, "height": result.height}, result.content
    return {} if result is None else asdict(result), None


def _open_file(connection: Connection, request: Mapping[str, Any]) -> BinaryIO:
    if request["path"] is not None:
        return open(request["path"], "rb")  # noqa: PTH123 - the caller closes it

    def fetch(start: int, length: int) -> bytes:
        connection.send_bytes(json.dumps({"fetch": [start, length]}).encode())
        return connection.recv_bytes()

    return open_ranged(fetch, b"", request["size"])


def main() -> None:
    """Serve the connection whose file descriptor is the argument, and end with the lake."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _limit_memory()
    threading.Thread(target=_end_with_input, daemon=True).start()
    with Connection(int(sys.argv[1])) as connection:
        try:
            serve(connection)
        except OSError:
            # The lake was killed: nobody reads the response.
            os._exit(0)


def _limit_memory() -> None:
    """Limit this process's memory, so that a file with enormous dimensions fails before the lake lacks memory."""
    _, maximum = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY if maximum < 0 else min(_MAX_MEMORY, maximum), maximum))


def _end_with_input() -> None:
    with io.FileIO(0) as stdin:
        stdin.readall()
        os._exit(0)


if __name__ == "__main__":
    main()
