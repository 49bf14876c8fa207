"""What the lake finds out about videos."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of videos so far nothing is known."""
    op.add_column("data", sa.Column("duration", sa.Float(), nullable=True))
    op.add_column("data", sa.Column("frame_rate", sa.Float(), nullable=True))
    op.add_column("data", sa.Column("codec", sa.String(32), nullable=True))


def downgrade() -> None:
    """Remove the columns."""
    for name in ("codec", "frame_rate", "duration"):
        op.drop_column("data", name)
