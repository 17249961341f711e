"""A subscription was paused, resumed or ended."""

from __future__ import annotations

from collections.abc import Iterator

from app.klaviyo.commands import Note, Track
from app.mappers.centra.schemas import SubscriptionEvent
from app.mappers.centra.settings import CentraSettings
from app.mappers.centra.subscription import told


def map(event: SubscriptionEvent, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """Changed Subscription Status."""
    data = event["data"]
    return told("subscription_status_changed", event, settings, data.get("Subscription", {}).get("SubscriptionId"))
