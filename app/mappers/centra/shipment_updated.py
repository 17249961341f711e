"""News of a shipment: Shipping Update, and the metric of its own that the news has (Shipped, Delivered, ...)."""

from __future__ import annotations

from collections.abc import Iterator

from app.klaviyo.commands import Note, Track
from app.mappers import identity
from app.mappers.centra import body, tracks
from app.mappers.centra.person import buyer
from app.mappers.centra.schemas import ShipmentEvent
from app.mappers.centra.settings import METRICS, RESENT, CentraSettings

_STATUS_SLUGS = {METRICS[slug].casefold(): slug for slug in ("shipped", "out_for_delivery", "delivered")}


def map(event: ShipmentEvent, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """Both metrics, under whichever of them the news came: the plugin sent one or the other in different years."""
    data = event["data"]
    profile, notes = buyer(event, settings)
    yield from notes
    if profile is None:
        return
    told = event["metric"].removesuffix(RESENT).casefold()
    update = data.get("UpdateType") or METRICS.get(_STATUS_SLUGS.get(told, ""), "")
    # One per news of a shipment, e.g. Shipped-20551-1: a shipment is shipped once and delivered once.
    unique_id = body.given_id(data) or _news(update, data.get("ShipmentId")) or event["event_id"]
    properties = body.shipment(data, settings)
    if update:
        properties["UpdateType"] = update
    properties.setdefault("ShipmentId", unique_id)
    yield tracks.track("shipment_updated", event, settings, profile, properties, unique_id)
    slug = _STATUS_SLUGS.get(update.casefold())
    if slug and not tracks.resent(event):
        yield tracks.track(slug, event, settings, profile, properties, unique_id)


def _news(update: str, shipment: str | None) -> str | None:
    if not shipment:
        return None
    return shipment if not update or shipment.startswith(update) else identity.unique_id(update, shipment)
