"""first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("public_key", sa.String(length=32), nullable=False),
        sa.Column("private_key", sa.LargeBinary(), nullable=False),
        sa.Column("private_key_end", sa.String(length=4), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_table(
        "answers",
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("webhook_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("need", sa.String(length=255), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("codec", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "webhook_id", "need", name=op.f("pk_answers")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    op.create_table(
        "attempts",
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(length=128), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_attempts")),
    )
    op.create_index("ix_attempts_batch", "attempts", ["account_id", "batch_id"], unique=False)
    op.create_table(
        "batches",
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("form", sa.String(length=16), nullable=False),
        sa.Column("command_ids", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("run_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "kind", "id", name=op.f("pk_batches")),
    )
    op.create_table(
        "commands",
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("webhook_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("unique_id", sa.String(length=255), nullable=False),
        sa.Column("profile", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_commands")),
        sa.UniqueConstraint("account_id", "kind", "key", name=op.f("uq_commands_account_id_kind_key")),
    )
    op.create_index("ix_commands_unique_id", "commands", ["account_id", "unique_id", "id"], unique=False)
    op.create_index("ix_commands_webhook", "commands", ["connection_id", "webhook_id"], unique=False)
    op.create_table(
        "config_version",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_config_version")),
    )
    op.create_table(
        "connections",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("secret_ends", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
    )
    op.create_table(
        "lanes",
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("paused", sa.Text(), nullable=True),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("pacing", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "kind", name=op.f("pk_lanes")),
    )
    op.create_table(
        "outcomes",
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("command_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "command_id", name=op.f("pk_outcomes")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_outcomes_state", "outcomes", ["account_id", "state", "command_id"], unique=False)
    op.create_table(
        "pending",
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("command_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("backfill", sa.Boolean(), nullable=False),
        sa.Column("run_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "kind", "command_id", name=op.f("pk_pending")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_pending_due", "pending", ["account_id", "kind", "backfill", "run_at", "command_id"], unique=False
    )
    op.create_table(
        "scopes",
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=128), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=True),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "scope", name=op.f("pk_scopes")),
    )
    op.create_table(
        "translations",
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("webhook_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("commands", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "webhook_id", name=op.f("pk_translations")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_translations_state", "translations", ["state", "webhook_id"], unique=False)
    op.create_table(
        "untranslated",
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("webhook_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "webhook_id", name=op.f("pk_untranslated")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_untranslated_run_at", "untranslated", ["run_at"], unique=False)
    op.create_table(
        "webhooks",
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("door", sa.String(length=32), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("codec", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "id", name=op.f("pk_webhooks")),
        sa.UniqueConstraint("connection_id", "key", name=op.f("uq_webhooks_connection_id_key")),
    )
    op.execute("INSERT INTO config_version (id, version) VALUES (1, 1)")


def downgrade() -> None:
    op.drop_table("webhooks")
    op.drop_index("ix_untranslated_run_at", table_name="untranslated")
    op.drop_table("untranslated")
    op.drop_index("ix_translations_state", table_name="translations")
    op.drop_table("translations")
    op.drop_table("scopes")
    op.drop_index("ix_pending_due", table_name="pending")
    op.drop_table("pending")
    op.drop_index("ix_outcomes_state", table_name="outcomes")
    op.drop_table("outcomes")
    op.drop_table("lanes")
    op.drop_table("connections")
    op.drop_table("config_version")
    op.drop_index("ix_commands_webhook", table_name="commands")
    op.drop_index("ix_commands_unique_id", table_name="commands")
    op.drop_table("commands")
    op.drop_table("batches")
    op.drop_index("ix_attempts_batch", table_name="attempts")
    op.drop_table("attempts")
    op.drop_table("api_keys")
    op.drop_table("answers")
    op.drop_table("accounts")
