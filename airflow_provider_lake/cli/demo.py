"""`lake demo`: upload photos through Airflow into an embedded lake, all on this machine."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.engine import URL

from airflow_provider_lake.cli.errors import CommandError
from airflow_provider_lake.cli.server_extra import require_server

DAG_ID = "example_lake_ingestion"
TAG = "lake-demo"
PREFIX = "cameras/"
SAMPLE_UPLOADS = 18
SAMPLE_OBJECTS = 12
STOP_SECONDS = 20


def run_demo(photos: Path | None, home: Path) -> int:
    """Run the example DAG on an embedded lake of its own, and print the uploaded data.

    :param photos: folder of the photos to upload; None: sample photos are generated.
    :param home: folder of the demo; its lake is created anew each time, Airflow's setup is kept.
    :return: exit code: 0 if every task succeeded and nothing failed.
    :raises CommandError: the folder does not exist or would be deleted by the demo, a dependency is missing, or the
        lake does not start.
    """
    from airflow_provider_lake.cli.sample_photos import make_photos

    started = time.monotonic()
    home = home.resolve()
    _check_arguments(photos, home / "lake")
    shutil.rmtree(home / "lake", ignore_errors=True)
    console = Console(highlight=False)
    show = partial(console.print, markup=False, soft_wrap=True)  # print folder names without markup or line breaks
    if photos is None:
        photos = home / "photos"
        shutil.rmtree(photos, ignore_errors=True)
        make_photos(photos, SAMPLE_UPLOADS)
        show(f"made {SAMPLE_UPLOADS} photos in {_short(photos)}")
    make_photos(home / "lake" / "objects" / PREFIX, SAMPLE_OBJECTS, seed=2)
    show(f"put {SAMPLE_OBJECTS} photos into the lake's bucket, below {PREFIX}")
    with _running_lake(home / "lake") as url:
        show(f"lake ready on {url}; running the DAG {DAG_ID} in Airflow (log: {_short(home / 'airflow.log')})")
        outcome = _run_dag(home, url, {"folder": str(photos.resolve()), "prefix": PREFIX, "tags": [TAG]})
    console.print(_task_table(outcome["tasks"]))
    if outcome["state"] != "success":
        show(f"the DAG run ended as {outcome['state']}; see {_short(home / 'airflow.log')}", style="bold red")
        return 1
    console.print(_lake_table(outcome["report"], time.monotonic() - started))
    return 0 if outcome["report"]["failed"] == 0 else 1


def _check_arguments(photos: Path | None, lake: Path) -> None:
    if photos is not None and not photos.is_dir():
        raise CommandError(f"no such folder: {photos}")
    if photos is not None and not os.access(photos, os.R_OK | os.X_OK):
        raise CommandError(f"{photos} cannot be read: permission denied")
    if photos is not None and not any(files for _folder, _folders, files in os.walk(photos)):
        raise CommandError(f"there is no file in {photos}")
    if photos is not None and photos.resolve().is_relative_to(lake):
        raise CommandError(f"{photos} lies in the lake of an earlier demo, which this one would make anew")
    require_server()


@contextmanager
def _running_lake(data_dir: Path) -> Iterator[str]:
    """Run a lake within the block; yield its URL."""
    command = [sys.executable, "-m", "airflow_provider_lake.cli", "serve", "--port", "0", "--data-dir", str(data_dir)]
    with (data_dir.parent / "lake.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line.startswith("lake ready on "):
            raise CommandError(f"the lake did not start; see {_short(data_dir.parent / 'lake.log')}")
        yield line.removeprefix("lake ready on ").strip()
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _run_dag(home: Path, url: str, conf: Mapping[str, Any]) -> dict[str, Any]:
    """Run the example DAG to its end in an Airflow with its own home folder; return the report of `run_dag`."""
    connection = {"conn_type": "lake", "host": url, "password": (home / "lake" / "token").read_text().strip()}
    airflow_home = home / f"airflow-{version('apache-airflow')}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")} | {
        "AIRFLOW_HOME": str(airflow_home),
        "AIRFLOW_CONN_LAKE_DEFAULT": json.dumps(connection),
        "AIRFLOW__CORE__DAGS_FOLDER": str(example_dags()),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": URL.create(
            "sqlite", database=str(airflow_home / "airflow.db")
        ).render_as_string(),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    outcome = home / "outcome.json"
    outcome.unlink(missing_ok=True)
    migrated = airflow_home / "migrated"
    with (home / "airflow.log").open("wb") as log:

        def run(*command: str) -> None:
            code = subprocess.run(
                [sys.executable, "-m", *command], env=environment, stdout=log, stderr=log, check=False
            ).returncode
            if code:
                raise CommandError(f"{command[0]} ended with exit code {code}; see {_short(home / 'airflow.log')}")

        if not migrated.exists():
            run("airflow", "db", "migrate")
            migrated.touch()
        run("airflow_provider_lake.cli.run_dag", str(example_dags() / f"{DAG_ID}.py"), json.dumps(conf), str(outcome))
    result: dict[str, Any] = json.loads(outcome.read_text())
    return result


def example_dags() -> Path:
    """Return the folder of the example DAGs: beside the package in a checkout, inside it in an installation."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "example_dags"
    return inside if inside.is_dir() else package.parent / "example_dags"


def _task_table(tasks: list[dict[str, Any]]) -> Table:
    table = Table(title="Tasks", title_justify="left")
    for heading, justify in (("task", "left"), ("state", "left"), ("seconds", "right")):
        table.add_column(heading, justify="right" if justify == "right" else "left")
    for task in tasks:
        name = task["task_id"] if task["name"] is None else f"{task['task_id']} [{task['name']}]"
        seconds = "" if task["seconds"] is None else f"{task['seconds']:.1f}"
        table.add_row(
            escape(name), task["state"] or "not run", seconds, style="" if task["state"] == "success" else "red"
        )
    return table


def _lake_table(report: Mapping[str, Any], seconds: float) -> Table:
    table = Table(title="What the lake now holds", title_justify="left", show_footer=True)
    table.add_column("", footer="everything, from an empty folder to here")
    table.add_column("count", justify="right", footer=f"{seconds:.1f} s")
    for row in ("uploaded", "imported", "failed", "with_metadata"):
        table.add_row(row.replace("_", " "), str(report[row]), style="red" if row == "failed" and report[row] else "")
    for kind in ("sources", "tags"):
        table.add_section()
        for name, count in sorted(report[kind].items()):
            table.add_row(escape(f"{kind.removesuffix('s')} {name}"), str(count))
    return table


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
