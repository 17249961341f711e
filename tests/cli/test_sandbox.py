"""`gateway sandbox` is a Klaviyo that can also be made to cut connections."""

from __future__ import annotations

import re
import signal
import subprocess

import httpx
import pytest

from tests.cli.command import GATEWAY, environment
from tests.klaviyo_sandbox.bodies import event
from tests.klaviyo_sandbox.conftest import HEADERS
from tests.running import ROOT


def test_it_says_where_it_listens_and_takes_every_fault() -> None:
    command = [*GATEWAY, "sandbox", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.match(r"sandbox Klaviyo on (http://\S+)  ledger: (http://\S+)", process.stdout.readline())
            assert found
            with httpx.Client(base_url=found[1], trust_env=False, timeout=10) as client:
                assert client.post("/sandbox/faults", json=[{"action": {"reset": "before"}}]).status_code == 200
                with pytest.raises(httpx.TransportError):
                    client.post("/api/events", json=event(time=None), headers=HEADERS)
                assert client.post("/api/events", json=event(time=None), headers=HEADERS).status_code == 202
                assert client.get(found[2]).json()["totals"]["applied"] == 1
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()
