"""What the blob store calls an upload in parts; so far its name was the upload's id."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and fill it."""
    op.add_column("multipart_uploads", sa.Column("store_id", sa.Text()))
    uploads = sa.table("multipart_uploads", sa.column("id", sa.Uuid()), sa.column("store_id", sa.Text()))
    connection = op.get_bind()
    for upload_id in connection.scalars(sa.select(uploads.c.id)).all():
        connection.execute(uploads.update().where(uploads.c.id == upload_id).values(store_id=str(upload_id)))
    with op.batch_alter_table("multipart_uploads") as table:
        table.alter_column("store_id", nullable=False)


def downgrade() -> None:
    """Remove the column."""
    with op.batch_alter_table("multipart_uploads") as table:
        table.drop_column("store_id")
