"""Runs migrations over the connection handed in by `storage.migrations`."""

from alembic import context

from storage.models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    include_name=lambda name, kind, _parents: (
        not (kind == "table" and name is not None and name.startswith("search_index"))
    ),
)
with context.begin_transaction():
    context.run_migrations()
