"""Which request a job was started by, so that its repetition starts no other."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; jobs so far have no key."""
    op.add_column("jobs", sa.Column("request_key", sa.String(), nullable=True))
    op.create_index("ix_jobs_datalake_id_request_key", "jobs", ["datalake_id", "request_key"], unique=True)


def downgrade() -> None:
    """Remove the column."""
    op.drop_index("ix_jobs_datalake_id_request_key", "jobs")
    op.drop_column("jobs", "request_key")
