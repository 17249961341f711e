"""Klaviyo accounts: setting them up, and testing whether their private keys do what delivery needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Request, Response
from pydantic import AfterValidator, Field, SecretStr

from app.connections import account_place
from app.errors import Conflict, NotFound
from app.klaviyo.client import AccountState
from app.routers.auth import ADMIN, OPERATOR, VIEWER, gateway
from app.routers.gate import keyed_router, refusals
from app.routers.shapes import Answer, Ask, Id, Moment, Name, Page, PathId, moment, now, set_fields
from app.security import Unsealable, last_four
from app.store import config, lanes
from app.store.tables import accounts

ROUTER = keyed_router("/accounts", "Klaviyo accounts")

KEY_SHORTEST = 8
KEY_LONGEST = 255


def _header_safe(key: SecretStr) -> SecretStr:
    """The key travels in a header, where a stray blank or line break would break or split it."""
    text = key.get_secret_value()
    if not KEY_SHORTEST <= len(text) <= KEY_LONGEST:
        raise ValueError(f"a private key has at least {KEY_SHORTEST} characters and at most {KEY_LONGEST}")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("a private key has no blanks, and only letters, digits and signs of ASCII")
    return key


PublicKey = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]{6}$", description="Klaviyo's public key, the company id.", examples=["SANDBX"])
]
PrivateKey = Annotated[
    SecretStr,
    Field(
        examples=["pk_0123456789abcdef0123456789abcdef01"],
        json_schema_extra={"pattern": "^[!-~]+$", "minLength": KEY_SHORTEST, "maxLength": KEY_LONGEST},
        description="A private key of Klaviyo. It is sealed, and never shown again but for its last four characters.",
    ),
    AfterValidator(_header_safe),
]  # fmt: skip


class NewAccount(Ask):
    """A Klaviyo account to deliver to."""

    id: Id = Field(description="Your own id for it; it cannot be changed.")
    name: Name = Field(description="Its name for people.")
    public_key: PublicKey
    private_key: PrivateKey


class AccountChange(Ask):
    """What is named is changed, the rest stays."""

    # No default is ever validated or shown: a field left out is not in model_fields_set, and null is no value.
    name: Name = Field(default_factory=str, description="Its name for people.")
    public_key: PublicKey = Field(default_factory=str)
    private_key: PrivateKey = Field(default_factory=lambda: SecretStr(""))


class Account(Answer):
    """A Klaviyo account."""

    id: str = Field(description="Your own id for it.", examples=["main"])
    name: str = Field(description="Its name for people.", examples=["Main shop"])
    public_key: str = Field(description="Klaviyo's public key, the company id.", examples=["SANDBX"])
    private_key_last_four: str = Field(description="The end of the private key.", examples=["4f2a"])
    created_at: Moment = Field(description="When it was set up.")
    updated_at: Moment = Field(description="When it was last changed.")


class AccountTest(Answer):
    """What Klaviyo says about the private key."""

    works: bool = Field(description="Whether everything the gateway sends can be delivered with this key.")
    verdict: str = Field(
        description="What it means and what to do, for people.",
        examples=["The key works and has every scope that the gateway needs."],
    )
    missing_scopes: list[str] = Field(description="Scopes that the key lacks.", examples=[[]])
    organization: str = Field(description="The account's name at Klaviyo.", examples=["Example Clothes AB"])
    public_key: str = Field(description="The public key at Klaviyo.", examples=["SANDBX"])
    currency: str = Field(description="The account's preferred currency.", examples=["EUR"])
    timezone: str = Field(description="The account's time zone.", examples=["Europe/Stockholm"])


@ROUTER.get("", dependencies=[VIEWER], summary="List accounts")
async def list_accounts(request: Request) -> Page[Account]:
    """Every account, by id."""
    rows = await gateway(request).database.read(config.all_accounts)
    return Page(items=[_shown(row) for row in rows], next=None)


@ROUTER.post("", dependencies=[ADMIN], summary="Add an account", status_code=201, responses=refusals(Conflict))
async def add_account(request: Request, response: Response, body: NewAccount) -> Account:
    """Keep a Klaviyo account and its private key. Test it afterwards: nothing is sent to Klaviyo here."""
    parts, at = gateway(request), now()
    values = {
        "id": body.id, "name": body.name, "public_key": body.public_key, "created_at": at, "updated_at": at,
        **_sealed(request, body.id, body.private_key),
    }  # fmt: skip
    if not await parts.database.write(config.add, accounts, values):
        raise Conflict("there is an account with this id already")
    await parts.connections.refresh()
    response.headers["location"] = f"/api/accounts/{body.id}"
    return _shown(await _find(request, body.id))


@ROUTER.get("/{account_id}", dependencies=[VIEWER], summary="Show an account", responses=refusals(NotFound))
async def show_account(request: Request, account_id: PathId) -> Account:
    """One account."""
    return _shown(await _find(request, account_id))


@ROUTER.patch("/{account_id}", dependencies=[ADMIN], summary="Change an account", responses=refusals(NotFound))
async def change_account(request: Request, account_id: PathId, body: AccountChange) -> Account:
    """Change what is named. A new private key also lifts the pause that a refused one brought."""
    parts = gateway(request)
    values = {**set_fields(body), "updated_at": now()}
    if "private_key" in values:
        values |= _sealed(request, account_id, body.private_key)
    if not await parts.database.write(config.put, accounts, account_id, values):
        raise NotFound("there is no such account")
    await parts.connections.refresh()
    if "private_key" in values:
        await parts.database.write(lanes.resume_account, account_id, now())
        parts.delivery.wake.set()
    return _shown(await _find(request, account_id))


@ROUTER.delete(
    "/{account_id}", dependencies=[ADMIN], summary="Remove an account", status_code=204,
    responses=refusals(NotFound, Conflict),
)  # fmt: skip
async def remove_account(request: Request, account_id: PathId) -> None:
    """Remove an account that nothing uses and nothing was sent to."""
    parts = gateway(request)
    await _find(request, account_id)
    if not await parts.database.write(config.remove_account, account_id):
        raise Conflict("connections, scopes or commands belong to this account")
    await parts.connections.refresh()


@ROUTER.post("/{account_id}/test", dependencies=[OPERATOR], summary="Test an account", responses=refusals(NotFound))
async def test_account(request: Request, account_id: PathId) -> AccountTest:
    """Ask Klaviyo whether the private key works and has the scopes that delivery needs. Nothing is changed there."""
    parts = gateway(request)
    row = await _find(request, account_id)
    try:
        key = parts.box.open(row.private_key, account_place(account_id))
    except Unsealable:
        text = "The stored private key does not open with the present GATEWAY_MASTER_KEY. Set the private key again."
        return _tested(AccountState(None, ""), [], text)
    state = await parts.klaviyo.account(key)
    missing = await parts.klaviyo.missing_scopes(key, state) if state.status in (200, 403) else []
    return _tested(state, missing, verdict(state, missing, str(row.public_key)))


def verdict(state: AccountState, missing: Sequence[str], public_key: str) -> str:
    """What Klaviyo's answer means and what to do about it; empty when all is well."""
    if state.status is None:
        return f"Klaviyo could not be reached: {state.detail}. What is stored waits; try again."
    if state.status == 401:
        return "Klaviyo does not know this private key: it was revoked or mistyped. Make a new one and set it here."
    if missing:
        return (
            f"The key works but lacks {', '.join(missing)}. Klaviyo cannot add scopes to a key: "
            "make a new one with these too and set it here."
        )
    if state.status != 200:
        return f"Klaviyo answered {state.status}: {state.detail}. Try again later."
    if state.public_key and state.public_key != public_key:
        return f"The key works, but for another account: its public key is {state.public_key}, not {public_key}."
    return ""


def _tested(state: AccountState, missing: Sequence[str], problem: str) -> AccountTest:
    return AccountTest(
        works=not problem,
        verdict=problem or "The key works and has every scope that the gateway needs.",
        missing_scopes=list(missing),
        organization=state.organization,
        public_key=state.public_key,
        currency=state.currency,
        timezone=state.timezone,
    )


def _sealed(request: Request, account_id: str, key: SecretStr) -> dict[str, object]:
    text = key.get_secret_value()
    sealed = gateway(request).box.seal(text, account_place(account_id))
    return {"private_key": sealed, "private_key_end": last_four(text)}


async def _find(request: Request, account_id: str) -> config.Found:
    row = await gateway(request).database.read(config.account, account_id)
    if row is None:
        raise NotFound("there is no such account")
    return row


def _shown(row: config.Found) -> Account:
    return Account(
        id=row.id, name=row.name, public_key=row.public_key, private_key_last_four=row.private_key_end,
        created_at=moment(row.created_at), updated_at=moment(row.updated_at),
    )  # fmt: skip
