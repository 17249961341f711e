"""How alembic runs: on the connection it is handed, or on GATEWAY_DATABASE_URL from the command line."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine

from app.settings import load
from app.store.tables import metadata


def run(connection: Connection) -> None:
    """Run the migrations that were asked for."""
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


handed: Connection | None = context.config.attributes.get("connection")
if handed is not None:
    run(handed)
else:
    with create_engine(load(need_master_key=False).url).connect() as own:
        run(own)
