"""What is done once when it is done twice is sent again after an unclear outcome; what is many goes in pieces."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from airflow_provider_lake.client import Data, Job, MultiData, RetryPolicy, Tag, UploadStatus
from airflow_provider_lake.client.resources.custom_metadata import CustomMetadataSchema
from airflow_provider_lake.client.transport.session import Session, make_transport
from tests.wire.scripted import Asked, Given, Script, scripted

LOST = Given(502, {"message": "lost"})


def _session(server: Script) -> Session:
    session = Session(server.url, "token", make_transport(5, verify=True), RetryPolicy(base_delay=0))
    session.organization_id = session.connector_id = uuid4()
    return session


def _job(session: Session) -> Job:
    return Job.from_json(session, {"id": str(uuid4()), "status": "RUNNING"})


def _data(session: Session, datalake_id: object) -> Data:
    json = {"id": str(uuid4()), "object_name": "a", "filename": "a.jpg", "type": "IMAGE", "content_type": "image/jpeg"}
    json["upload_status"] = UploadStatus.DONE
    return Data.from_json(session, datalake_id, json)  # type: ignore[arg-type]


def _kill(session: Session, _path: Path) -> None:
    _job(session).kill()


def _report(session: Session, _path: Path) -> None:
    _job(session).update_job_run_with_status("SUCCEEDED")


def _save_log(session: Session, path: Path) -> None:
    _job(session).store_logging_file(path)


def _attach(session: Session, _path: Path) -> None:
    tag = Tag.from_json(session, {"id": str(uuid4()), "name": "car", "target_type": "DATA"})
    tag.attach_on(_data(session, uuid4()))


def _describe(session: Session, _path: Path) -> None:
    CustomMetadataSchema(session, uuid4()).upsert("color", {"type": "string"})


@pytest.mark.parametrize(
    ("act", "end"),
    [(_kill, "kill"), (_report, "succeeded"), (_save_log, "save"), (_attach, "attach"), (_describe, "color")],
)
def test_what_replaces_itself_is_sent_again(act: Callable[[Session, Path], None], end: str, tmp_path: Path) -> None:
    """Though it is a POST, and the first may have been acted on."""
    path, asked_before = tmp_path / "log.txt", list[str]()
    path.write_text("done")

    def answer(asked: Asked) -> Given:
        name = asked.path.rpartition("/")[2]
        asked_before.append(name)
        if asked_before.count(name) == 1:
            return LOST
        return Given(body={"id": str(uuid4()), "status": "KILLED", "logging_object_name": "log.txt"})

    with scripted() as server:
        form = {"client_type": "aws", "presigned_url_data": {"url": f"{server.url}/bucket", "fields": {}}}
        server.places = {
            "generate_object_name": lambda _: Given(body={"object_name": "log.txt"}),
            "generate_presigned_url": lambda _: Given(body=form),
            "bucket": lambda _: Given(204, b""),
            **dict.fromkeys([end, "success", "succeed", "terminate"], answer),
        }
        act(_session(server), path)

    assert len(asked_before) == 2


def test_many_data_are_deleted_by_the_thousand() -> None:
    """A lake takes no more ids at a time."""
    with scripted() as server:
        server.places["datas"] = lambda _: Given(204, b"")
        session, datalake_id = _session(server), uuid4()
        MultiData([_data(session, datalake_id) for _ in range(2001)]).delete()

    assert [asked.body.count(b"-") // 4 for asked in server.asked] == [1000, 1000, 1]
