"""A lake filled by SQL: a million data cannot wait for a million uploads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, insert, select

from airflow_provider_lake.server.bootstrap import open_lake
from airflow_provider_lake.server.row_ids import new_id
from airflow_provider_lake.server.settings import Settings
from airflow_provider_lake.server.store.tables import Data, Datalake, DataTag, Tag, utc_now

# Tag name to how many data it takes to meet one that has it.
TAGS = {"half": 2, "tenth": 10, "rare": 1000}
REFERENCES = 100
_BATCH = 10_000


def fill_lake(folder: Path, count: int, database_url: str | None) -> None:
    """Make a lake of so many data, unless the folder has one already.

    One in two has the tag ``half``, and so on; one in a hundred has the reference ``ref-7``, all have one manufacturer.
    """
    with open_lake(Settings(folder, database_url=database_url)) as lake, lake.database.writing() as session:
        connection = session.connection()
        if connection.scalar(select(Data.position).limit(1)) is not None:
            return
        datalake_id = connection.scalars(select(Datalake.id)).one()
        same = {"datalake_id": datalake_id, "created_at": utc_now()}
        tags: list[dict[str, Any]] = [{"id": uuid4(), "name": name, **same} for name in TAGS]
        connection.execute(insert(Tag), tags)
        for start in range(0, count, _BATCH):
            add_rows(connection, datalake_id, range(start, min(start + _BATCH, count)))
            add_tags(connection, [tag["id"] for tag in tags], range(start, min(start + _BATCH, count)))


def add_rows(connection: Connection, datalake_id: UUID, numbers: range, folder: str = "camera") -> None:
    """Insert data by one statement."""
    connection.execute(insert(Data.__table__), list(_rows(datalake_id, numbers, folder)))  # type: ignore[arg-type]  # a Table


def add_tags(connection: Connection, tag_ids: list[UUID], numbers: range) -> None:
    """Insert the tags of these data; positions count from 1."""
    pairs = [
        {"data_position": number + 1, "tag_id": tag_id}
        for number in numbers
        for tag_id, every in zip(tag_ids, TAGS.values(), strict=True)
        if number % every == 0
    ]
    connection.execute(insert(DataTag.__table__), pairs)  # type: ignore[arg-type]  # a Table


def _rows(datalake_id: UUID, numbers: range, folder: str) -> Iterator[dict[str, Any]]:
    for number in numbers:
        yield {
            "id": new_id(),
            "datalake_id": datalake_id,
            "object_name": f"{folder}/{number // 1000:05}/{number:09}.jpg",
            "filename": f"{number:09}.jpg",
            "type": "IMAGE",
            "content_type": "image/jpeg",
            "upload_status": "DONE",
            "file_size": 19_000,
            "width": 640,
            "height": 480,
            "metadata": {
                "acquired_at": "2026-05-06T07:08:09",
                "manufacturer": "Canon",
                "latitude": 48.1,
                "longitude": 2.3,
                "reference": f"ref-{number % REFERENCES}",
            },
            "custom_metadata": {"site": number % 50},
            "is_imported": True,
            "created_at": utc_now(),
        }
