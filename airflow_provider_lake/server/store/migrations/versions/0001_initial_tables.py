"""Initial tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "organizations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("name", name=op.f("uq_organizations_name")),
    )
    op.create_table(
        "connectors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_connectors_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connectors")),
    )
    op.create_table(
        "data_sources",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_data_sources_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_sources")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_data_sources_organization_id_name")),
    )
    op.create_table(
        "processings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("target", sa.String(length=256), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("type", sa.String(length=256), nullable=True),
        sa.Column("default_cpu", sa.Integer(), nullable=False),
        sa.Column("default_gpu", sa.Integer(), nullable=False),
        sa.Column("default_parameters", JSON, nullable=False),
        sa.Column("docker_image", sa.String(length=256), nullable=True),
        sa.Column("docker_tag", sa.String(length=256), nullable=True),
        sa.Column("docker_flags", JSON, nullable=True),
        sa.Column("command", JSON, nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_processings_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processings")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_processings_organization_id_name")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(length=256), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_users_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    op.create_table(
        "datalakes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["connector_id"], ["connectors.id"], name=op.f("fk_datalakes_connector_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_datalakes_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datalakes")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_datalakes_organization_id_name")),
    )
    op.create_table(
        "multipart_uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("object_name", sa.String(length=1024), nullable=False),
        sa.Column("content_type", sa.String(length=256), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["connector_id"], ["connectors.id"], name=op.f("fk_multipart_uploads_connector_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_multipart_uploads")),
    )
    op.create_table(
        "data",
        sa.Column("position", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("datalake_id", sa.Uuid(), nullable=False),
        sa.Column("object_name", sa.String(length=1024), nullable=False),
        sa.Column("filename", sa.String(length=256), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("content_type", sa.String(length=256), nullable=False),
        sa.Column("upload_status", sa.String(length=16), nullable=False),
        sa.Column("upload_error", sa.Text(), nullable=True),
        sa.Column("file_size", sa.BigInteger(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("metadata", JSON, nullable=True),
        sa.Column("custom_metadata", JSON, nullable=True),
        sa.Column("is_imported", sa.Boolean(), nullable=False),
        sa.Column("data_source_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["data_source_id"], ["data_sources.id"], name=op.f("fk_data_data_source_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["datalake_id"], ["datalakes.id"], name=op.f("fk_data_datalake_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_data")),
        sa.UniqueConstraint("datalake_id", "object_name", name=op.f("uq_data_datalake_id_object_name")),
        sa.UniqueConstraint("id", name=op.f("uq_data_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_data_data_source_id"), "data", ["data_source_id"], unique=False)
    op.create_index("ix_data_datalake_id_filename", "data", ["datalake_id", "filename"], unique=False)
    op.create_index("ix_data_datalake_id_position", "data", ["datalake_id", "position"], unique=False)
    op.create_index("ix_data_upload_status_position", "data", ["upload_status", "position"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("datalake_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("processing_id", sa.Uuid(), nullable=True),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("progress", JSON, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["datalake_id"], ["datalakes.id"], name=op.f("fk_jobs_datalake_id")),
        sa.ForeignKeyConstraint(
            ["processing_id"], ["processings.id"], name=op.f("fk_jobs_processing_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_status_created_at", "jobs", ["status", "created_at"], unique=False)
    op.create_table(
        "tags",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("datalake_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["datalake_id"], ["datalakes.id"], name=op.f("fk_tags_datalake_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("datalake_id", "name", name=op.f("uq_tags_datalake_id_name")),
    )
    op.create_table(
        "data_tags",
        sa.Column("data_position", ROW_NUMBER, nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["data_position"], ["data.position"], name=op.f("fk_data_tags_data_position"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_data_tags_tag_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("data_position", "tag_id", name=op.f("pk_data_tags")),
    )
    op.create_index("ix_data_tags_tag_id_data_position", "data_tags", ["tag_id", "data_position"], unique=False)
    op.create_table(
        "job_logs",
        sa.Column("position", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.String(length=256), nullable=True),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_logs_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_job_logs")),
    )
    op.create_index("ix_job_logs_job_id_position", "job_logs", ["job_id", "position"], unique=False)
    op.create_table(
        "projections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("data_position", ROW_NUMBER, nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("object_name", sa.String(length=1024), nullable=False),
        sa.Column("filename", sa.String(length=256), nullable=False),
        sa.Column("content_type", sa.String(length=256), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("infos", JSON, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["data_position"], ["data.position"], name=op.f("fk_projections_data_position"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projections")),
    )
    op.create_index(op.f("ix_projections_data_position"), "projections", ["data_position"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_tokens_job_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_tokens_organization_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tokens_user_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_tokens")),
    )
    op.create_index(op.f("ix_tokens_job_id"), "tokens", ["job_id"], unique=False)


def downgrade() -> None:
    """Drop all tables."""
    op.drop_index(op.f("ix_tokens_job_id"), table_name="tokens")
    op.drop_table("tokens")
    op.drop_index(op.f("ix_projections_data_position"), table_name="projections")
    op.drop_table("projections")
    op.drop_index("ix_job_logs_job_id_position", table_name="job_logs")
    op.drop_table("job_logs")
    op.drop_index("ix_data_tags_tag_id_data_position", table_name="data_tags")
    op.drop_table("data_tags")
    op.drop_table("tags")
    op.drop_index("ix_jobs_status_created_at", table_name="jobs")
    op.drop_table("jobs")
    op.drop_index("ix_data_upload_status_position", table_name="data")
    op.drop_index("ix_data_datalake_id_position", table_name="data")
    op.drop_index("ix_data_datalake_id_filename", table_name="data")
    op.drop_index(op.f("ix_data_data_source_id"), table_name="data")
    op.drop_table("data")
    op.drop_table("multipart_uploads")
    op.drop_table("datalakes")
    op.drop_table("users")
    op.drop_table("processings")
    op.drop_table("data_sources")
    op.drop_table("connectors")
    op.drop_table("organizations")
