"""`lake serve` as its user sees it."""

import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from airflow_provider_lake.cli.main import main
from tests.lake_process import STOP_SECONDS, LakeProcess
from tests.ordinary_user import ordinary_user
from tests.wire.lake_api import LakeApi

UPLOAD_BYTES = 3_000_000

COMMAND = [sys.executable, "-m", "airflow_provider_lake.cli", "serve"]


def _fail_to_serve(*arguments: str) -> str:
    """Run the command, which must fail, and return the one line that it says."""
    result = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode != 0
    assert result.stdout == ""
    assert re.fullmatch(r"lake( serve)?: [^\n]+\n", result.stderr), result.stderr
    return result.stderr


@contextmanager
def _upload_begun(lake: LakeProcess) -> Iterator[tuple[socket.socket, bytes]]:
    """Begin an upload; the lake has answered that it takes the body."""
    form: dict[str, Any] = LakeApi(lake).presign("up.bin")
    file = {"file": b"x" * UPLOAD_BYTES}
    request = requests.Request("POST", form["url"], data=form["fields"], files=file).prepare()
    body = request.body
    assert isinstance(body, bytes)
    head = f"POST {request.path_url} HTTP/1.1\r\nHost: lake\r\nContent-Length: {len(body)}\r\n"
    head += f"Content-Type: {request.headers['Content-Type']}\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", lake.port)) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        yield connection, body


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--port", "notaport"], "'notaport'"),
        (["--port", "70000"], "'70000'"),
        (["--jobs", "0"], "'0'"),
        (["--frobnicate"], "--frobnicate"),
        (["--host", "no.such.host.invalid", "--port", "0"], "no.such.host.invalid"),
    ],
)
def test_a_wrong_flag_is_named_in_one_line(arguments: list[str], named: str, tmp_path: Path) -> None:
    """Whatever is wrong stands in it, and the exit code is not 0."""
    assert named in _fail_to_serve("--data-dir", str(tmp_path), *arguments)


def test_a_port_in_use_is_named_in_one_line(lake: LakeProcess, tmp_path: Path) -> None:
    """Also where another lake has it, which shares its port with whoever asks in the right way."""
    assert f"127.0.0.1:{lake.port} is in use" in _fail_to_serve("--port", str(lake.port), "--data-dir", str(tmp_path))


def test_a_folder_that_cannot_be_made_is_named_in_one_line(tmp_path: Path) -> None:
    """A file is in its place."""
    (tmp_path / "taken").touch()

    assert f"{tmp_path}/taken/lake" in _fail_to_serve("--port", "0", "--data-dir", str(tmp_path / "taken" / "lake"))


def test_an_unwritable_folder_is_named_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It belongs to somebody else."""
    import airflow_provider_lake.server.serve  # noqa: F401 - loaded while the libraries can still be read

    tmp_path.chmod(0o500)

    with ordinary_user():
        code = main(["serve", "--port", "0", "--data-dir", str(tmp_path)])

    assert code == 1
    assert re.fullmatch(rf"lake serve: [^\n]*{re.escape(str(tmp_path))}[^\n]*\n", capsys.readouterr().err)


def test_two_lakes_never_share_a_folder(lake: LakeProcess) -> None:
    """The second one says so."""
    assert "another lake runs" in _fail_to_serve("--port", "0", "--data-dir", str(lake.data_dir))


def test_sigterm_ends_it_cleanly(own_lake: LakeProcess) -> None:
    """With exit code 0, and at once."""
    assert own_lake.stop(signal.SIGTERM) == 0


def test_what_was_begun_is_finished_before_the_end(own_lake: LakeProcess) -> None:
    """An upload that comes in after SIGTERM is stored and answered, as its request came before."""
    with _upload_begun(own_lake) as (connection, body):
        own_lake.process.send_signal(signal.SIGTERM)
        connection.sendall(body)
        answer = connection.recv(100)

    assert own_lake.process.wait(STOP_SECONDS) == 0
    assert answer.startswith(b"HTTP/1.1 204")
    assert (own_lake.objects / "up.bin").stat().st_size == UPLOAD_BYTES


def test_a_client_that_stalls_does_not_keep_it_from_ending(own_lake: LakeProcess) -> None:
    """Its upload is dropped after some seconds, and leaves nothing behind."""
    with _upload_begun(own_lake) as (connection, body):
        connection.sendall(body[: UPLOAD_BYTES // 2])

        assert own_lake.stop() == 0

    assert list((own_lake.data_dir / "staging").iterdir()) == []
    assert "Traceback" not in (own_lake.data_dir.parent / "data.log").read_text()


def test_secrets_are_for_their_owner_only(lake: LakeProcess) -> None:
    """The token that was made lies in a file that nobody else can read, in a folder that nobody else can enter."""
    assert stat.S_IMODE(lake.data_dir.stat().st_mode) == 0o700
    for name in ("token", "signing.key"):
        assert stat.S_IMODE((lake.data_dir / name).stat().st_mode) == 0o600


def test_the_token_stays_across_starts_and_can_be_changed(own_lake: LakeProcess) -> None:
    """A second start accepts the first one's token; one started with another token accepts only that."""
    made = own_lake.token
    own_lake.stop()
    own_lake.start()
    assert _ping(own_lake, made) == 200
    own_lake.stop()
    own_lake.arguments = ("--token", "my own")
    own_lake.start()

    assert (_ping(own_lake, "my own"), _ping(own_lake, made)) == (200, 401)


def test_the_token_itself_is_not_printed(lake: LakeProcess) -> None:
    """What is printed says where it lies, and how to use it."""
    printed = (lake.data_dir.parent / "data.log").read_text()

    assert str(lake.data_dir / "token") in printed
    assert "AIRFLOW_CONN_LAKE_DEFAULT" in printed
    assert lake.token not in printed


def _ping(lake: LakeProcess, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{lake.url}/api/home/ping", headers=headers, timeout=30).status_code
