"""Custom metadata schemas; whose objects projections show, and which data await a thumbnail."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of keys, and the columns with their indexes."""
    op.create_table(
        "custom_metadata_keys",
        sa.Column("datalake_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=256), nullable=False),
        sa.Column("definition", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["datalake_id"], ["datalakes.id"], name=op.f("fk_custom_metadata_keys_datalake_id")),
        sa.PrimaryKeyConstraint("datalake_id", "key", name=op.f("pk_custom_metadata_keys")),
    )
    op.add_column(
        "datalakes", sa.Column("allow_extra_custom_metadata", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column("projections", sa.Column("is_imported", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(op.f("ix_projections_object_name"), "projections", ["object_name"])
    op.add_column("data", sa.Column("thumbnail_due", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "ix_data_thumbnail_due",
        "data",
        ["position"],
        sqlite_where=sa.text("thumbnail_due = 1"),
        postgresql_where=sa.text("thumbnail_due"),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_data_thumbnail_due", "data")
    op.drop_column("data", "thumbnail_due")
    op.drop_index(op.f("ix_projections_object_name"), "projections")
    op.drop_column("projections", "is_imported")
    op.drop_column("datalakes", "allow_extra_custom_metadata")
    op.drop_table("custom_metadata_keys")
