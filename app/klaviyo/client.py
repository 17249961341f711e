"""Calling Klaviyo: one request, one deadline, one reply that outcomes.py can judge. No retries here but in a test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from app import http
from app.klaviyo.outcomes import Reply, retry_after
from app.klaviyo.revision import FALL_FORWARD_OPT_OUT, REVISION

DEADLINE_SECONDS = 30.0
LONGEST_TURN = 3.0
SCOPES: Mapping[str, tuple[str, str]] = {
    "events:write": ("POST", "/api/events"),
    "profiles:write": ("POST", "/api/profile-import"),
    "lists:read": ("GET", "/api/lists"),
    "lists:write": ("POST", "/api/profile-subscription-bulk-create-jobs"),
    "subscriptions:write": ("POST", "/api/profile-subscription-bulk-create-jobs"),
    "metrics:read": ("GET", "/api/metrics"),
}


@dataclass(frozen=True, slots=True)
class AccountState:
    """What Klaviyo says about a key: ``status`` 200 works, 401 not valid, 403 without accounts:read."""

    status: int | None
    detail: str
    organization: str = ""
    public_key: str = ""
    currency: str = ""
    timezone: str = ""


class Klaviyo:
    """Klaviyo's API at one base URL, for any account's key."""

    def __init__(self, client: http.Client, base_url: str) -> None:
        self._client, self._base_url = client, base_url

    async def send(self, private_key: str, path: str, body: bytes | None, method: str = "POST") -> Reply:
        """One call; whatever happens becomes a ``Reply``."""
        headers = {
            "authorization": f"Klaviyo-API-Key {private_key}",
            "revision": REVISION,
            "accept": "application/vnd.api+json",
            "content-type": "application/vnd.api+json",
            FALL_FORWARD_OPT_OUT: "1",
        }
        try:
            answer = await http.send(
                self._client, method, self._base_url + path, headers=headers, content=body, deadline=DEADLINE_SECONDS
            )
        except http.Unknown as error:
            if error.answered is not None and 200 <= error.answered < 300:
                return Reply(error.answered, {}, b"", str(error))  # the code decides: 2xx bodies are empty or unread
            return Reply(None, {}, b"", str(error))
        except http.NotSent as error:
            return Reply(None, {}, b"", str(error))
        return Reply(answer.status, answer.headers, answer.body)

    async def account(self, private_key: str) -> AccountState:
        """The connection test (Klaviyo: 1 call a second, 15 a minute; never poll it).

        Asked twice in a second it waits its turn once, for at most ``LONGEST_TURN``.
        """
        reply = await self.send(private_key, "/api/accounts", None, "GET")
        if reply.status == 429:
            turn = retry_after(reply.headers.get("retry-after"), time.time())
            await asyncio.sleep(LONGEST_TURN if turn is None else min(turn, LONGEST_TURN))
            reply = await self.send(private_key, "/api/accounts", None, "GET")
        if reply.status != 200:
            return AccountState(reply.status, reply.problem or _said(reply.body))
        return _account(reply.body)

    async def missing_scopes(self, private_key: str, account: AccountState) -> list[str]:
        """The scopes that this key lacks, asked with requests too empty to do anything; ``account()`` came before, and
        may not be asked twice in a second.
        """
        missing = ["accounts:read"] if account.status == 403 else []
        for scope, (method, path) in SCOPES.items():
            reply = await self.send(private_key, path, b"{}" if method == "POST" else None, method)
            if reply.status == 403 and "html" not in reply.headers.get("content-type", ""):
                missing.append(scope)
        return missing


def _account(body: bytes) -> AccountState:
    """Read leniently: Klaviyo adds fields within a revision."""
    try:
        attributes = orjson.loads(body)["data"][0]["attributes"]
        contact = attributes.get("contact_information") or {}
        return AccountState(
            200, "",
            organization=str(contact.get("organization_name") or ""),
            public_key=str(attributes.get("public_api_key") or ""),
            currency=str(attributes.get("preferred_currency") or ""),
            timezone=str(attributes.get("timezone") or ""),
        )  # fmt: skip
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        return AccountState(200, "Klaviyo's answer could not be read")


def _said(body: bytes) -> str:
    try:
        error = orjson.loads(body)["errors"][0]
        return f"{error.get('title', '')} {error.get('detail', '')}".strip()
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        return "no reason given"
