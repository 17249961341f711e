from __future__ import annotations

import ast
import signal
import subprocess
import sys
from pathlib import Path

import httpx

import app.klaviyo.sandbox
from tests.klaviyo_sandbox.bodies import event
from tests.klaviyo_sandbox.conftest import HEADERS

PACKAGE = Path(app.klaviyo.sandbox.__file__).parent


def test_the_command_prints_its_url_once_it_listens_and_ends_when_asked() -> None:
    command = [sys.executable, "-m", "app.klaviyo.sandbox", "--port", "0", "--scale", "1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().strip()
        assert process.stdout.readline() == "ready: private key pk_sandbox, account and public key SANDBX\n"
        live = event(time=None)
        assert httpx.post(f"{url}/api/events", json=live, headers=HEADERS, trust_env=False).status_code == 202
        assert httpx.get(f"{url}/sandbox/ledger?kind=events", trust_env=False).json()["totals"]["applied"] == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""


def test_the_judge_shares_no_code_with_the_judged() -> None:
    def modules(source: Path) -> list[str]:
        found = []
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Import):
                found += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                found.append(node.module or "")
        return found

    own = {name for source in PACKAGE.glob("*.py") for name in modules(source) if name.split(".")[0] == "app"}
    assert "app.klaviyo.sandbox.world" in own
    assert [name for name in own if not f"{name}.".startswith("app.klaviyo.sandbox.")] == []
