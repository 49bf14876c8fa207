"""Run by Alembic, on the connection that `upgrade` opened."""

from alembic import context

from airflow_provider_lake.server.store.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
