"""What a processing must be given to be launched."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; processings so far declare none."""
    declared = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("processings", sa.Column("inputs", declared, nullable=False, server_default="{}"))


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("processings", "inputs")
