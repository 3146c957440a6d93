"""Run by Alembic: migrate on the connection, and in the transaction, of ``serving.feedback``."""

from alembic import context

from serving.feedback.schema import VERSION_TABLE
from serving.feedback.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # SQLite can as well, once BEGIN is ours
    render_as_batch=True,
)
context.run_migrations()
