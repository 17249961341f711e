"""`gateway serve` says where it listens, or in one message why it does not; `gateway keys create` says what it made."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

from tests.cli.command import run, run_here
from tests.running import MASTER_KEY, free_port, gateway

NOWHERE = "http://127.0.0.1:9"


def test_it_says_where_it_listens_to_people_and_to_whoever_wants_its_database(tmp_path: Path) -> None:
    served = gateway(tmp_path, klaviyo_url=NOWHERE)
    env = {"GATEWAY_DATA_DIR": str(tmp_path), "GATEWAY_MASTER_KEY": MASTER_KEY}
    try:
        second = run("serve", "--port", str(free_port()), env=env)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("gateway.db*")}
    finally:
        served.stop()
    url = f"http://127.0.0.1:{served.port}"
    assert f"The gateway listens on {url}; its docs: {url}/docs\n" in (tmp_path / "gateway.log").read_text()
    assert second.code == 1
    assert f"another gateway serves {tmp_path / 'gateway.db'} on {url}: stop it first" in second.err
    assert modes == dict.fromkeys(("gateway.db", "gateway.db-wal", "gateway.db-shm", "gateway.db.lock"), 0o600)


def test_a_taken_port_is_one_message(tmp_path: Path) -> None:
    env = {"GATEWAY_DATA_DIR": str(tmp_path), "GATEWAY_MASTER_KEY": MASTER_KEY}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = run("serve", "--port", str(port), env=env)
    assert (said.code, said.out) == (1, "")
    assert said.err == f"the gateway cannot listen on 127.0.0.1, port {port}: Address already in use\n"


def test_a_key_made_without_a_role_says_which_it_has(tmp_path: Path) -> None:
    said = run_here("keys", "create", env={"GATEWAY_DATA_DIR": str(tmp_path)})
    assert said.code == 0
    assert said.out.startswith("gw_")
    assert len(said.out.splitlines()) == 1
    assert "has the role viewer" in said.err
