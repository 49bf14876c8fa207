"""A process that reads videos, and decodes whole files: beside the lake, so that what breaks it costs one file.

It is asked by a connection: what is to be done with which file, as JSON. Files of a folder it opens itself; of others
it asks for the ranges that it needs, which come back as they are. It ends with the lake, however that ends.
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

# Far beyond what pictures of 8K need.
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
    """Answer until nobody asks any more."""
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
    except Exception as error:  # noqa: BLE001 - reported to the caller
        return {"failed": f"{type(error).__name__}: {error}"}, None
    if isinstance(result, Thumbnail):
        return {"width": result.width, "height": result.height}, result.content
    return {} if result is None else asdict(result), None


def _open_file(connection: Connection, request: Mapping[str, Any]) -> BinaryIO:
    if request["path"] is not None:
        return open(request["path"], "rb")  # noqa: PTH123 - closed by who asks

    def fetch(start: int, length: int) -> bytes:
        connection.send_bytes(json.dumps({"fetch": [start, length]}).encode())
        return connection.recv_bytes()

    return open_ranged(fetch, b"", request["size"])


def main() -> None:
    """Serve the connection whose number is the argument; what is decoded does not outlive the lake."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _limit_memory()
    threading.Thread(target=_end_with_input, daemon=True).start()
    with Connection(int(sys.argv[1])) as connection:
        try:
            serve(connection)
        except OSError:
            # The lake was killed: nobody hears what is left to say.
            os._exit(0)


def _limit_memory() -> None:
    """Let what claims to be of enormous size fail here, before the machine has no memory left for the lake."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY if most < 0 else min(_MAX_MEMORY, most), most))


def _end_with_input() -> None:
    with io.FileIO(0) as stdin:
        stdin.readall()
        os._exit(0)


if __name__ == "__main__":
    main()
