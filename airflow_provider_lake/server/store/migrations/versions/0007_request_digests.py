"""What the request with a key asked for, so that the key of another request is told from that of its repetition."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of jobs so far it is not known."""
    op.add_column("jobs", sa.Column("request_digest", sa.String(), nullable=True))


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("jobs", "request_digest")
