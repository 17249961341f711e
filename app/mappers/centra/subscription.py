"""What the four metrics about subscriptions have in common."""

from __future__ import annotations

from collections.abc import Iterator

from app.klaviyo.commands import Note, Track
from app.mappers import identity
from app.mappers.centra import body, tracks
from app.mappers.centra.person import person
from app.mappers.centra.schemas import SubscriptionEvent
from app.mappers.centra.settings import CentraSettings


def told(slug: str, event: SubscriptionEvent, settings: CentraSettings, *ids: str | None) -> Iterator[Track | Note]:
    """One event. Its unique id is the plugin's, or ``ids`` and the second it happened: a subscription has many."""
    data = event["data"]
    profile, notes = person(event["customer"], settings)
    yield from notes
    if profile is None:
        return
    known = [given for given in ids if given]
    second = str(int(event["occurred_at"].timestamp()))
    unique_id = body.given_id(data) or (identity.unique_id(*known, second) if known else event["event_id"])
    yield tracks.track(slug, event, settings, profile, body.plain(data), unique_id, value=body.value(data))
