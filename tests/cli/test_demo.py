"""`gateway demo` tells its story, stays up, and ends when asked."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.command import GATEWAY, environment
from tests.running import ROOT, free_port

PATIENCE_SECONDS = 60


@contextmanager
def demo(port: int) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A demo that has told its story, and what it printed so far; killed when it does not get there in time."""
    command = [*GATEWAY, "demo", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        plug = threading.Timer(PATIENCE_SECONDS, process.kill)
        plug.start()
        try:
            assert process.stdout is not None
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line.rstrip("\n"))
                if "ledger" in line:
                    break
            yield process, lines
        finally:
            plug.cancel()
            process.kill()


def url_in(lines: list[str], label: str) -> str:
    return next(re.sub(r".*(http://\S+)", r"\1", line) for line in lines if label in line)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_the_demo_tells_its_story_and_ends_when_asked(stop: signal.Signals) -> None:
    with demo(free_port()) as (process, lines):
        text = "\n".join(lines)
        told = re.search(r"Klaviyo received (\d+) events from (\d+) webhooks", text)
        assert told, text
        shown = [line for line in lines if line.startswith("   Klaviyo ←")]
        posted = [line for line in lines if line.startswith("→ 20")]
        assert 0 < int(told[1]) <= len(shown)
        assert int(told[2]) == len(posted) > 5
        assert [line for line in lines if len(line) > 100] == []
        with httpx.Client(trust_env=False, timeout=10) as http:
            assert http.get(url_in(lines, "docs of")).status_code == 200
            ledger = http.get(url_in(lines, "ledger")).json()
            assert ledger["totals"]["applied"] == int(told[1])
            key = next(line.split()[-1] for line in lines if "a key for it" in line)
            stats = url_in(lines, "docs of").replace("/docs", "/api/stats")
            counted = http.get(stats, headers={"authorization": f"Bearer {key}"}).json()
            assert counted["webhooks"]["received"] == int(told[2])
        began = time.monotonic()
        process.send_signal(stop)
        rest, _ = process.communicate(timeout=10)
        assert time.monotonic() - began < 3
        assert process.returncode == 0, rest
        assert rest.strip() == "Stopped; the demo's database is thrown away."


def test_taken_ports_are_told_and_others_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with demo(port) as (_, lines):
            assert any(line.startswith(f"Port {port} is not free; using ") for line in lines)
            assert f":{port}/" not in url_in(lines, "docs of")


def test_nothing_of_the_demo_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with demo(free_port()) as (process, _):
        assert list(tmp_path.glob("gateway-demo-*/gateway.db"))
        process.terminate()
        process.communicate(timeout=10)
        assert list(tmp_path.iterdir()) == []
