"""What tokens open, and who guesses them."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from fastapi.routing import APIRoute
from sqlalchemy import select

from airflow_provider_lake.server.bootstrap import open_lake
from airflow_provider_lake.server.http.app import create_app
from airflow_provider_lake.server.http.auth.failed_logins import MAX_FAILED_LOGINS
from airflow_provider_lake.server.http.auth.job_tokens import ALLOWED
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.store.database import Database
from airflow_provider_lake.server.store.queries.tokens import digest_of
from airflow_provider_lake.server.store.tables import Connector, Data, Datalake, Tag
from airflow_provider_lake.server.work.background import LocalBackground
from tests.lake_process import LakeProcess
from tests.wire.job_calls import launch, new_data, photo, register, wait_for_line
from tests.wire.lake_api import LakeApi

SHOW_TOKEN = "import os, time\nprint('token', os.environ['api_token'], flush=True)\ntime.sleep(600)"


@pytest.fixture
def job(lake: LakeProcess, api: LakeApi) -> Iterator[tuple[str, LakeApi]]:
    """Run a program; return its job's id, and what calls the lake with the job's own token."""
    name = f"program {uuid4()}"
    register(lake, name, sys.executable, "-c", SHOW_TOKEN)
    job_id = launch(api, name, new_data(api))
    yield job_id, LakeApi(lake, wait_for_line(api, job_id, "token"))
    api.http.post(f"{lake.url}/api/v2/job/{job_id}/kill", timeout=30)


def _other_datalake(lake: LakeProcess, object_name: str) -> dict[str, str]:
    """Add a datalake to the owner's organization, with a data of an object, and a tag."""
    database = Database(Settings(lake.data_dir).sqlalchemy_url)
    with database.writing() as session:
        connector = session.scalars(select(Connector)).one()
        other = Datalake(organization_id=connector.organization_id, connector_id=connector.id, name=str(uuid4()))
        session.add(other)
        session.flush()
        given = {"filename": "o.jpg", "type": "IMAGE", "content_type": "image/jpeg", "upload_status": "DONE"}
        data, tag = Data(datalake_id=other.id, object_name=object_name, **given), Tag(datalake_id=other.id, name="t")
        session.add_all([data, tag])
        session.flush()
        ids = {"datalake": str(other.id), "data": str(data.id), "tag": str(tag.id)}
    database.close()
    return ids


