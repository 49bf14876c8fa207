"""What SQLite is told about the sizes of large tables; PostgreSQL finds out by itself.

Untold it takes a datalake for ten data, and reads all of them to find some by their ids.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROWS = 1_000_000
OF_DATALAKE = 100_000
KEYS = ("reference", "custom_id", "acquired_by", "manufacturer", "brand", "weather", "region_of_interest")
# By table and index: how many rows have the same first column, the same first two, and so on.
ALIKE = {
    ("data", "sqlite_autoindex_data_1"): (OF_DATALAKE, 1),  # datalake_id, object_name
    ("data", "sqlite_autoindex_data_2"): (1,),  # id
    ("data", "ix_data_datalake_id_position"): (OF_DATALAKE, 1),
    ("data", "ix_data_datalake_id_filename"): (OF_DATALAKE, 2),
    # Of the states, those that are looked for are rare.
    ("data", "ix_data_upload_status_position"): (1000, 1),
    ("data", "ix_data_data_source_id"): (10_000,),
    ("data_tags", "sqlite_autoindex_data_tags_1"): (2, 1),  # data_position, tag_id
    ("data_tags", "ix_data_tags_tag_id_data_position"): (OF_DATALAKE, 1),
    ("projections", "ix_projections_data_position"): (2,),
    ("projections", "ix_projections_object_name"): (1,),
    **{("data", f"ix_data_metadata_{key}"): (OF_DATALAKE, 1000, 1) for key in KEYS},
}


def upgrade() -> None:
    """Write it where SQLite keeps such figures."""
    if op.get_bind().dialect.name != "sqlite":
        return
    # To analyze anything makes the table; this one is small.
    op.execute("ANALYZE organizations")
    op.execute("DELETE FROM sqlite_stat1")
    figures = sa.table("sqlite_stat1", sa.column("tbl"), sa.column("idx"), sa.column("stat"))
    rows = [
        {"tbl": table, "idx": index, "stat": " ".join(map(str, (ROWS, *alike)))}
        for (table, index), alike in ALIKE.items()
    ]
    op.bulk_insert(figures, rows)
    # Reads it again.
    op.execute("ANALYZE sqlite_master")


def downgrade() -> None:
    """Remove it."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DELETE FROM sqlite_stat1")
        op.execute("ANALYZE sqlite_master")
