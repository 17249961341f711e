"""What the operator of the process sets, all of it, checked at once before anything starts.

Every field is read from the environment with the prefix ``GATEWAY_``; nothing else in the project reads it.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.errors import SettingsUnsafe

KLAVIYO = "https://a.klaviyo.com"
MASTER_KEY_CHARACTERS = 32


class Settings(BaseSettings):
    """The process's settings. ``load()`` is the way to get one."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", extra="ignore", frozen=True)

    data_dir: Path = Field(Path("data"), description="Folder of the embedded database and spool; must be a local disk.")
    database_url: str = Field("", description="sqlite:///path/file.db; default: gateway.db inside DATA_DIR.")
    master_key: SecretStr = Field(
        SecretStr(""), description="Encrypts secrets at rest; comma list, newest first, 32 characters or more each."
    )
    public_url: str = Field("", description="Where platforms reach us, shown in the docs: https://gateway.example.com")
    klaviyo_url: str = Field(KLAVIYO, description="Klaviyo; another value only for the sandbox and for tests.")
    klaviyo_share: float = Field(
        0.9,
        ge=0.05,
        le=1.0,
        description="Share of an account's rate limits to use: its other tools use the same quota.",
    )

    @field_validator("database_url")
    @classmethod
    def _known_engine(cls, url: str) -> str:
        if url and not url.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return url

    @field_validator("master_key")
    @classmethod
    def _long_keys(cls, keys: SecretStr) -> SecretStr:
        if any(len(key) < MASTER_KEY_CHARACTERS for key in _split(keys)):
            raise ValueError(
                f"every key needs {MASTER_KEY_CHARACTERS} characters or more; `gateway keys master` makes one"
            )
        return keys

    @field_validator("public_url", "klaviyo_url")
    @classmethod
    def _safe_url(cls, url: str) -> str:
        if url and not _https_or_loopback(url):
            raise ValueError("must be https:// (plain http only on loopback), without a path, query or user")
        return url.rstrip("/")

    @property
    def url(self) -> str:
        """The database that is used."""
        return self.database_url or f"sqlite:///{self.data_dir / 'gateway.db'}"

    @property
    def master_keys(self) -> tuple[str, ...]:
        """Newest first; empty when none is set."""
        return tuple(_split(self.master_key))


def load(*, need_master_key: bool = True) -> Settings:
    """Settings from the environment; raises ``SettingsUnsafe`` that names every fault at once."""
    faults: list[str] = []
    settings: Settings | None = None
    try:
        settings = Settings()
    except ValidationError as error:
        faults += [f"{_variable(e['loc'][0])}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()]
    if settings and need_master_key and not settings.master_keys:
        faults.append("GATEWAY_MASTER_KEY: is needed to keep secrets; `gateway keys master` makes one")
    if faults or settings is None:
        raise SettingsUnsafe("The gateway does not start like this:\n" + "\n".join(f"  {fault}" for fault in faults))
    return settings


def _variable(field: int | str) -> str:
    return f"GATEWAY_{field}".upper()


def _split(keys: SecretStr) -> list[str]:
    return [key.strip() for key in keys.get_secret_value().split(",") if key.strip()]


def _https_or_loopback(url: str) -> bool:
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.query or parts.fragment or parts.path not in ("", "/"):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _loopback(parts.hostname))


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
