"""How alembic runs: on the connection it is handed, or on GATEWAY_DATABASE_URL from the command line."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection, create_engine

from app.settings import Settings
from app.store.tables import metadata


def run(connection: Connection) -> None:
    """Run the migrations that were asked for, each with its version in one transaction."""
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


async def run_on_postgresql(url: str) -> None:
    """The same through asyncpg."""
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


handed: Connection | None = context.config.attributes.get("connection")
if handed is not None:
    run(handed)
elif (url := Settings().url).startswith("postgresql://"):
    asyncio.run(run_on_postgresql(url))
else:
    with create_engine(url).connect() as own:
        run(own)
