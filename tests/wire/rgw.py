"""A real S3 server for tests: Ceph's object gateway over a one-node cluster in memory, by any user, on loopback."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import boto3
from botocore.config import Config

PROGRAMS = ("ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
MISSING = [program for program in PROGRAMS if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is None]

_ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
_SECRET_KEY = "the secret of the tests"
_REGION = "us-east-1"
_STOP_SECONDS = 10
_CONFIGURATION = """
[global]
fsid = {cluster}
mon host = [v2:127.0.0.1:{mon_v2},v1:127.0.0.1:{mon_v1}]
public network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
# The gateway's default is an encrypted mode that waits for ever here.
ms mon client mode = crc
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 1073741824
mon allow pool size one = true
mon data avail crit = 1
admin socket = {folder}/$name.asok
log file = {folder}/$name.log
keyring = {folder}/keyring
mon data = {folder}/mon
osd data = {folder}/osd
rgw data = {folder}/rgw
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
"""


class RadosGateway:
    """An S3 server that lives as long as the block.

    :param folder: an empty one, for its files; the objects are in memory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._daemons: list[subprocess.Popen[bytes]] = []
        self.port, self._mon_v1, self._mon_v2 = _free_ports(3)

    def __enter__(self) -> Self:
        """Start it, and wait until it answers."""
        try:
            self._make_cluster()
            self.start_gateway()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop what was started."""
        self._stop()

    @property
    def environment(self) -> Mapping[str, str]:
        """What tells boto3 to use it."""
        return {
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": _SECRET_KEY,
            "AWS_DEFAULT_REGION": _REGION,
        }

    def client(self) -> Any:
        """Return a client of it, which waits until it answers."""
        return boto3.client(
            "s3",
            endpoint_url=self.environment["AWS_ENDPOINT_URL_S3"],
            aws_access_key_id=_ACCESS_KEY,
            aws_secret_access_key=_SECRET_KEY,
            region_name=_REGION,
            # Refused connections are tried again, with growing pauses.
            config=Config(signature_version="s3v4", retries={"mode": "standard", "total_max_attempts": 12}),
        )

    def new_bucket(self) -> str:
        """Create an empty bucket, and return its name."""
        name = f"bucket-{uuid4()}"
        self.client().create_bucket(Bucket=name)
        return name

    def start_gateway(self) -> None:
        """Start the gateway in front of the cluster, and wait until it answers."""
        self._gateway = self._start("radosgw", "-n", "client.rgw")
        self.client().list_buckets()

    def stop_gateway(self) -> None:
        """Stop the gateway; what was stored stays."""
        _end(self._gateway)

    def _make_cluster(self) -> None:
        for name in ("mon", "osd", "rgw"):
            (self._folder / name).mkdir()
        cluster, osd = str(uuid4()), str(uuid4())
        ports = {"port": self.port, "mon_v1": self._mon_v1, "mon_v2": self._mon_v2}
        configuration = _CONFIGURATION.format(cluster=cluster, folder=self._folder, **ports)
        (self._folder / "ceph.conf").write_text(configuration)
        keyring, monmap = str(self._folder / "keyring"), str(self._folder / "monmap")
        for number, name in enumerate(("mon.", "client.admin", "client.rgw")):
            create = ["--create-keyring"] if number == 0 else []
            allow = ["--cap", "mon", "allow *", "--cap", "osd", "allow *"]
            self._run("ceph-authtool", *create, keyring, "--gen-key", "-n", name, *allow)
        address = f"[v2:127.0.0.1:{self._mon_v2},v1:127.0.0.1:{self._mon_v1}]"
        self._run("monmaptool", "--create", "--addv", "a", address, "--fsid", cluster, monmap)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)
        self._start("ceph-mon", "-i", "a")
        self._run("ceph", "osd", "new", osd, "0")
        (self._folder / "osd" / "fsid").write_text(f"{osd}\n")
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._run("ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=test")
        self._start("ceph-osd", "-i", "0")
        keys = [f"--access-key={_ACCESS_KEY}", f"--secret-key={_SECRET_KEY}"]
        self._run("radosgw-admin", "user", "create", "--uid=test", "--display-name=test", *keys)

    def _run(self, *command: str) -> None:
        result = subprocess.run(self._command(command), capture_output=True, timeout=60, check=False)
        assert result.returncode == 0, f"{' '.join(command)}: {result.stderr.decode()}"

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        daemon = subprocess.Popen(
            [*self._command(command), "--foreground"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._daemons.append(daemon)
        return daemon

    def _command(self, command: tuple[str, ...]) -> list[str]:
        program = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin") or command[0]
        is_offline = command[0] in {"ceph-authtool", "monmaptool"}
        return [program, *([] if is_offline else ["-c", str(self._folder / "ceph.conf")]), *command[1:]]

    def _stop(self) -> None:
        for daemon in reversed(self._daemons):
            _end(daemon)


def _end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.send_signal(signal.SIGTERM)
    try:
        daemon.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
