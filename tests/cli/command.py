"""Running ``gateway``: its words and its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import NamedTuple
from unittest.mock import patch

from app.cli import main
from tests.running import ROOT

GATEWAY = (sys.executable, "-m", "app.cli")


class Said(NamedTuple):
    code: int
    out: str
    err: str


def environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """This machine's, without whatever it has set for a gateway."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    return {**mine, "COLUMNS": "100", "NO_COLOR": "1", **(env or {})}


def run_here(*arguments: str, env: Mapping[str, str] | None = None) -> Said:
    """In this process, ten times quicker than a child; not for ``serve``, which sets the log of its process up."""
    out, err, code = StringIO(), StringIO(), 0
    with (
        patch.dict(os.environ, environment(env), clear=True), patch.object(sys, "argv", ["gateway", *arguments]),
        redirect_stdout(out), redirect_stderr(err),
    ):  # fmt: skip
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
    return Said(code, out.getvalue(), err.getvalue())


def run(*arguments: str, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> Said:
    """As people do, in a child process."""
    done = subprocess.run(
        [*GATEWAY, *arguments],
        cwd=ROOT,
        env=environment(env),
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    said = Said(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in said.out + said.err, said
    return said
