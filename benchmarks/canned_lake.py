"""A lake that costs next to nothing: nginx with canned answers, so that a measurement is one of the client.

It needs nginx, and its echo module (Debian's libnginx-mod-http-echo) for answers that come late.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ORGANIZATION, CONNECTOR, DATALAKE = (f"{number * 8}-0000-4000-8000-000000000000" for number in "123")
TOKEN = "canned"  # noqa: S105 - opens nothing
ECHO_MODULE = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
# Of nginx: another one for each request, 32 hexadecimal digits.
NEW_ID = "$request_id"
START_SECONDS = 10

Answers = dict[str, tuple[int, Any]]


def data(data_id: str = NEW_ID, **more: object) -> dict[str, object]:
    """Return a data as a lake answers it."""
    return {
        "id": data_id,
        "object_name": f"data/{data_id}.jpg",
        "filename": "photo.jpg",
        "type": "IMAGE",
        "content_type": "image/jpeg",
        "upload_status": "DONE",
        "metadata": {"acquired_at": "2024-05-06T07:08:09", "manufacturer": "ACME"},
        "custom_metadata": None,
        "meta": {"width": 160, "height": 120},
        "tags": [{"id": ORGANIZATION, "name": "car", "target_type": "DATA"}],
        "data_source": None,
        "presigned_url": f"http://127.0.0.1/storage/data/{data_id}.jpg?signature={'x' * 200}",
    } | more


def _answers(port: int) -> Answers:
    """Return what every client asks, path (a regular expression from its beginning) to status and JSON."""
    form = {"url": f"http://127.0.0.1:{port}/storage", "fields": {"key": f"data/{NEW_ID}.jpg", "policy": "p" * 400}}
    storage = f"/api/object-storage/{CONNECTOR}"
    organization = f"/api/organization/{ORGANIZATION}"
    return {
        "/api/home/ping$": (200, {"sdk_version": "6.37.0", "username": "u", "default_organization": ORGANIZATION}),
        f"{organization}$": (200, {"id": ORGANIZATION, "name": "acme", "default_connector_id": CONNECTOR}),
        f"{organization}/datalake$": (200, {"id": DATALAKE, "name": "default", "connector_id": CONNECTOR}),
        f"{organization}/connector/{CONNECTOR}/generate_object_name$": (200, {"object_name": f"data/{NEW_ID}.jpg"}),
        f"{storage}/generate_presigned_url$": (200, {"client_type": "minio", "presigned_url_data": form}),
        f"{storage}/init_multipart_upload$": (200, {"client_type": "minio", "upload_id": "u"}),
        f"{storage}/generate_part_presigned_url$": (200, {"url": f"http://127.0.0.1:{port}/part"}),
        f"{storage}/complete_part_upload$": (200, {}),
    }


@contextmanager
def canned_lake(
    delay_seconds: float = 0, more: Answers | None = None, files: dict[str, Path] | None = None
) -> Iterator[str]:
    """Serve canned answers, and yield the lake's URL.

    :param delay_seconds: every answer of the API and the storage is so late.
    :param more: further answers.
    :param files: path to the file that answers it.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with TemporaryDirectory() as folder:
        config = Path(folder) / "nginx.conf"
        created = {f"/api/datalake/{DATALAKE}/datas$": (201, data())}
        config.write_text(_config(folder, port, delay_seconds, _answers(port) | created | (more or {}), files or {}))
        with subprocess.Popen([_nginx(delay_seconds), "-p", folder, "-c", str(config)]) as process:
            try:
                _await(port)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()


def _nginx(delay_seconds: float) -> str:
    """Return nginx; where it or what it needs is missing, end with what to install."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if program is None:
        sys.exit("this benchmark needs nginx; Debian: apt-get install nginx-light")
    if delay_seconds and not ECHO_MODULE.exists():
        sys.exit("answers that come late need nginx's echo module; Debian: apt-get install libnginx-mod-http-echo")
    return program


def _await(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _config(folder: str, port: int, delay_seconds: float, answers: Answers, files: dict[str, Path]) -> str:
    places = [
        _location(f"~ ^{path}", delay_seconds, status, json.dumps(body)) for path, (status, body) in answers.items()
    ]
    places += [
        _location("= /storage", delay_seconds, 204, ""),
        _location("= /part", delay_seconds, 200, "", 'ETag "e"'),
    ]
    places += [f"location = {path} {{ alias {file}; default_type application/json; }}" for path, file in files.items()]
    module = f"load_module {ECHO_MODULE};" if delay_seconds else ""
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    newline = "\n    "
    return f"""
{module}
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 2048; }}
http {{
  access_log off; sendfile on; keepalive_requests 100000000; client_max_body_size 0;
  client_body_buffer_size 1m; client_body_temp_path {folder}/body; {temporary}
  default_type application/json;
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    {newline.join(places)}
  }}
}}
"""


def _location(where: str, delay_seconds: float, status: int, body: str, header: str = "") -> str:
    added = f"add_header {header} always;" if header else ""
    if not delay_seconds:
        return f"location {where} {{ {added} return {status} '{body}'; }}"
    said = f"echo -n '{body}';" if body else ""
    late = f"echo_read_request_body; echo_sleep {delay_seconds};"
    return f"location {where} {{ {added} echo_status {status}; {late} {said} }}"
