"""What we are measured against: a bare ASGI application, and the gateway one writes from the tutorials.

BENCH_APP=bare|naive BENCH_DB=file python -m uvicorn tests.bench.reference:app
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel
from sqlalchemy import LargeBinary, String, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.types import Receive, Scope, Send

from tests.bench.orders import PATH, SECRET

ACK = b'{"status":"accepted"}'


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body and answers; does nothing else."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ACK))]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": ACK})


class Address(BaseModel):
    FirstName: str = ""
    LastName: str = ""
    City: str = ""
    Country: str = ""
    CountryCode: str = ""
    Zip: str = ""
    Phone: str = ""
    Email: str


class Item(BaseModel):
    ProductID: str
    SKU: str
    ProductName: str
    Quantity: int
    GrossPaidPrice: Decimal
    OriginalPrice: Decimal
    TaxAmount: Decimal
    Categories: dict[str, str] = {}
    Brand: str = ""


class Order(BaseModel):
    CustomerCurrency: str
    GrossPaidPriceInCustomerCurrency: Decimal
    Categories: list[str]
    ItemNames: list[str]
    Items: list[Item]
    BillingAddress: Address
    ShippingAddress: Address


class Event(BaseModel):
    event_id: str
    metric: str
    occurred_at: str
    data: Order


class Base(DeclarativeBase):
    pass


class Inbox(Base):
    __tablename__ = "inbox"
    __table_args__ = (UniqueConstraint("event_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes] = mapped_column(LargeBinary)


def naive() -> FastAPI:
    """FastAPI, a pydantic body, one session and one commit a request, SQLAlchemy's ORM over aiosqlite."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{os.environ['BENCH_DB']}", connect_args={"timeout": 30})
    sessions = async_sessionmaker(engine)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield
        await engine.dispose()

    async def session() -> AsyncIterator[AsyncSession]:
        async with sessions() as opened:
            yield opened

    api = FastAPI(lifespan=lifespan)

    @api.post(PATH, status_code=202)
    async def receive(request: Request, event: Event, db: AsyncSession = Depends(session)) -> dict[str, str]:  # noqa: B008
        raw = await request.body()
        stamp, _, signature = request.headers["x-centra-signature"].partition(",v1=")
        expected = hmac.new(SECRET.encode(), stamp[2:].encode() + b"." + raw, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, signature):
            raise HTTPException(401)
        if await db.scalar(select(Inbox).where(Inbox.event_id == event.event_id)) is None:
            db.add(Inbox(event_id=event.event_id, body=raw))
            try:
                await db.commit()
            except IntegrityError:
                await db.rollback()
        return {"status": "accepted"}

    return api


app: Any = bare if os.environ.get("BENCH_APP", "bare") == "bare" else naive()
