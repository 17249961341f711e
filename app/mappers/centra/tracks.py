"""What every Centra metric has in common: its switch, its name, its time, and the mark of a manual re-send."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from app.klaviyo.commands import Json, Note, Profile, Track
from app.mappers import identity
from app.mappers.centra.schemas import ShopEvent
from app.mappers.centra.settings import METRICS, RESENT, CentraSettings


def resent(event: ShopEvent) -> bool:
    """Whether somebody in Centra pressed "send again"."""
    return event["metric"].endswith(RESENT)


def track(
    slug: str,
    event: ShopEvent,
    settings: CentraSettings,
    profile: Profile,
    properties: Mapping[str, Json],
    unique_id: str,
    *,
    value: Decimal | None = None,
    grain: str = "",
) -> Track | Note:
    """One Klaviyo event, or the note that its metric is off. ``value`` is in the connection's base currency.

    A re-send is an event of its own under a name of its own, so that reports and flows stay as they were: its unique
    id ends in the caller's ``event_id``.
    """
    name = settings.names.get(slug)
    if name is None:
        return off(slug)
    if event["metric"].endswith(RESENT):
        name += RESENT
        unique_id = identity.unique_id(unique_id, event["event_id"])
    return Track(
        profile=profile,
        metric=name,
        properties=properties,
        time=event["occurred_at"],
        unique_id=unique_id,
        value=value,
        value_currency=settings.base_currency if value is not None else None,
        grain=grain,
    )


def whom(profile: Profile) -> str:
    """The grain of what goes to one person: a shop's own ids may repeat from person to person."""
    return profile.email or profile.phone_number or profile.external_id or ""


def off(slug: str) -> Note:
    """For the operator: a switch did this."""
    if slug not in METRICS:
        raise LookupError(f"{slug} is no metric yet: give it a name in METRICS (app/mappers/centra/settings.py)")
    return Note(f"{METRICS[slug]} is switched off")
