"""What do deferred waits cost a triggerer? Ours beside the dbt Cloud provider's, in one run.

    python benchmarks/waits.py [--waits 10000] [--poll-interval 10] [--seconds 60] [--peer-python DBT/bin/python]

Each contender is a process of its own that runs its triggers in one event loop, as a triggerer does, against nginx with
canned answers on loopback: jobs that go on for ever. Printed are the share of a core that the process takes, how late
the event loop comes (it is asked to wake every 10 ms), and the polls: how many nginx saw, and how many of them came
within a tenth of the interval after they were due. The peer is run by an interpreter whose environment has
apache-airflow and apache-airflow-providers-dbt-cloud; it speaks HTTP here instead of HTTPS, which is in its favour.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
TICK_SECONDS = 0.01
START_SECONDS = 30
# The peer loads much with its first poll.
WARM_UP_SECONDS = 25.0
# Of the interval: how much later than that a poll may come and count as in time.
TOLERANCE = 0.1
CONFIGURATION = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  log_format polls '$msec $uri';
  access_log {folder}/polls.log polls buffer=64k flush=1s;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  keepalive_requests 100000000; default_type application/json;
  server {{
    listen 127.0.0.1:{port} backlog=8192;
    location ~ ^/api/v2/job/(.*)$ {{
      return 200 '{{"id":"$1","status":"RUNNING","type":"PROCESSING","progress":null,"error":null}}';
    }}
    location /api/v2/accounts/ {{ return 200 '{{"data":{{"id":1,"status":3}}}}'; }}
  }}
}}
"""


def main() -> None:
    """Run every contender, and print what each costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waits", type=int, default=10_000)
    parser.add_argument("--poll-interval", type=float, default=10.0, help="seconds")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to measure, after a warm-up")
    parser.add_argument("--peer-python", help="interpreter with apache-airflow-providers-dbt-cloud")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        wait = CONTENDERS[options.contender]
        print(json.dumps(asyncio.run(measure(wait, options))))
        return
    if options.peer_python and shutil.which(options.peer_python) is None:
        sys.exit(f"no such interpreter: {options.peer_python}")
    print(f"{options.waits} waits, one poll per {options.poll_interval:g} s each, {options.seconds:g} s")
    print(f"{'':12} {'core':>7} {'loop p50':>10} {'loop p99':>10} {'polls/s':>9} {'in time':>8}")
    for name in CONTENDERS:
        python = sys.executable if name == "lake" else options.peer_python
        if python:
            print_row(name, run_contender(name, python, options))


def run_contender(name: str, python: str, options: argparse.Namespace) -> dict[str, float]:
    """Run one contender in a process of its own, against a server of its own."""
    with nginx() as (port, log), tempfile.TemporaryDirectory() as home:
        connections = {
            "AIRFLOW_CONN_LAKE_DEFAULT": {
                "conn_type": "lake",
                "host": f"http://127.0.0.1:{port}",
                "password": "token",
                "extra": {"organization_id": "00000000-0000-4000-8000-000000000000"},
            },
            "AIRFLOW_CONN_DBT_CLOUD_DEFAULT": {
                "conn_type": "dbt_cloud",
                "host": f"127.0.0.1:{port}",
                "login": "1",
                "password": "token",
            },
        }
        environment = os.environ | {key: json.dumps(value) for key, value in connections.items()}
        environment |= {"AIRFLOW_HOME": home, "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING"}
        command = [python, __file__, "--contender", name, "--waits", str(options.waits)]
        command += ["--poll-interval", str(options.poll_interval), "--seconds", str(options.seconds)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{name} failed:\n{done.stderr[-3000:]}")
        measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        time.sleep(2)  # nginx writes its log once a second
        return measured | count_polls(log, measured["from"], measured["to"], options.poll_interval)


async def measure(wait: Any, options: argparse.Namespace) -> dict[str, float]:
    """Run the triggers, and measure once all have settled at their interval."""
    tasks = [asyncio.create_task(wait(number, options.poll_interval)) for number in range(options.waits)]
    await asyncio.sleep(max(WARM_UP_SECONDS, 2 * options.poll_interval))
    late: list[float] = []
    begin, used = time.time(), time.process_time()
    while time.time() < begin + options.seconds:
        asked = time.perf_counter()
        await asyncio.sleep(TICK_SECONDS)
        late.append(time.perf_counter() - asked - TICK_SECONDS)
    end, used = time.time(), time.process_time() - used
    broken = [task.exception() for task in tasks if task.done()]
    if broken:
        raise RuntimeError(f"{len(broken)} waits ended, the first with {broken[0]!r}")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    late.sort()
    return {
        "core": used / (end - begin),
        "p50": late[len(late) // 2],
        "p99": late[len(late) * 99 // 100],
        "from": begin,
        "to": end,
    }


def wait_for_lake(number: int, poll_interval: float) -> Coroutine[Any, Any, Any]:
    """Wait as our trigger does, for a job that was started an hour ago."""
    module = import_module("airflow_provider_lake.triggers.job")
    job_id = f"00000000-0000-4000-8000-{number:012d}"
    return _first(module.JobTrigger(job_id=job_id, poll_interval=poll_interval, since=time.time() - 3600))


def wait_for_dbt(number: int, poll_interval: float) -> Coroutine[Any, Any, Any]:
    """Wait as the trigger of the dbt Cloud provider does."""
    hook = import_module("airflow.providers.dbt.cloud.hooks.dbt").DbtCloudHook
    if not hasattr(hook, "is_plain"):
        hook.is_plain = True
        hook.get_request_url_params = staticmethod(_plain(hook.get_request_url_params))
    module = import_module("airflow.providers.dbt.cloud.triggers.dbt")
    return _first(
        module.DbtCloudRunJobTrigger(
            conn_id="dbt_cloud_default",
            run_id=number + 1,
            end_time=time.time() + 86400,
            account_id=1,
            poll_interval=poll_interval,
        )
    )


def _plain(get_request_url_params: Any) -> Any:
    """Make the peer's hook speak HTTP."""

    def plain(*arguments: Any, **named: Any) -> Any:
        url, params = get_request_url_params(*arguments, **named)
        return url.replace("https://", "http://"), params

    return plain


