"""The lake's tables. Relationships load only by explicit options of a query: no hidden SQL."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from airflow_provider_lake.server.row_ids import new_id
from airflow_provider_lake.server.store.metadata_text import MetadataText
from airflow_provider_lake.server.store.states import DataType, JobKind, JobStatus, UploadStatus

NAME_LENGTH = 256
OBJECT_NAME_LENGTH = 1024
CODEC_LENGTH = 32

# The keys of metadata that have an index. Their values are strings, as in the reference.
INDEXED_METADATA = ("reference", "custom_id", "acquired_by", "manufacturer", "brand", "weather", "region_of_interest")

# SQLite numbers rows by itself only where the type is literally INTEGER.
_RowNumber = BigInteger().with_variant(Integer, "sqlite")
# A value that is absent is the NULL of SQL, not that of JSON.
_Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in UTC, also on databases that store none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Normalize to UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Make the database's naive value aware."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def utc_now() -> datetime:
    """Return the time of day, aware."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    # Named alike on every database, so that migrations can name them.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this class attribute
        datetime: UtcDateTime(),
        dict[str, Any]: _Json,
        list[Any]: _Json,
        str: String(NAME_LENGTH),
    }


class Organization(Base):
    """A tenant: everything else belongs to one."""

    __tablename__ = "organizations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(unique=True)


class User(Base):
    """A user, who has tokens."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    username: Mapped[str] = mapped_column(unique=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))


class Token(Base):
    """An API token; only its SHA-256 is stored. A job's own token names the job and ends with it."""

    __tablename__ = "tokens"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Connector(Base):
    """An object storage of an organization."""

    __tablename__ = "connectors"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    name: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=True)


class Datalake(Base):
    """A set of data over one connector; without one it can neither upload nor import."""

    __tablename__ = "datalakes"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    connector_id: Mapped[UUID | None] = mapped_column(ForeignKey("connectors.id"))
    name: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)
    allow_extra_custom_metadata: Mapped[bool] = mapped_column(default=True, server_default=true())


