"""Schemathesis reads the description and tries to prove it wrong, over HTTP, with an admin's key."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from pydantic import SecretStr
from schemathesis.checks import CHECKS, load_all_checks

from app.klaviyo.sandbox import listen
from app.main import create_app
from app.security import new_key
from app.settings import Settings
from app.store import config
from app.store.engine import open_database
from tests.api.contract import description
from tests.running import MASTER_KEY, seed

load_all_checks()
# A schema cannot say that an account must exist, or that a connection excludes a platform: 422 is right there.
BEYOND_SCHEMAS: Any = CHECKS.get_by_names(["positive_data_acceptance"])
# The platforms' doors answer 401 to whatever is not signed, so their large schemas would only cost time.
SCHEMA = schemathesis.openapi.from_dict(dict(description())).exclude(path_regex="^/webhooks/")
EXAMPLES = 8


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The URL of a gateway with an account and a connection, and an admin's key."""
    folder: Path = tmp_path_factory.mktemp("fuzzed")
    made = Settings(data_dir=folder, master_key=SecretStr(MASTER_KEY), klaviyo_url="http://127.0.0.1:9")
    seed(made.url, connection="main", settings={"base_currency": "SEK"}, secrets={"endpoint_secret": "fuzzed"})
    database, key = open_database(made.url), new_key()
    database.write_now(config.add_key, key.row("fuzz", "admin", days=1, now=int(time.time() * 1000)))
    database.close_now()
    opened, url = listen()
    server = uvicorn.Server(uvicorn.Config(create_app(made, work=False), log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
    thread.start()
    yield url, key.text
    server.should_exit = True
    thread.join()


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_as_declared(case: schemathesis.Case[Any], served: tuple[str, str]) -> None:
    url, key = served
    case.call_and_validate(
        base_url=url, headers={"Authorization": f"Bearer {key}"}, excluded_checks=BEYOND_SCHEMAS, timeout=10
    )
