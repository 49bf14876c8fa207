"""Data: reading, deleting, and recording what the files contain."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, func, select, update
from sqlalchemy.orm import Session, selectinload

from airflow_provider_lake.server.errors import BadRequestError, NotFoundError
from airflow_provider_lake.server.store.queries.objects import find_unused
from airflow_provider_lake.server.store.queries.selection import Selection, select_data
from airflow_provider_lake.server.store.states import UploadStatus
from airflow_provider_lake.server.store.tables import Data, Datalake, Projection

_WITH_RELATED = (selectinload(Data.tags), selectinload(Data.data_source))


_PENDING = (
    select(Data.position, Data.datalake_id, Data.object_name, Data.type)
    .where(Data.upload_status.in_([UploadStatus.PENDING, UploadStatus.COMPUTING]))
    .order_by(Data.position)
)
_RECORDING = (
    update(Data)
    .where(Data.position == bindparam("found_position"))
    .values(
        {name: bindparam(name) for name in ("upload_status", "upload_error", "file_size")}
        | {name: bindparam(name) for name in ("duration", "frame_rate", "codec", "thumbnail_due")}
        | {
            "width": func.coalesce(bindparam("found_width"), Data.width),
            "height": func.coalesce(bindparam("found_height"), Data.height),
        }
    )
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A data whose file was not read yet."""

    position: int
    datalake_id: UUID
    object_name: str
    type: str


@dataclass(frozen=True, slots=True)
class MediaResult:
    """What the file of one data contains.

    :param size: in bytes; None if there is no object.
    :param width: pixels, as displayed.
    :param height: pixels, as displayed.
    :param duration: of a video, in seconds.
    :param frame_rate: of a video, in frames per second.
    :param codec: of a video.
    :param error: why its status is ERROR.
    """

    position: int
    status: UploadStatus
    size: int | None
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    frame_rate: float | None = None
    codec: str | None = None
    error: str | None = None


def get_data(session: Session, organization_id: UUID, data_id: UUID) -> Data:
    """Return one data of an organization.

    :raises NotFoundError: it has no data of that id.
    """
    statement = select(Data).join(Datalake, Datalake.id == Data.datalake_id)
    statement = statement.where(Data.id == data_id, Datalake.organization_id == organization_id)
    data = session.scalar(statement.options(*_WITH_RELATED))
    if data is None:
        raise NotFoundError(f"no data with id {data_id}")
    return data


def get_many(session: Session, datalake_id: UUID, ids: Collection[UUID]) -> Sequence[Data]:
    """Return data of a datalake.

    :raises NotFoundError: it does not have them all; the message names the first missing one.
    """
    statement = select(Data).where(Data.datalake_id == datalake_id, Data.id.in_(ids))
    found = session.scalars(statement.options(*_WITH_RELATED)).all()
    known = {data.id for data in found}
    for data_id in ids:
        if data_id not in known:
            raise NotFoundError(f"no data with id {data_id}")
    return found


def find_one(session: Session, selection: Selection, wanted: str) -> Data:
    """Return the one data that matches a selection.

    :param wanted: the selection in words, for messages.
    :raises NotFoundError: none matches.
    :raises BadRequestError: several match.
    """
    found = session.scalars(select_data(selection, Data).options(*_WITH_RELATED).limit(2)).all()
    if not found:
        raise NotFoundError(f"no data with {wanted}")
    if len(found) > 1:
        raise BadRequestError(f"there are several data with {wanted}; find one by its id or object name")
    data: Data = found[0]
    return data


def delete_data(
    session: Session, organization_id: UUID, ids: Collection[UUID], datalake_id: UUID | None = None
) -> list[str]:
    """Delete data of an organization, or of one of its datalakes, with their projections.

    :return: names of the objects to delete: those that were not imported, and that nothing else uses.
    """
    lakes = select(Datalake.id).where(Datalake.organization_id == organization_id)
    meant: list[ColumnElement[bool]] = [Data.id.in_(ids), Data.datalake_id.in_(lakes)]
    if datalake_id is not None:
        meant.append(Data.datalake_id == datalake_id)
    uploaded = Projection.data_position.in_(select(Data.position).where(*meant)) & ~Projection.is_imported
    object_names = list(session.scalars(select(Projection.object_name).where(uploaded)))
    deleted = session.execute(delete(Data).where(*meant).returning(Data.object_name, Data.is_imported))
    object_names += [object_name for object_name, is_imported in deleted if not is_imported]
    return find_unused(session, organization_id, object_names)


def list_pending(session: Session, limit: int) -> list[Pending]:
    """Return the oldest data whose files were not read yet."""
    return [Pending(*row) for row in session.connection().execute(_PENDING.limit(limit))]


def record_results(session: Session, findings: Sequence[MediaResult]) -> None:
    """Record what files contain; known dimensions are replaced only by measured ones."""
    rows = [
        {
            "found_position": finding.position,
            "upload_status": finding.status,
            "upload_error": finding.error,
            "file_size": finding.size,
            "found_width": finding.width,
            "found_height": finding.height,
            "duration": finding.duration,
            "frame_rate": finding.frame_rate,
            "codec": finding.codec,
            "thumbnail_due": finding.status == UploadStatus.DONE and finding.width is not None,
        }
        for finding in findings
    ]
    if rows:
        session.connection().execute(_RECORDING, rows)