class CustomMetadataKey(Base):
    """What a datalake expects under one key of its data's custom metadata."""

    __tablename__ = "custom_metadata_keys"

    datalake_id: Mapped[UUID] = mapped_column(ForeignKey("datalakes.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    definition: Mapped[dict[str, Any]]


class Tag(Base):
    """A label of data in one datalake."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("datalake_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    datalake_id: Mapped[UUID] = mapped_column(ForeignKey("datalakes.id"))
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class DataSource(Base):
    """Where data come from, for example a camera."""

    __tablename__ = "data_sources"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class DataTag(Base):
    """A tag on a data. The index serves pages of one tag in the order of the data."""

    __tablename__ = "data_tags"
    __table_args__ = (Index("ix_data_tags_tag_id_data_position", "tag_id", "data_position"),)

    data_position: Mapped[int] = mapped_column(
        _RowNumber, ForeignKey("data.position", ondelete="CASCADE"), primary_key=True
    )
    tag_id: Mapped[UUID] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)


class Data(Base):
    """One stored object. ``position`` grows with every row and is what a page's cursor points at."""

    __tablename__ = "data"
    __table_args__ = (
        UniqueConstraint("datalake_id", "object_name"),
        Index("ix_data_datalake_id_position", "datalake_id", "position"),
        Index("ix_data_datalake_id_filename", "datalake_id", "filename"),
        Index("ix_data_upload_status_position", "upload_status", "position"),
        # SQLite would give the position of a deleted last row to the next one.
        {"sqlite_autoincrement": True},
    )

    position: Mapped[int] = mapped_column(_RowNumber, primary_key=True, autoincrement=True)
    # Ids of tables that grow large rise with time: an index takes them at its end.
    id: Mapped[UUID] = mapped_column(unique=True, default=new_id)
    datalake_id: Mapped[UUID] = mapped_column(ForeignKey("datalakes.id"))
    object_name: Mapped[str] = mapped_column(String(OBJECT_NAME_LENGTH))
    filename: Mapped[str]
    type: Mapped[DataType] = mapped_column(String(16))
    content_type: Mapped[str]
    upload_status: Mapped[UploadStatus] = mapped_column(String(16), default=UploadStatus.PENDING)
    upload_error: Mapped[str | None] = mapped_column(Text)
    file_size: Mapped[int | None] = mapped_column(BigInteger)
    width: Mapped[int | None]
    height: Mapped[int | None]
    # Of videos: in seconds, pictures a second.
    duration: Mapped[float | None] = mapped_column(Float)
    frame_rate: Mapped[float | None] = mapped_column(Float)
    codec: Mapped[str | None] = mapped_column(String(CODEC_LENGTH))
    metadata_: Mapped[dict[str, Any] | None] = mapped_column("metadata", _Json)
    custom_metadata: Mapped[dict[str, Any] | None] = mapped_column(_Json)
    # The object was in the bucket already: deleting the data does not delete it.
    is_imported: Mapped[bool] = mapped_column(default=False)
    # A valid image or video that has no thumbnail yet.
    thumbnail_due: Mapped[bool] = mapped_column(default=False, server_default=false())
    data_source_id: Mapped[UUID | None] = mapped_column(ForeignKey("data_sources.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    tags: Mapped[list[Tag]] = relationship(secondary="data_tags", order_by=Tag.name, lazy="raise", passive_deletes=True)
    data_source: Mapped[DataSource | None] = relationship(lazy="raise")


Index("ix_data_thumbnail_due", Data.position, sqlite_where=Data.thumbnail_due, postgresql_where=Data.thumbnail_due)


for _key in INDEXED_METADATA:
    # Pages of one value in the order of the data; data without the key are not in the index.
    Index(
        f"ix_data_metadata_{_key}",
        Data.datalake_id,
        MetadataText(_key, Data.metadata_),
        Data.position,
        sqlite_where=MetadataText(_key, Data.metadata_).is_not(None),
        postgresql_where=MetadataText(_key, Data.metadata_).is_not(None),
    )


class Projection(Base):
    """A further file that belongs to a data."""

    __tablename__ = "projections"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    data_position: Mapped[int] = mapped_column(_RowNumber, ForeignKey("data.position", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    object_name: Mapped[str] = mapped_column(String(OBJECT_NAME_LENGTH), index=True)
    filename: Mapped[str]
    content_type: Mapped[str]
    file_size: Mapped[int | None] = mapped_column(BigInteger)
    width: Mapped[int | None]
    height: Mapped[int | None]
    infos: Mapped[dict[str, Any] | None] = mapped_column(_Json)
    # As for a data.
    is_imported: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class MultipartUpload(Base):
    """A multipart upload. ``store_id`` is the blob store's id of it."""

    __tablename__ = "multipart_uploads"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    connector_id: Mapped[UUID] = mapped_column(ForeignKey("connectors.id"))
    store_id: Mapped[str] = mapped_column(Text)
    object_name: Mapped[str] = mapped_column(String(OBJECT_NAME_LENGTH))
    content_type: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    completed_at: Mapped[datetime | None]


class Processing(Base):
    """A program that works on data: on this lake a command of the machine. The docker fields are only stored."""

    __tablename__ = "processings"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    name: Mapped[str]
    target: Mapped[str] = mapped_column(default="DATALAKE")
    description: Mapped[str | None] = mapped_column(Text)
    type: Mapped[str | None]
    default_cpu: Mapped[int] = mapped_column(default=1)
    default_gpu: Mapped[int] = mapped_column(default=0)
    default_parameters: Mapped[dict[str, Any]] = mapped_column(_Json, default=dict)
    docker_image: Mapped[str | None]
    docker_tag: Mapped[str | None]
    docker_flags: Mapped[list[Any] | None] = mapped_column(_Json)
    command: Mapped[list[Any] | None] = mapped_column(_Json)
    # Name to declaration.
    inputs: Mapped[dict[str, Any]] = mapped_column(_Json, default=dict, server_default="{}")


class Job(Base):
    """Asynchronous work. A runner claims it with a lease; an expired lease means that its runner died."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_status_created_at", "status", "created_at"),
        Index("ix_jobs_datalake_id_request_key", "datalake_id", "request_key", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    datalake_id: Mapped[UUID] = mapped_column(ForeignKey("datalakes.id"))
    kind: Mapped[JobKind] = mapped_column(String(16))
    status: Mapped[JobStatus] = mapped_column(String(16), default=JobStatus.PENDING)
    processing_id: Mapped[UUID | None] = mapped_column(ForeignKey("processings.id", ondelete="SET NULL"))
    payload: Mapped[dict[str, Any]] = mapped_column(_Json, default=dict)
    request_key: Mapped[str | None]
    request_digest: Mapped[str | None]
    progress: Mapped[dict[str, Any] | None] = mapped_column(_Json)
    error: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class JobLog(Base):
    """One line of a job's log, in the order of arrival."""

    __tablename__ = "job_logs"
    __table_args__ = (Index("ix_job_logs_job_id_position", "job_id", "position"),)

    position: Mapped[int] = mapped_column(_RowNumber, primary_key=True, autoincrement=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    part: Mapped[str | None]
    line: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
