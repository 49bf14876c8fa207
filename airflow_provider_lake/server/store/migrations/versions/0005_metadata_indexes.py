"""Indexes for the metadata that data are looked up by."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEYS = ("reference", "custom_id", "acquired_by", "manufacturer", "brand", "weather", "region_of_interest")


def upgrade() -> None:
    """Create the indexes."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for key in KEYS:
        text = sa.text(f"(metadata ->> '{key}')" if is_postgresql else f"json_extract(metadata, '$.{key}')")
        where = sa.text(f"{text} IS NOT NULL")
        op.create_index(
            f"ix_data_metadata_{key}",
            "data",
            ["datalake_id", text, "position"],
            sqlite_where=where,
            postgresql_where=where,
        )


def downgrade() -> None:
    """Remove them."""
    for key in KEYS:
        op.drop_index(f"ix_data_metadata_{key}", "data")
