"""`lake serve` as its user sees it."""

import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from airflow_provider_lake.cli.main import main
from tests.lake_process import STOP_SECONDS, LakeProcess
from tests.ordinary_user import ordinary_user
from tests.wire.job_calls import finished, launch, photo, register
from tests.wire.lake_api import LakeApi

UPLOAD_BYTES = 3_000_000

COMMAND = [sys.executable, "-m", "airflow_provider_lake.cli", "serve"]


# A program that asks for its own job.
ASK = """
import os, urllib.request
url = os.environ["host"] + "/api/v2/job/" + os.environ["job_id"]
headers = {"Authorization": "Bearer " + os.environ["api_token"]}
urllib.request.urlopen(urllib.request.Request(url, headers=headers)).read()
"""


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Make a certificate of this machine that nobody else vouches for, and return its file and its key's."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lake"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(cert), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return cert, key


def _fail_to_serve(*arguments: str) -> str:
    """Run the command, which must fail, and return the one line that it says."""
    result = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=300, check=False)
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


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "a token of 16 characters or more by --token-file or --token"),
        (["--token", "short"], "a token of 16 characters or more"),
        (["--token", "x" * 16], "--tls-cert and --tls-key, or --insecure"),
        (["--token-file", "no such file"], "no such file"),
        (["--tls-cert", "cert.pem"], "--tls-cert and --tls-key go together"),
    ],
)
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - what is refused
def test_a_public_address_wants_a_token_and_tls(arguments: list[str], named: str, host: str, tmp_path: Path) -> None:
    """What is missing stands in the one line, and nothing listens."""
    assert named in _fail_to_serve("--port", "0", "--data-dir", str(tmp_path / "lake"), "--host", host, *arguments)
    assert not (tmp_path / "lake").exists()


def test_a_public_address_is_served_where_all_is_given(tmp_path: Path) -> None:
    """With a token in a file, behind a proxy that ends TLS; the URLs that it hands out are the proxy's."""
    (tmp_path / "token").write_text("a token long enough\n")
    given = ("--host", "0.0.0.0", "--insecure", "--token-file", str(tmp_path / "token"))  # noqa: S104 - as said
    with LakeProcess(tmp_path / "data", *given, "--public-url", "https://lake.example.com/") as lake:
        lake.url = f"http://127.0.0.1:{lake.port}"
        api = LakeApi(lake, "a token long enough")

        assert api.presign("a.jpg")["url"] == "https://lake.example.com/storage/form"


@pytest.mark.quick
def test_tls_is_served(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    """Who trusts the certificate is served, programs of processings too; plain HTTP is not spoken there."""
    cert, key = certificate
    trusting = {"REQUESTS_CA_BUNDLE": str(cert), "SSL_CERT_FILE": str(cert)}
    tls = ("--tls-cert", str(cert), "--tls-key", str(key))
    with LakeProcess(tmp_path / "data", *tls, environment=trusting) as lake:
        api = LakeApi(lake, certificate=cert)
        register(lake, "asks", sys.executable, "-c", ASK)
        name = api.upload("a.jpg", photo())
        job = finished(api, launch(api, "asks", [api.register("a.jpg", name).json()["id"]]))

        assert lake.url.startswith("https://")
        assert job["status"] == "SUCCEEDED", job
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{lake.url}/api/home/ping", timeout=30)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{lake.port}/api/home/ping", timeout=30)


def test_a_wrong_certificate_is_named_in_one_line(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    """A key that is not its own, and a file that is none."""
    _, key = certificate
    (tmp_path / "empty.pem").touch()
    lake = ("--port", "0", "--data-dir", str(tmp_path / "lake"))

    assert "empty.pem" in _fail_to_serve(*lake, "--tls-cert", str(tmp_path / "empty.pem"), "--tls-key", str(key))
    assert "gone.pem" in _fail_to_serve(*lake, "--tls-cert", str(tmp_path / "gone.pem"), "--tls-key", str(key))


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


def test_what_keeps_a_lake_from_its_folder_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A token file that cannot be read, a database of a newer lake, a database that is none."""
    with LakeProcess(tmp_path / "data") as lake:
        folder = ["--data-dir", str(lake.data_dir)]
    (lake.data_dir / "token").rename(lake.data_dir / "kept")
    (lake.data_dir / "token").mkdir()
    unreadable = _fail_to_serve(*folder)
    (lake.data_dir / "token").rmdir()
    (lake.data_dir / "kept").rename(lake.data_dir / "token")
    with closing(sqlite3.connect(lake.data_dir / "lake.db", isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    newer = _fail_to_serve(*folder)

    assert "cannot read the token" in unreadable
    assert "9999" in newer
    for url in ("no URL", "postgresql+psycopg://127.0.0.1:1/none"):
        assert main(["processing", "list", *folder, "--database", url]) == 1
        said = capsys.readouterr().err
        assert (said.count("\n"), "cannot use the database" in said) == (1, True), said


def test_words_of_a_command_that_are_no_file_names_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """However long; an empty one does not become the folder."""
    long = "x" * 300
    with LakeProcess(tmp_path / "data") as lake:
        place = ["--data-dir", str(lake.data_dir)]

    assert main(["processing", "register", *place, "words", "--", "echo", "", long]) == 0
    assert capsys.readouterr().out == f"processing 'words' runs echo '' {long}\n"


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
