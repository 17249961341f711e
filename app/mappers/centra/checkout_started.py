"""Somebody gave an e-mail address at the checkout: what the abandoned-cart flow waits for."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from app.klaviyo.commands import Note, Track
from app.mappers.centra import body, tracks
from app.mappers.centra.person import buyer
from app.mappers.centra.schemas import OrderEvent
from app.mappers.centra.settings import CentraSettings

_PLACEHOLDER = "{selection}"


def map(event: OrderEvent, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """Started Checkout, with the link back to the cart."""
    data = event["data"]
    profile, notes = buyer(event, settings)
    yield from notes
    if profile is None:
        return
    # One per selection (Centra's cart): its first start. A new cart is a new selection.
    selection = data.get("SelectionId") or body.given_id(data) or event["event_id"]
    properties = body.order(data, settings)
    if "OrderId" not in data:
        properties.pop("OrderId", None)  # a cart has no number yet; its id is the selection's
    link = data.get("AbandonedCartURL") or settings.cart_link
    if link:
        properties["AbandonedCartURL"] = link.replace(_PLACEHOLDER, quote(selection, safe=""))
    else:
        yield Note("without AbandonedCartURL: the event brings none and the setting cart_link is not set")
    yield tracks.track("checkout_started", event, settings, profile, properties, selection, value=body.value(data))
