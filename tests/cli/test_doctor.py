"""`gateway doctor`, and what the other commands say when settings or database are not right: one message each."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.command import run, run_here
from tests.running import MASTER_KEY, seed

SERVE = ("serve", "--port", "0")
COMMANDS = (("doctor",), ("keys", "create"), ("replay", "--state", "unknown"))
OTHER_KEY = "another-master-key-0123456789-abcdefghij"
SETTINGS = {"base_currency": "SEK"}


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'gateway.db'}"


def test_a_healthy_gateway_has_no_findings(tmp_path: Path) -> None:
    seed(url(tmp_path), connection="shop", settings=SETTINGS, secrets={"endpoint_secret": "s" * 20})
    said = run_here("doctor", env={"GATEWAY_DATA_DIR": str(tmp_path), "GATEWAY_MASTER_KEY": MASTER_KEY})
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert all(line.startswith("ok    ") for line in lines)
    assert lines[-3:] == [
        "ok    2 sealed secrets open",
        "ok    connection shop: settings are valid",
        "ok    0 webhooks received, 0 wait",
    ]


def test_a_token_that_ends_soon_is_told(tmp_path: Path) -> None:
    soon = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    seed(url(tmp_path), connection="shop", settings={**SETTINGS, "api_token_expires": soon}, secrets={})
    said = run_here("doctor", env={"GATEWAY_DATA_DIR": str(tmp_path), "GATEWAY_MASTER_KEY": MASTER_KEY})
    assert said.code == 1
    assert f"wrong connection shop: Centra's API token expires on {soon}" in said.out


def test_before_the_first_start_it_makes_nothing(tmp_path: Path) -> None:
    said = run_here("doctor", env={"GATEWAY_DATA_DIR": str(tmp_path / "new"), "GATEWAY_MASTER_KEY": MASTER_KEY})
    assert said.code == 0
    assert "there is no database yet" in said.out
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_master_key_is_found(tmp_path: Path) -> None:
    seed(url(tmp_path), connection="shop", settings=SETTINGS, secrets={"endpoint_secret": "s" * 20})
    said = run_here("doctor", env={"GATEWAY_DATA_DIR": str(tmp_path), "GATEWAY_MASTER_KEY": OTHER_KEY})
    assert said.code == 1
    assert "wrong 2 of 2 sealed secrets do not open, among them account/main/private_key: sealed under" in said.out


def test_the_gateway_does_not_start_when_its_master_key_opens_nothing(tmp_path: Path) -> None:
    seed(url(tmp_path), connection="shop", settings=SETTINGS, secrets={"endpoint_secret": "s" * 20})
    said = run(*SERVE, env={"GATEWAY_DATA_DIR": str(tmp_path), "GATEWAY_MASTER_KEY": OTHER_KEY})
    assert said.code == 1
    assert said.err.strip().startswith("GATEWAY_MASTER_KEY opens none of the stored secrets")


def test_settings_that_no_longer_fit_are_found(tmp_path: Path) -> None:
    seed(url(tmp_path), connection="shop", settings={"base_currency": "kronor"}, secrets={})
    said = run_here("doctor", env={"GATEWAY_DATA_DIR": str(tmp_path), "GATEWAY_MASTER_KEY": MASTER_KEY})
    assert said.code == 1
    assert "wrong connection shop: /settings/base_currency: not an ISO 4217 currency" in said.out
    assert "kronor" not in said.out


@pytest.mark.parametrize(
    ("key", "told"),
    [("", "GATEWAY_MASTER_KEY: is needed"), ("short", "GATEWAY_MASTER_KEY: every key needs 32 characters")],
    ids=["none", "short"],
)
def test_a_missing_or_short_master_key(tmp_path: Path, key: str, told: str) -> None:
    env = {"GATEWAY_DATA_DIR": str(tmp_path), "GATEWAY_MASTER_KEY": key}
    for said in (run_here("doctor", env=env), run(*SERVE, env=env)):
        assert said.code == 1
        assert told in said.out + said.err
    assert list(tmp_path.iterdir()) == []


DATABASES = {
    "mysql": ("mysql://shop", "GATEWAY_DATABASE_URL: must begin with sqlite:///"),
    "a folder": ("sqlite:///{0}", "unable to open database file"),
    "a picture": ("sqlite:///{0}/picture.db", "file is not a database"),
    "under a file": ("sqlite:///{0}/picture.db/x.db", "picture.db"),
    "of a newer gateway": ("sqlite:///{0}/gateway.db", "Can't locate revision identified by 'tomorrow'"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "picture.db").write_bytes(b"\x89PNG" * 1000)
    seed(url(tmp_path), connection="shop", settings=SETTINGS, secrets={})
    move_on(tmp_path / "gateway.db")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=[c[0] for c in COMMANDS])
@pytest.mark.parametrize("database", DATABASES)
def test_a_database_that_cannot_be_used_is_one_message(folder: Path, command: tuple[str, ...], database: str) -> None:
    address, told = DATABASES[database]
    env = {"GATEWAY_DATABASE_URL": address.format(folder), "GATEWAY_MASTER_KEY": MASTER_KEY}
    said = run_here(*command, env=env)
    assert said.code == 1
    assert told in said.out + said.err
    assert len(said.err.splitlines()) <= 2


@pytest.mark.parametrize("database", ["a picture", "under a file"])
def test_the_gateway_does_not_start_on_such_a_database(folder: Path, database: str) -> None:
    address, told = DATABASES[database]
    said = run(*SERVE, env={"GATEWAY_DATABASE_URL": address.format(folder), "GATEWAY_MASTER_KEY": MASTER_KEY})
    assert said.code == 1
    assert told in said.err
    assert len(said.err.splitlines()) == 1


def move_on(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE alembic_version SET version_num = 'tomorrow'")


def test_a_key_is_printed_once_and_alone(tmp_path: Path) -> None:
    said = run("keys", "create", "--role", "operator", env={"GATEWAY_DATA_DIR": str(tmp_path)})
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("gw_")
    wrong = run_here("keys", "create", "--role", "king", env={"GATEWAY_DATA_DIR": str(tmp_path)})
    assert (wrong.code, wrong.out) == (1, "")
    assert "--role is one of admin, operator, viewer, not king" in wrong.err
