"""Real gateways for tests and benches: a seeded database file, a child process, and how to stop it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from app.connections import account_place, connection_place
from app.migrate import upgrade
from app.security import SecretBox, last_four
from app.store import config
from app.store.engine import open_database
from app.store.tables import accounts, connections

MASTER_KEY = "a-master-key-of-the-tests-0123456789abcdef"
ROOT = Path(__file__).resolve().parent.parent


def seed(
    url: str,
    *,
    connection: str,
    settings: Mapping[str, object],
    secrets: Mapping[str, str],
    platform: str = "centra",
    account: str = "main",
    private_key: str = "pk_sandbox",
) -> None:
    """An account and a connection of it, written where a gateway will read them."""
    database, box = open_database(url), SecretBox((MASTER_KEY,))
    upgrade(database)
    database.write_now(
        config.add,
        accounts,
        {
            "id": account, "name": account, "public_key": "SANDBX", "created_at": 0, "updated_at": 0,
            "private_key": box.seal(private_key, account_place(account)), "private_key_end": last_four(private_key),
        },
    )  # fmt: skip
    database.write_now(
        config.add,
        connections,
        {
            "id": connection, "platform": platform, "account_id": account, "name": connection, "enabled": True,
            "settings": json.dumps(settings), "secrets": box.seal(json.dumps(secrets), connection_place(connection)),
            "secret_ends": "{}", "created_at": 0, "updated_at": 0,
        },
    )  # fmt: skip
    database.close_now()


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A child process, killed or stopped by its process id."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None = None, log: Path | None = None) -> None:
        self._log = log
        with (log or Path(os.devnull)).open("ab") as out:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **(env or {})}, stdout=out, stderr=out, start_new_session=True
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """Pull the plug: SIGKILL to the whole process group."""
        with suppress(ProcessLookupError):  # dead already
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> int:
        """Ask it to end; returns its exit code."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class Child(Process):
    """A child process that listens on ``port``."""

    def __init__(
        self, command: Sequence[str], port: int, env: Mapping[str, str] | None = None, log: Path | None = None
    ) -> None:
        super().__init__(command, env, log)
        self.port = port
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        text = self._log.read_text()[-3000:] if self._log else "(no log)"
        raise RuntimeError(f"{self._process.args!r} did not listen on {self.port}:\n{text}")


def gateway(
    data_dir: Path, *, klaviyo_url: str, port: int = 0, work: bool = True, core: int | None = None, url: str = ""
) -> Child:
    """``gateway serve`` on ``data_dir``, or on the database at ``url``."""
    port = port or free_port()
    command = [sys.executable, "-m", "app.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    if not work:
        command.append("--no-work")
    env = {
        "GATEWAY_DATA_DIR": str(data_dir),
        "GATEWAY_MASTER_KEY": MASTER_KEY,
        "GATEWAY_KLAVIYO_URL": klaviyo_url,
        "GATEWAY_DATABASE_URL": url,
    }
    return Child(_pinned(command, core), port, env, data_dir / "gateway.log")


def uvicorn(target: str, *, env: Mapping[str, str], core: int | None = None, log: Path | None = None) -> Child:
    """Any ASGI application in a child process."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", target, "--port", str(port), "--log-level", "warning"]
    command += ["--no-access-log", "--loop", "uvloop", "--http", "httptools"]
    return Child(_pinned(command, core), port, env, log)


def _pinned(command: list[str], core: int | None) -> list[str]:
    return command if core is None else ["taskset", "-c", str(core), *command]
