"""A bucket that tasks write to, in an S3 server that is enough for that."""

import json
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import boto3

NAME = "archive"


@contextmanager
def archive() -> Iterator[tuple[Any, str]]:
    """Run the server; give the bucket, and an Airflow connection to it."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        lines = iter(process.stderr or ())
        url = next(line.split(" on ")[1].split()[0] for line in lines if " on http" in line)
        # What it logs is read on, or it would stop when the pipe is full.
        Thread(target=deque, args=(lines, 0), daemon=True).start()
        connection = {"conn_type": "aws", "login": "key", "password": "secret", "extra": {"endpoint_url": url}}
        resource = boto3.resource(
            "s3", endpoint_url=url, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
        )
        yield resource.create_bucket(Bucket=NAME), json.dumps(connection)
    finally:
        process.terminate()
        process.wait(30)