async def _first(trigger: Any) -> Any:
    return await anext(trigger.run())


CONTENDERS = {"lake": wait_for_lake, "dbt-cloud": wait_for_dbt}


@contextmanager
def nginx() -> Iterator[tuple[int, Path]]:
    """Serve canned answers on a free port; yield it and the log of what was asked."""
    if NGINX is None:
        sys.exit("this benchmark needs nginx; Debian: apt-get install nginx-light")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port))
        process = subprocess.Popen([NGINX, "-c", str(folder / "nginx.conf"), "-p", name])
        try:
            _await_port(port)
            yield port, folder / "polls.log"
        finally:
            process.terminate()
            process.wait()


def _await_port(port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nginx did not come up on port {port}")


def count_polls(log: Path, begin: float, end: float, poll_interval: float) -> dict[str, float]:
    """Return the polls per second that nginx saw while it was measured, and the share of them that came in time."""
    moments: dict[str, list[float]] = defaultdict(list)
    with log.open() as lines:
        for line in lines:
            moment, _, job = line.partition(" ")
            if begin <= float(moment) <= end:
                moments[job].append(float(moment))
    gaps = [after - before for each in moments.values() for before, after in pairwise(each)]
    in_time = sum(1 for gap in gaps if gap <= poll_interval * (1 + TOLERANCE))
    return {
        "polls": sum(map(len, moments.values())) / (end - begin),
        "in_time": in_time / len(gaps) if gaps else 0.0,
    }


def print_row(name: str, measured: dict[str, float]) -> None:
    """Print what one contender costs."""
    print(
        f"{name:12} {measured['core']:>7.1%} {measured['p50'] * 1000:>7.1f} ms {measured['p99'] * 1000:>7.1f} ms"
        f" {measured['polls']:>9.0f} {measured['in_time']:>8.1%}",
        flush=True,
    )


if __name__ == "__main__":
    main()
