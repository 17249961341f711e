"""Wrong settings stop the start and name every fault at once."""

from __future__ import annotations

import pytest

from app.errors import SettingsUnsafe
from app.settings import load

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATA_DIR", "DATABASE_URL", "MASTER_KEY", "PUBLIC_URL", "KLAVIYO_URL"):
        monkeypatch.delenv(f"GATEWAY_{name}", raising=False)


def test_a_master_key_is_all_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_MASTER_KEY", KEY)
    settings = load()
    assert settings.url == "sqlite:///data/gateway.db"
    assert settings.klaviyo_url == "https://a.klaviyo.com"


def test_every_fault_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_MASTER_KEY", "short")
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", "ftp://gateway.example.com")
    monkeypatch.setenv("GATEWAY_KLAVIYO_URL", "http://elsewhere.example.com")
    monkeypatch.setenv("GATEWAY_DATABASE_URL", "mysql://x")
    with pytest.raises(SettingsUnsafe) as refused:
        load()
    text = str(refused.value)
    assert all(f"GATEWAY_{name}:" in text for name in ("MASTER_KEY", "PUBLIC_URL", "KLAVIYO_URL", "DATABASE_URL"))
    assert "short" not in text


def test_without_a_master_key_nothing_starts() -> None:
    with pytest.raises(SettingsUnsafe, match="GATEWAY_MASTER_KEY"):
        load()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8081", "http://localhost:9", "https://a.klaviyo.com", "http://[::1]:1"]
)
def test_klaviyo_is_reached_by_https_or_on_this_machine(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("GATEWAY_MASTER_KEY", KEY)
    monkeypatch.setenv("GATEWAY_KLAVIYO_URL", url)
    assert load().klaviyo_url == url


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1.evil.example", "https://user@a.klaviyo.com", "https://a.klaviyo.com/path", "//x", "https://"],
)
def test_other_urls_are_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("GATEWAY_MASTER_KEY", KEY)
    monkeypatch.setenv("GATEWAY_KLAVIYO_URL", url)
    with pytest.raises(SettingsUnsafe, match="GATEWAY_KLAVIYO_URL"):
        load()


def test_several_master_keys_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_MASTER_KEY", f"{KEY}-new , {KEY}-old")
    assert load().master_keys == (f"{KEY}-new", f"{KEY}-old")
