"""Whether settings and secrets fit their platform: every fault at once, with its pointer and without the value."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from app.connections import merge_patch
from app.errors import Fault, faults_of
from app.mappers.registry import PLATFORMS
from app.mappers.source import ConnectionSecrets, Source
from app.routers.shapes import unseen
from app.store.config import Found


def settings_faults(source: Source[Any], settings: Mapping[str, object], scopes: Collection[Found]) -> list[Fault]:
    """What is wrong with a connection's settings, alone and with each of its scopes laid over them."""
    faults = _faults(source.settings, settings, "/settings") + unseen(settings, "/settings")
    if not faults:
        for row in scopes:
            found = scope_faults(source, settings, json.loads(row.settings))
            faults += [Fault(fault.pointer, f"with the scope {row.scope}: {fault.detail}") for fault in found]
    return faults


def scope_faults(source: Source[Any], settings: Mapping[str, object], override: Mapping[str, object]) -> list[Fault]:
    """What is wrong with the settings once ``override`` is laid over them."""
    return _faults(source.settings, merge_patch(settings, override), "/settings") + unseen(override, "/settings")


def secrets_faults(source: Source[Any], secrets: Mapping[str, object]) -> list[Fault]:
    """What is wrong with a connection's secrets."""
    return _faults(source.secrets, secrets, "/secrets") + unseen(secrets, "/secrets")


def revealed(source: Source[Any], secrets: Mapping[str, object]) -> dict[str, str]:
    """Faultless secrets in plain text, those that are set."""
    read: ConnectionSecrets = source.secrets.model_validate(secrets)
    return read.revealed()


def account_faults(account: object, known: Collection[str]) -> list[Fault]:
    """Whether the account that something is tied to is there."""
    return [] if account is None or account in known else [Fault("/account", "there is no such account")]


def platform_fault() -> Fault:
    """The platform is none of ours."""
    return Fault("/platform", f"not a platform; known are {', '.join(source.name for source in PLATFORMS)}")


def _faults(model: type[BaseModel], values: Mapping[str, object], prefix: str) -> list[Fault]:
    """Strictly, as JSON: "300" is no number here, although the model itself reads it as one."""
    try:
        model.model_validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        return faults_of(error, prefix)
    return []
