"""A real Airflow for tests: scheduler, dag-processor, triggerer and API server as processes, driven by REST."""

import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import requests

# Names the interpreter of another Airflow than the one that runs the tests; `dev.py versions` sets it.
PYTHON_VARIABLE = "LAKE_TEST_AIRFLOW_PYTHON"
COMPONENTS = ("scheduler", "api-server", "dag-processor", "triggerer")
START_SECONDS = 180
# Longer than any of its processes waits for the lock of its database.
CALL_SECONDS = 150
CALL_TRIES = 10
RUN_SECONDS = 300
# Nothing of it is needed any more: what does not end soon is killed.
STOP_SECONDS = 5
POLL_SECONDS = 0.2


class AirflowStack:
    """Airflow on SQLite with the LocalExecutor, all in one folder and on loopback.

    :param home: folder of its database and logs.
    :param dags: folder of its DAGs.
    :param environment: more environment variables of its processes, such as connections.
    """

    def __init__(self, home: Path, dags: Path, environment: dict[str, str]) -> None:
        self.home = home
        self.python = os.environ.get(PYTHON_VARIABLE, sys.executable)
        self.url = f"http://127.0.0.1:{_free_port()}"
        self.environment = _environment(home, dags, self.url) | environment
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.http = requests.Session()

    def __enter__(self) -> Self:
        """Migrate the database, start every component, and wait until all are healthy."""
        self.home.mkdir(parents=True, exist_ok=True)
        try:
            self._start("db-migrate", "db", "migrate").wait(START_SECONDS)
            self._let_readers_be()
            for component in COMPONENTS:
                self.processes[component] = self._start(component, component)
            self._await("every component is healthy", self._is_healthy, START_SECONDS)
            # With SimpleAuthManager and everybody an admin, the token needs no password.
            token = self.http.get(f"{self.url}/auth/token", timeout=30).json()["access_token"]
            self.http.headers["Authorization"] = f"Bearer {token}"
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop every component and its children."""
        for process in self.processes.values():
            _signal_group(process, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()

    def run_dag(self, dag_id: str, conf: dict[str, Any] | None = None) -> dict[str, Any]:
        """Trigger a DAG and wait for its run to end; return the run."""
        return self.await_end(self.start_dag(dag_id, conf))

    def start_dag(self, dag_id: str, conf: dict[str, Any] | None = None) -> dict[str, Any]:
        """Trigger a DAG; return the run."""
        self._await(f"DAG {dag_id} is parsed", lambda: self._knows(dag_id), START_SECONDS)
        return self.call("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf or {}})

    def scheduled_run(self, dag_id: str) -> dict[str, Any]:
        """Unpause a DAG and wait for the run to end that its schedule starts; return the run."""
        self._await(f"DAG {dag_id} is parsed", lambda: self._knows(dag_id), START_SECONDS)
        self.call("PATCH", f"/dags/{dag_id}?update_mask=is_paused", {"is_paused": False})
        path = f"/dags/{dag_id}/dagRuns"
        self._await(f"{dag_id} is scheduled", lambda: bool(self.call("GET", path)["dag_runs"]), START_SECONDS)
        return self.await_end(self.call("GET", path)["dag_runs"][0])

    def await_end(self, run: dict[str, Any], seconds: float = RUN_SECONDS) -> dict[str, Any]:
        """Wait for a run to end, so long at most; return it as it is then."""
        path = _path(run)
        self._await(f"{path} ends", lambda: self.call("GET", path)["state"] in {"success", "failed"}, seconds)
        return self.call("GET", path)

    def await_task(self, run: dict[str, Any], task_id: str, *states: str, try_number: int = 1) -> dict[str, Any]:
        """Wait for a task to be in one of the states, at its given try or a later one; return its instance."""

        def find() -> dict[str, Any]:
            return self.call("GET", f"{_path(run)}/taskInstances/{task_id}")

        self._await(
            f"{task_id} is {' or '.join(states)} at try {try_number}",
            lambda: (task := find())["state"] in states and task["try_number"] >= try_number,
            RUN_SECONDS,
        )
        return find()

    def await_all(self, run: dict[str, Any], task_id: str, state: str, count: int, seconds: float) -> None:
        """Wait for as many instances of a mapped task to be in a state, so long at most."""
        path = f"{_path(run)}/taskInstances?task_id={task_id}&state={state}&limit=1"
        self._await(
            f"{count} of {task_id} are {state}", lambda: self.call("GET", path)["total_entries"] == count, seconds
        )

    def mark_failed(self, run: dict[str, Any], task_id: str) -> None:
        """Mark a task as failed, as somebody does in the browser."""
        self.call("PATCH", f"{_path(run)}/taskInstances/{task_id}", {"new_state": "failed"})

    def clear(self, run: dict[str, Any], task_id: str) -> None:
        """Clear a task, as somebody does in the browser."""
        body = {
            "dag_run_id": run["dag_run_id"],
            "task_ids": [task_id],
            "dry_run": False,
            "only_failed": False,
            "reset_dag_runs": True,
        }
        self.call("POST", f"/dags/{run['dag_id']}/clearTaskInstances", body)

    def kill(self, component: str) -> None:
        """Kill a component and its children, so that it can do nothing about it."""
        _signal_group(self.processes[component], signal.SIGKILL)
        self.processes[component].wait()

    def restart(self, component: str) -> None:
        """Start a component that was killed."""
        self.processes[component] = self._start(component, component)

    @cached_property
    def version(self) -> tuple[int, ...]:
        """Version of this Airflow, such as (3, 3, 2)."""
        return tuple(int(part) for part in self.call("GET", "/version")["version"].split(".")[:3])

    def tasks(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        """List the task instances of a run."""
        found: list[dict[str, Any]] = []
        while True:
            # Airflow gives a hundred at a time.
            page = self.call("GET", f"{_path(run)}/taskInstances?limit=100&offset={len(found)}")
            found += page["task_instances"]
            if len(found) >= page["total_entries"] or not page["task_instances"]:
                return found

    def result(self, run: dict[str, Any], task_id: str, map_index: int = -1) -> Any:
        """Read what a task returned."""
        path = f"{_path(run)}/taskInstances/{task_id}/xcomEntries/return_value?map_index={map_index}"
        return self.call("GET", path)["value"]

    def log(self, run: dict[str, Any], task_id: str, try_number: int = 1, map_index: int = -1) -> str:
        """Read a task's log, and its trigger's."""
        path = f"{_path(run)}/taskInstances/{task_id}/logs/{try_number}?full_content=true&map_index={map_index}"
        content = self.call("GET", path)["content"]
        return "\n".join(line if isinstance(line, str) else json.dumps(line) for line in content)

    def await_log(self, run: dict[str, Any], task_id: str, words: str, try_number: int = 1) -> None:
        """Wait until a task's log says something."""
        self._await(f"{task_id} says {words!r}", lambda: words in self.log(run, task_id, try_number), RUN_SECONDS)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call Airflow's REST API."""
        for _ in range(CALL_TRIES):
            response = self.http.request(method, f"{self.url}/api/v2{path}", json=body, timeout=CALL_SECONDS)
            # SQLite refuses at once to write what was read before somebody else wrote; nothing was done then.
            if response.status_code != requests.codes.server_error or "Database error" not in response.text:
                break
            time.sleep(POLL_SECONDS)
        if not response.ok:
            raise AssertionError(f"{method} {path}: {response.status_code} {response.text[:500]}")
        answer: dict[str, Any] = response.json()
        return answer

    def _let_readers_be(self) -> None:
        """Let its database's readers and its writer not wait for each other: four components share one file."""
        with closing(sqlite3.connect(self.home / "airflow.db")) as database:
            database.execute("PRAGMA journal_mode=WAL")

    def _start(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self.home / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [self.python, "-m", "airflow", *arguments],
                env=self.environment,
                cwd=self.home,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _is_healthy(self) -> bool:
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise AssertionError(f"{name} died:\n{(self.home / f'{name}.log').read_text()[-4000:]}")
        try:
            health = self.call("GET", "/monitor/health")
        except requests.ConnectionError:
            return False
        return all(health[name]["status"] == "healthy" for name in ("scheduler", "dag_processor", "triggerer"))

    def _knows(self, dag_id: str) -> bool:
        found: list[dict[str, Any]] = self.call("GET", f"/dags?dag_id_pattern={dag_id}")["dags"]
        return bool(found)

    def _await(self, what: str, happened: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}")
            time.sleep(POLL_SECONDS)


def _path(run: dict[str, Any]) -> str:
    return f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}"


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def _signal_group(process: "subprocess.Popen[bytes]", number: int) -> None:
    with suppress(ProcessLookupError):  # it may have ended by itself
        os.killpg(process.pid, number)


