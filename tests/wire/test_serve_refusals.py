"""`lake serve` refuses in one sentence what it cannot use, before it begins."""

from pathlib import Path

import pytest

from airflow_provider_lake.cli.main import main


def _refusal(capsys: pytest.CaptureFixture[str], tmp_path: Path, *arguments: str) -> str:
    assert main(["serve", "--port", "0", "--data-dir", str(tmp_path / "lake"), *arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith("lake serve: ")
    assert said.count("\n") == 1
    assert not (tmp_path / "lake").exists()
    return said


@pytest.mark.parametrize("content", [b"", b" \n", b"\xef\xbb\xbf\r\n", b"one\ntwo"])
def test_a_token_file_without_a_token(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody could sign in."""
    (tmp_path / "token").write_bytes(content)
    assert str(tmp_path / "token") in _refusal(capsys, tmp_path, "--token-file", str(tmp_path / "token"))


@pytest.mark.parametrize("token", ["", "  ", "é", "a\nb"])
def test_a_token_that_is_none(token: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same holds for one on the command line."""
    assert "the token" in _refusal(capsys, tmp_path, "--token", token)


@pytest.mark.parametrize(
    "url", ["", "lake.example.com", "ftp://lake", "https://", "https://lake?a=b", "https://la ke", "https://[::1"]
)
def test_a_public_url_that_is_none(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that the lake hands out would lead nowhere."""
    assert "--public-url" in _refusal(capsys, tmp_path, "--public-url", url)


@pytest.mark.parametrize(
    ("cert", "key", "reason"),
    [
        (b"", b"x", "cert.pem is empty"),
        (b"x", b"\n", "key.pem is empty"),
        (None, b"x", "cert.pem cannot be read"),
        (b"no certificate", b"no key", "a certificate and its key in PEM"),
    ],
)
def test_a_certificate_that_is_none(
    cert: bytes | None, key: bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file that is wrong is named."""
    if cert is not None:
        (tmp_path / "cert.pem").write_bytes(cert)
    (tmp_path / "key.pem").write_bytes(key)
    files = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    assert reason in _refusal(capsys, tmp_path, *files)


@pytest.mark.parametrize("url", ["s3://", "s3:///prefix", "s3:/bucket", "https://bucket", "s3://bucket?a/b"])
def test_a_storage_that_is_none(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it must look like is said."""
    main(["serve", "--port", "0", "--data-dir", str(tmp_path / "lake"), "--storage", url])
    assert "it must be s3://BUCKET or s3://BUCKET/PREFIX" in capsys.readouterr().err
