"""`gateway sandbox` is a Klaviyo that can also be made to cut connections."""

from __future__ import annotations

import re
import signal
import socket
import subprocess

import httpx
import pytest

from tests.cli.command import GATEWAY, environment, run
from tests.klaviyo_sandbox.bodies import event
from tests.klaviyo_sandbox.conftest import HEADERS
from tests.running import ROOT


def test_it_says_where_it_listens_and_takes_every_fault() -> None:
    command = [*GATEWAY, "sandbox", "--port", "0", "--key", "pk_of_my_own", "--account", "MYOWN1"]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.match(r"sandbox Klaviyo on (http://\S+)  ledger: (http://\S+)", process.stdout.readline())
            assert found
            assert process.stdout.readline() == "ready: private key pk_of_my_own, account and public key MYOWN1\n"
            mine = HEADERS | {"Authorization": "Klaviyo-API-Key pk_of_my_own"}
            with httpx.Client(base_url=found[1], trust_env=False, timeout=10) as client:
                assert client.post("/sandbox/faults", json=[{"action": {"reset": "before"}}]).status_code == 200
                with pytest.raises(httpx.TransportError):
                    client.post("/api/events", json=event(time=None), headers=HEADERS)
                assert client.post("/api/events", json=event(time=None), headers=HEADERS).status_code == 202
                assert client.get(found[2]).json()["totals"]["applied"] == 1
                (told,) = client.get("/api/accounts", headers=mine).json()["data"]
                assert (told["id"], told["attributes"]["public_api_key"]) == ("MYOWN1", "MYOWN1")
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_a_taken_port_is_one_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = run("sandbox", "--port", str(port))
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        f"The sandbox cannot listen on port {port}: Address already in use. Give another with --port.\n"
    )
