"""The tables, as SQLAlchemy Core. The log tables only grow; what is due lives in the narrow ones.

Times are epoch milliseconds. ``codec`` says how a body is kept: 0 as it came, 1 zlib. Narrow tables live in their key
on SQLite (without rowid): one tree to write instead of two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s",
    }
)


def _when(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


accounts = Table(
    "accounts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("public_key", String(32), nullable=False),
    Column("private_key", LargeBinary, nullable=False),
    Column("private_key_end", String(4), nullable=False),
    _when("created_at"),
    _when("updated_at"),
)

connections = Table(
    "connections",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("platform", String(32), nullable=False),
    Column("account_id", String(64), nullable=True),
    Column("name", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("settings", Text, nullable=False),
    Column("secrets", LargeBinary, nullable=False),
    Column("secret_ends", Text, nullable=False),
    _when("created_at"),
    _when("updated_at"),
)

scopes = Table(
    "scopes",
    metadata,
    Column("connection_id", String(64), primary_key=True),
    Column("scope", String(128), primary_key=True),
    Column("account_id", String(64), nullable=True),
    Column("settings", Text, nullable=False),
    _when("updated_at"),
)

config_version = Table(
    "config_version",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("hash", LargeBinary, nullable=False),
    _when("created_at"),
    _when("expires_at"),
    _when("revoked_at", nullable=True),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("connection_id", String(64), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", LargeBinary(16), nullable=False),
    Column("door", String(32), nullable=False),
    Column("origin", String(16), nullable=False),
    _when("received_at"),
    Column("codec", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("connection_id", "key"),
)

untranslated = Table(
    "untranslated",
    metadata,
    Column("connection_id", String(64), primary_key=True),
    Column("webhook_id", BigInteger, primary_key=True, autoincrement=False),
    _when("run_at"),
    _when("claimed_until"),
    Column("attempts", Integer, nullable=False),
    Column("problem", Text, nullable=False),
    Index("ix_untranslated_run_at", "run_at"),
    sqlite_with_rowid=False,
)

answers = Table(
    "answers",
    metadata,
    Column("connection_id", String(64), primary_key=True),
    Column("webhook_id", BigInteger, primary_key=True, autoincrement=False),
    Column("need", String(255), primary_key=True),
    _when("at"),
    Column("codec", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

translations = Table(
    "translations",
    metadata,
    Column("connection_id", String(64), primary_key=True),
    Column("webhook_id", BigInteger, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("events", Text, nullable=False),
    Column("commands", Integer, nullable=False),
    _when("at"),
    Index("ix_translations_state", "state", "webhook_id"),
    sqlite_with_rowid=False,
)

commands = Table(
    "commands",
    metadata,
    Column("account_id", String(64), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("key", LargeBinary(16), nullable=False),
    Column("connection_id", String(64), nullable=False),
    Column("webhook_id", BigInteger, nullable=False),
    Column("name", String(128), nullable=False),
    Column("unique_id", String(255), nullable=False),
    Column("profile", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    _when("created_at"),
    UniqueConstraint("account_id", "kind", "key"),
    Index("ix_commands_webhook", "connection_id", "webhook_id"),
    Index("ix_commands_unique_id", "account_id", "unique_id", "id"),
)

pending = Table(
    "pending",
    metadata,
    Column("account_id", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("command_id", BigInteger, primary_key=True, autoincrement=False),
    Column("backfill", Boolean, nullable=False),
    _when("run_at"),
    Index("ix_pending_due", "account_id", "kind", "backfill", "run_at", "command_id"),
    sqlite_with_rowid=False,
)

lanes = Table(
    "lanes",
    metadata,
    Column("account_id", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    _when("not_before"),
    Column("paused", Text, nullable=True),
    Column("owner", String(64), nullable=True),
    Column("epoch", BigInteger, nullable=False),
    _when("lease_until"),
    Column("pacing", Text, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("account_id", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("form", String(16), nullable=False),
    Column("command_ids", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False),
    _when("run_at"),
    _when("created_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("account_id", String(64), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    Column("path", String(128), nullable=False),
    Column("items", Integer, nullable=False),
    Column("status", SmallInteger, nullable=True),
    Column("outcome", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    _when("at"),
    Index("ix_attempts_batch", "account_id", "batch_id"),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("account_id", String(64), primary_key=True),
    Column("command_id", BigInteger, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    _when("at"),
    Index("ix_outcomes_state", "account_id", "state", "command_id"),
    sqlite_with_rowid=False,
)
