"""Signed downloads from S3."""

import functools
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config

from airflow_provider_lake.server.blobs.s3 import DownloadSigner

BUCKET = "bucket-1"
LIFETIME = timedelta(hours=1)


@functools.cache
def _session(token: str | None) -> boto3.Session:
    """Return the session of some credentials; it reads the description of S3 once, which takes most of a test."""
    return boto3.Session("AKIAIOSFODNN7EXAMPLE", "se/cret+key", token, region_name="eu-west-3")


@pytest.mark.parametrize("style", ["path", "virtual"])
@pytest.mark.parametrize("token", [None, "a+token/of=a session"])
@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:9000", "https://s3.example/under"])
@pytest.mark.parametrize("key", ["a.jpg", "some/prefix/é ü+&=?%~.jpg", "a//b/(1)'!*.jpg"])
def test_a_url_is_the_one_that_boto3_signs(style: str, token: str | None, endpoint: str | None, key: str) -> None:
    """For any key, address and kind of credentials, at the same second."""
    session = _session(token)
    config = Config(signature_version="s3v4", s3={"addressing_style": style})  # type: ignore[arg-type,unused-ignore]  # one of them
    client: Any = session.client("s3", endpoint_url=endpoint, config=config)
    seconds = int(LIFETIME.total_seconds())
    signer = DownloadSigner(client, BUCKET, session.get_credentials(), LIFETIME)

    before = signer.sign(key)
    theirs = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=seconds)
    after = signer.sign(key)

    # A second may end between two of them, but hardly two.
    assert _parts(theirs) in (_parts(before), _parts(after))


def _parts(url: str) -> tuple[str, str, str, dict[str, list[str]]]:
    """Return a URL's scheme, host, path and parameters, whose order does not matter."""
    split = urlsplit(url)
    return split.scheme, split.netloc, split.path, parse_qs(split.query)
