"""A customer changed how a subscription is paid."""

from __future__ import annotations

from collections.abc import Iterator

from app.klaviyo.commands import Note, Track
from app.mappers.centra.schemas import SubscriptionEvent
from app.mappers.centra.settings import CentraSettings
from app.mappers.centra.subscription import told


def map(event: SubscriptionEvent, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """Successful Subscription Payment Update."""
    data = event["data"]
    return told("subscription_payment_update_succeeded", event, settings, data.get("SubscriptionContractId"))