def _environment(home: Path, dags: Path, url: str) -> dict[str, str]:
    settings = {
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__DAGS_FOLDER": str(dags),
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__PARALLELISM": "4",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db?timeout=60",
        "API__BASE_URL": url,
        "API__HOST": "127.0.0.1",
        "API__PORT": url.rsplit(":", 1)[1],
        "API__SECRET_KEY": secrets.token_hex(16),
        "API__WORKERS": "1",
        "API_AUTH__JWT_ISSUER": "airflow",
        "API_AUTH__JWT_SECRET": secrets.token_hex(32),
        # No DAG changes while the tests run. But what an asset watches counts from the second time that it is parsed.
        "CORE__DAGBAG_IMPORT_TIMEOUT": "120",
        "DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "150",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        # Else two stacks on one machine clash.
        "LOGGING__TRIGGER_LOG_SERVER_PORT": str(_free_port()),
        "LOGGING__WORKER_LOG_SERVER_PORT": str(_free_port()),
        "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        # How soon the tasks of a dead scheduler are taken over.
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
        "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        # How soon a task hears that it was marked, and the triggers of a dead triggerer are taken over.
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
        "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
        "TRIGGERER__JOB_HEARTBEAT_SEC": "1",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
        # So long may a process outlive the task that it ran.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return kept | {"AIRFLOW_HOME": str(home)} | {f"AIRFLOW__{name}": value for name, value in settings.items()}