def test_a_jobs_token_works_in_its_own_datalake(job: tuple[str, LakeApi]) -> None:
    """It uploads, tags and lists data there, and logs for its own job."""
    job_id, program = job
    data_id = program.register("made.jpg", program.upload("made.jpg", photo())).json()["id"]
    tag = program.post(f"/api/datalake/{program.datalake}/tags", {"name": f"made {uuid4()}"}).json()["id"]

    answers = [
        program.post(f"/api/tag/{tag}/attach", [data_id]),
        program.get(f"/api/data/{data_id}"),
        program.get(f"/api/datalake/{program.datalake}/datas"),
        program.get(f"/api/v2/job/{job_id}"),
        program.post(f"/api/v2/job/{job_id}/logging", {"log": "tagged"}),
        program.call("DELETE", f"/api/data/{data_id}"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 200, 204]


def test_a_jobs_token_does_not_reach_another_datalake(
    lake: LakeProcess, api: LakeApi, job: tuple[str, LakeApi]
) -> None:
    """Neither its data and tags, nor its objects: to read, to replace, or to make them data of its own."""
    _, program = job
    name = api.upload("other.jpg", photo(9, 9))
    other = _other_datalake(lake, name)
    storage, typed = f"/api/object-storage/{api.connector}", {"object_name": name, "content_type": "image/jpeg"}

    answers = [
        program.get(f"/api/datalake/{other['datalake']}"),
        program.get(f"/api/organization/{api.organization}/datalake", params={"id": other["datalake"]}),
        program.get(f"/api/datalake/{other['datalake']}/datas"),
        program.get(f"/api/data/{other['data']}"),
        program.get(f"/api/data/{other['data']}/presigned-url"),
        program.call("DELETE", f"/api/data/{other['data']}"),
        program.call("PATCH", f"/api/data/{other['data']}", json={"metadata": None}),
        program.call("DELETE", f"/api/tag/{other['tag']}"),
        program.post(f"{storage}/retrieve_presigned_url", typed),
        program.post(f"{storage}/generate_presigned_url", typed),
        program.post(f"{storage}/init_multipart_upload", typed),
        program.register("stolen.jpg", name),
    ]

    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert (lake.objects / name).read_bytes() == photo(9, 9)


def test_a_jobs_token_may_do_only_what_is_listed(job: tuple[str, LakeApi], tmp_path: Path, api: LakeApi) -> None:
    """Every other route of the application's table is forbidden to it: a new one too, until somebody allows it."""
    with open_lake(Settings(tmp_path / "data")) as other:
        found = [route for route in create_app(other, LocalBackground(other)).routes if isinstance(route, APIRoute)]
    routes = {f"{method} {route.path}" for route in found for method in route.methods if route.path.startswith("/api/")}
    _, program = job
    fill = {"organization_id": api.organization, "datalake_id": api.datalake, "connector_id": api.connector}

    answers = {}
    for route in routes - ALLOWED:
        method, path = route.split(" ")
        for name in ("tag_id", "source_id", "data_id", "projection_id", "processing_id", "job_id", "key", "name"):
            fill.setdefault(name, str(uuid4()))
        answers[route] = program.call(method, path.replace(":path}", "}").format(**fill), json={}).status_code

    assert routes >= ALLOWED
    assert set(answers.values()) == {403}
    assert {"POST /api/datalake/{datalake_id}/objects", "POST /api/datalake/{datalake_id}/processing/launch"} <= set(
        answers
    )


def test_a_killed_jobs_token_is_void_at_once(api: LakeApi, job: tuple[str, LakeApi]) -> None:
    """Also while its program is still being ended."""
    job_id, program = job
    api.post(f"/api/v2/job/{job_id}/kill")

    assert program.get("/api/home/ping").status_code == 401


def test_guessing_tokens_is_slowed_down(own_lake: LakeProcess) -> None:
    """After so many wrong ones the answer is 429 and when to come again; a token that worked before goes on working."""
    api = LakeApi(own_lake)

    def guess(number: int) -> requests.Response:
        headers = {"Authorization": f"Bearer guess {number}"}
        return requests.get(f"{own_lake.url}/api/home/ping", headers=headers, timeout=30)

    answers = [guess(number) for number in range(MAX_FAILED_LOGINS + 1)]

    assert [answer.status_code for answer in answers] == [401] * MAX_FAILED_LOGINS + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert "too many wrong API tokens" in answers[-1].json()["message"]
    assert guess(0).status_code == 401  # the same one again is no guess
    assert api.get("/api/home/ping").status_code == 200


def test_no_secret_is_in_the_log(own_lake: LakeProcess) -> None:
    """Neither tokens, right and wrong, nor signatures, nor the key, whatever goes wrong."""
    api = LakeApi(own_lake)
    name = api.upload("a.jpg", photo())
    form = api.presign(name)
    url = api.post(f"/api/object-storage/{api.connector}/retrieve_presigned_url", {"object_name": name}).json()
    requests.get(url["presigned_url"], timeout=30)
    requests.get(url["presigned_url"] + "0", timeout=30)
    requests.post(form["url"], data=form["fields"] | {"key": "other"}, files={"file": b"x"}, timeout=30)
    requests.get(f"{own_lake.url}/api/home/ping", headers={"Authorization": "Bearer wrong-token"}, timeout=30)
    api.http.get(f"{own_lake.url}/api/datalake/{api.datalake}/datas?q=(", timeout=30)
    with closing(sqlite3.connect(own_lake.data_dir / "lake.db")) as connection, connection:
        connection.execute("ALTER TABLE tokens RENAME TO away")
    lost = api.http.get(f"{own_lake.url}/api/home/ping", timeout=60)
    key = (own_lake.data_dir / "signing.key").read_bytes()
    own_lake.stop()

    secrets = [own_lake.token, "wrong-token", key.hex(), form["fields"]["signature"], form["fields"]["policy"]]
    secrets += [url["presigned_url"].rpartition("signature=")[2], digest_of(own_lake.token)]
    assert (lost.status_code, "no such table: tokens" in own_lake.log) == (503, True)
    assert not [secret for secret in secrets if secret in own_lake.log]
