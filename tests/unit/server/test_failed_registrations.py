"""Registrations that fail behind their commit, in an application of this process."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from airflow_provider_lake.server.bootstrap import open_lake
from airflow_provider_lake.server.http.app import create_app
from airflow_provider_lake.server.http.routes import registrations
from airflow_provider_lake.server.http.routes.data import data_responses
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.store.tables import Datalake
from airflow_provider_lake.server.work.background import LocalBackground
from tests.wire.job_calls import photo


def test_what_fails_behind_the_commit_is_said_and_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The first answer is an internal error, which the log has once; the next says that the data is there already."""
    tries = []

    def fail_once(*given: Any) -> Any:
        tries.append(given)
        if len(tries) == 2:
            raise RuntimeError("no answer can be made")
        return data_responses(*given)

    monkeypatch.setattr(registrations, "data_responses", fail_once)
    settings = Settings(tmp_path / "data", token="owner", public_url="http://lake")
    with open_lake(settings) as lake:
        with lake.database.reading() as session:
            datalake_id = session.scalars(select(Datalake.id)).one()
        names = [f"{uuid4()}.jpg" for _ in range(2)]
        for name in names:
            lake.stores.root.put(name, photo(), "image/jpeg")
        with TestClient(create_app(lake, LocalBackground(lake)), raise_server_exceptions=False) as client:

            def register(name: str) -> int:
                body = {"type": "IMAGE", "filename": "a.jpg", "object_name": name, "content_type": "image/jpeg"}
                path = f"/api/datalake/{datalake_id}/datas"
                return client.post(path, json=body, headers={"Authorization": "Bearer owner"}).status_code

            statuses = [register(name) for name in (names[0], names[1], names[1])]

    assert statuses == [201, 500, 208]
    assert caplog.text.count("RuntimeError: no answer can be made") == 1
