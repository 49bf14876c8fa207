"""Calls about jobs that several tests make."""

import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image
from requests import Response
from sqlalchemy import select

from airflow_provider_lake.server.bootstrap import ORGANIZATION
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.store.database import Database
from airflow_provider_lake.server.store.queries import processings
from airflow_provider_lake.server.store.tables import Organization
from tests.lake_process import LakeProcess
from tests.wire.lake_api import LakeApi

FINAL = {"SUCCEEDED", "FAILED", "KILLED"}
WAIT_SECONDS = 60

T = TypeVar("T")


def wait_for(probe: Callable[[], T | None]) -> T:
    """Return what a probe finds, as soon as it finds something; a lake pushes nothing, so it is asked."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"nothing found in {WAIT_SECONDS} s")


def get_job(api: LakeApi, job_id: str) -> dict[str, Any]:
    """Ask for a job."""
    job: dict[str, Any] = api.get(f"/api/v2/job/{job_id}").json()
    return job


def finished(api: LakeApi, job_id: str) -> dict[str, Any]:
    """Return a job once it has ended."""

    def ended() -> dict[str, Any] | None:
        job = get_job(api, job_id)
        return job if job["status"] in FINAL else None

    return wait_for(ended)


def is_alive(pid: int) -> bool:
    """Whether a process still does anything: one that only waits to be taken note of does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def log_lines(api: LakeApi, job_id: str, limit: int = 1000) -> list[str]:
    """Return the lines of a job's log."""
    items = api.get(f"/api/v2/job/{job_id}/logs", params={"limit": limit}).json()["items"]
    return [item["line"] for item in items]


def wait_for_line(api: LakeApi, job_id: str, beginning: str) -> str:
    """Return the rest of the first line of a job's log that begins so."""

    def found() -> str | None:
        lines = [line for line in log_lines(api, job_id) if line.startswith(beginning)]
        return lines[0].removeprefix(beginning).strip() or "-" if lines else None

    return wait_for(found)


def photo(width: int = 8, height: int = 6, exif: Image.Exif | None = None) -> bytes:
    """Make a JPEG."""
    file = BytesIO()
    Image.new("RGB", (width, height)).save(file, "JPEG", exif=exif or Image.Exif())
    return file.getvalue()


def new_data(api: LakeApi, count: int = 1) -> list[str]:
    """Upload photos, and return the ids of their data."""
    return [api.register("a.jpg", api.upload("a.jpg", photo())).json()["id"] for _ in range(count)]


def register(lake: LakeProcess, name: str, *command: str) -> None:
    """Register a command as a processing, beside the running lake."""
    settings = Settings(lake.data_dir, lake.database_url)
    database = Database(settings.sqlalchemy_url)
    with database.writing() as session:
        of_owner = select(Organization.id).where(Organization.name == ORGANIZATION)
        organization_id = session.scalars(of_owner).one()
        processings.register(session, organization_id, name, command)
    database.close()


def launch(api: LakeApi, name: str, data_ids: list[str], parameters: dict[str, Any] | None = None) -> str:
    """Launch a processing, and return the id of its job."""
    answer = try_launch(api, name, data_ids, parameters)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def try_launch(
    api: LakeApi,
    name: str,
    data_ids: list[str],
    parameters: dict[str, Any] | None = None,
    key: str | None = None,
) -> Response:
    """Launch a processing, and return the answer.

    :param key: of the request and its repetitions.
    """
    found = api.get(f"/api/organization/{api.organization}/processings/find", params={"name": name}).json()
    body = {
        "processing_id": found["id"],
        "parameters": parameters,
        "data_ids": data_ids,
        "cpu": 1,
        "gpu": 0,
        "inputs": {},
    }
    headers = {} if key is None else {"Idempotency-Key": key}
    return api.post(f"/api/datalake/{api.datalake}/processing/launch", body, headers=headers)
