"""What operators set up: accounts, connections, scopes and keys. Every change raises the configuration's version."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Table, delete, func, insert, select, update

from app.store.tables import accounts, api_keys, commands, config_version, connections, scopes, webhooks

Found = Row[tuple[Any, ...]]


def version(connection: Connection) -> int:
    """Changes whenever accounts, connections or scopes do."""
    return connection.scalar(select(config_version.c.version)) or 0


def changed(connection: Connection) -> None:
    """Raise the version; part of the transaction that changes something."""
    connection.execute(update(config_version).values(version=config_version.c.version + 1))


def everything(connection: Connection) -> tuple[int, Sequence[Found], Sequence[Found], Sequence[Found]]:
    """Version, accounts, connections and scopes, as one consistent view."""
    return (
        version(connection),
        connection.execute(select(accounts).order_by(accounts.c.id)).all(),
        connection.execute(select(connections).order_by(connections.c.id)).all(),
        connection.execute(select(scopes).order_by(scopes.c.connection_id, scopes.c.scope)).all(),
    )


def all_accounts(connection: Connection) -> Sequence[Found]:
    """Every account, by id."""
    return connection.execute(select(accounts).order_by(accounts.c.id)).all()


def all_connections(connection: Connection) -> Sequence[Found]:
    """Every connection, by id."""
    return connection.execute(select(connections).order_by(connections.c.id)).all()


def account(connection: Connection, account_id: str) -> Found | None:
    """One account."""
    return _by_id(connection, accounts, account_id)


def find_connection(connection: Connection, connection_id: str) -> Found | None:
    """One connection."""
    return _by_id(connection, connections, connection_id)


def add(connection: Connection, table: Table, values: Mapping[str, object]) -> bool:
    """Insert a row with an ``id`` that is not taken; False when it is."""
    if _by_id(connection, table, str(values["id"])) is not None:
        return False
    connection.execute(insert(table), dict(values))
    changed(connection)
    return True


def put(connection: Connection, table: Table, row_id: str, values: Mapping[str, object]) -> bool:
    """Change a row; False when there is none."""
    found = connection.execute(update(table).where(table.c.id == row_id).values(**values)).rowcount > 0
    changed(connection)
    return found


class Present(NamedTuple):
    """What a change of a connection must fit: it as it is, its overrides, and the accounts there are."""

    connection: Found
    scopes: Sequence[Found]
    accounts: frozenset[str]


def change_connection(
    connection: Connection, connection_id: str, change: Callable[[Present], Mapping[str, object]]
) -> bool:
    """Write what ``change`` makes of the connection, in one transaction; what it raises undoes all. False: none."""
    present = _present(connection, connection_id)
    return present is not None and put(connection, connections, connection_id, change(present))


def change_scope(connection: Connection, connection_id: str, change: Callable[[Present], Mapping[str, object]]) -> bool:
    """As ``change_connection``, for the overrides of one scope: ``change`` returns the whole row."""
    present = _present(connection, connection_id)
    if present is None:
        return False
    put_scope(connection, change(present))
    return True


def _present(connection: Connection, connection_id: str) -> Present | None:
    row = find_connection(connection, connection_id)
    if row is None:
        return None
    return Present(row, scopes_of(connection, connection_id), frozenset(connection.scalars(select(accounts.c.id))))


def remove_account(connection: Connection, account_id: str) -> bool:
    """Delete an account that no connection, scope or command uses; False when one does."""
    used = [
        select(func.count()).where(connections.c.account_id == account_id),
        select(func.count()).where(scopes.c.account_id == account_id),
        select(func.count()).where(commands.c.account_id == account_id),
    ]
    if any(connection.scalar(query) for query in used):
        return False
    connection.execute(delete(accounts).where(accounts.c.id == account_id))
    changed(connection)
    return True


def remove_connection(connection: Connection, connection_id: str) -> bool:
    """Delete a connection that has received nothing; one that has can only be disabled."""
    if connection.scalar(select(func.count()).where(webhooks.c.connection_id == connection_id)):
        return False
    connection.execute(delete(scopes).where(scopes.c.connection_id == connection_id))
    connection.execute(delete(connections).where(connections.c.id == connection_id))
    changed(connection)
    return True


def scopes_of(connection: Connection, connection_id: str) -> Sequence[Found]:
    """The overrides of a connection, by scope."""
    query = select(scopes).where(scopes.c.connection_id == connection_id).order_by(scopes.c.scope)
    return connection.execute(query).all()


def put_scope(connection: Connection, values: Mapping[str, object]) -> None:
    """Set the overrides of one scope."""
    remove_scope(connection, str(values["connection_id"]), str(values["scope"]))
    connection.execute(insert(scopes), dict(values))
    changed(connection)


def remove_scope(connection: Connection, connection_id: str, scope: str) -> bool:
    """Drop the overrides of one scope; False when there were none."""
    mine = (scopes.c.connection_id == connection_id) & (scopes.c.scope == scope)
    found = connection.execute(delete(scopes).where(mine)).rowcount > 0
    changed(connection)
    return found


def add_key(connection: Connection, values: Mapping[str, object]) -> None:
    """Store an operator key (its hash)."""
    connection.execute(insert(api_keys), dict(values))


def key(connection: Connection, key_id: str) -> Found | None:
    """One operator key."""
    return _by_id(connection, api_keys, key_id)


def all_keys(connection: Connection) -> Sequence[Found]:
    """Every operator key, oldest first."""
    return connection.execute(select(api_keys).order_by(api_keys.c.created_at)).all()


def revoke_key(connection: Connection, key_id: str, now: int) -> bool:
    """End a key; False when there is none that still lives."""
    k = api_keys.c
    alive = (k.id == key_id) & k.revoked_at.is_(None)
    return connection.execute(update(api_keys).where(alive).values(revoked_at=now)).rowcount > 0


def _by_id(connection: Connection, table: Table, row_id: str) -> Found | None:
    return connection.execute(select(table).where(table.c.id == row_id)).first()
