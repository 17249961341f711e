"""`gateway replay` translates stored webhooks again: in the file, or through the gateway that serves it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from app.store import webhooks
from app.store.engine import open_database
from app.store.webhooks import Arrived, Translated
from tests.cli.command import Said, run, run_here
from tests.running import MASTER_KEY, Child, free_port, gateway, seed

STATES = {"quarantined": 3, "unknown": 120, "mapped": 2}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A database with webhooks of two connections in each state, all settled."""
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    seed(url, connection="shop", settings={"base_currency": "SEK"}, secrets={})
    seed(url, connection="other", account="second", settings={"base_currency": "SEK"}, secrets={})
    database = open_database(url)
    now = int(time.time() * 1000)
    for connection in ("shop", "other"):
        for state, count in STATES.items():
            keys = [f"{state[:8]}{n:06d}".encode().ljust(16) for n in range(count)]
            database.write_now(webhooks.store, [Arrived(connection, key, "events", "push", now, b"{}") for key in keys])
            due = database.write_now(webhooks.claim, now, now + 1, 1000)
            database.write_now(
                webhooks.settle, [Translated(row.connection_id, row.id, state, "[]", 0, now) for row in due]
            )
    database.close_now()
    return tmp_path


def waiting(data: Path) -> dict[str, int]:
    with closing(sqlite3.connect(data / "gateway.db")) as file:
        return dict(file.execute("SELECT connection_id, count(*) FROM untranslated GROUP BY 1").fetchall())


def ids(data: Path, state: str, connection: str = "shop") -> list[str]:
    with closing(sqlite3.connect(data / "gateway.db")) as file:
        query = "SELECT webhook_id FROM translations WHERE state = ? AND connection_id = ?"
        return [str(row[0]) for row in file.execute(query, (state, connection))]


def replay(data: Path, *arguments: str) -> Said:
    return run_here("replay", *arguments, env={"GATEWAY_DATA_DIR": str(data)})


def test_by_state_over_all_pages_and_connections(data: Path) -> None:
    said = run("replay", "--state", "unknown", env={"GATEWAY_DATA_DIR": str(data)})
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1] == "240 webhooks are translated again when the gateway starts."
    assert waiting(data) == {"shop": 120, "other": 120}


def test_of_one_connection(data: Path) -> None:
    assert "3 webhooks are" in replay(data, "--state", "quarantined", "--connection", "shop").out
    assert waiting(data) == {"shop": 3}


def test_by_ids(data: Path) -> None:
    chosen = [*ids(data, "mapped"), *ids(data, "quarantined", "other")]
    assert "5 webhooks are" in replay(data, *chosen).out
    assert waiting(data) == {"shop": 2, "other": 3}


def test_since(data: Path) -> None:
    assert "0 webhooks are" in replay(data, "--state", "unknown", "--since", "2999-01-01").out
    assert "240 webhooks are" in replay(data, "--state", "unknown", "--since", "2020-01-01T00:00+01:00").out


def test_a_dry_run_only_counts(data: Path) -> None:
    assert replay(data, "--state", "unknown", "--dry-run").out == "240 webhooks would be translated again.\n"
    assert waiting(data) == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "give either ids or --state"),
        (("7", "--state", "unknown"), "give either ids or --state"),
        (("7", "8"), "there are no such webhooks: 7, 8"),
        (("--state", "lost"), "--state is one of quarantined, unknown, ignored, mapped, not lost"),
        (("--state", "unknown", "--since", "yesterday"), "--since is a date or time such as"),
        (
            ("--state", "unknown", "--url", "http://127.0.0.1:1", "--key", "gw_a_b"),
            "No gateway answers at http://127.0.0.1:1: no connection",
        ),
        (("--state", "unknown", "--url", "nonsense", "--key", "gw_a_b"), "no URL"),
    ],
    ids=["nothing", "both", "ids", "state", "since", "nobody there", "no URL"],
)
def test_a_mistake_is_one_message(data: Path, arguments: tuple[str, ...], told: str) -> None:
    said = replay(data, *arguments)
    assert said.code == 1
    assert told in said.err
    assert waiting(data) == {}


@pytest.fixture
def served(data: Path) -> Iterator[Child]:
    child = gateway(data, klaviyo_url=f"http://127.0.0.1:{free_port()}", work=False)
    yield child
    child.stop()


def test_while_a_gateway_serves_it_goes_through_its_rest_api(data: Path, served: Child) -> None:
    refused = replay(data, "--state", "unknown")
    assert refused.code == 1
    assert "A gateway serves this database now" in refused.err
    assert f"--url http://127.0.0.1:{served.port} " in refused.err
    assert replay(data, "--state", "unknown", "--dry-run").out == "240 webhooks would be translated again.\n"
    key = run_here("keys", "create", "--role", "operator", env={"GATEWAY_DATA_DIR": str(data)}).out.strip()
    rest = ("--url", f"http://127.0.0.1:{served.port}", "--key", key)
    done = replay(data, "--state", "unknown", *rest)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "240 webhooks are translated again."
    assert waiting(data) == {"shop": 120, "other": 120}
    assert "1 webhooks are" in replay(data, ids(data, "mapped")[0], *rest).out
    assert waiting(data)["shop"] == 121
    assert "there are no such webhooks: 7" in replay(data, "7", *rest).err
    wrong = replay(data, "--state", "unknown", *rest[:3], "gw_wrong_key")
    assert wrong.code == 1
    assert "answered 401" in wrong.err


def test_the_key_may_come_from_the_environment(data: Path, served: Child) -> None:
    env = {"GATEWAY_DATA_DIR": str(data), "GATEWAY_MASTER_KEY": MASTER_KEY}
    env["GATEWAY_KEY"] = run_here("keys", "create", "--role", "operator", env=env).out.strip()
    url = f"http://127.0.0.1:{served.port}"
    assert run_here("replay", "--state", "mapped", "--dry-run", "--url", url, env=env).out.startswith("4 webhooks")
    assert httpx.get(f"{url}/health/live", trust_env=False).status_code == 200
