"""Somebody asked for a new password. The link is a secret: it is in the event and nowhere else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from app.klaviyo.commands import Note, Track
from app.mappers.centra import body, tracks
from app.mappers.centra.person import person
from app.mappers.centra.schemas import ResetEvent
from app.mappers.centra.settings import CentraSettings


def map(event: ResetEvent, settings: CentraSettings) -> Iterator[Track | Note]:  # noqa: A001 the contract's word
    """Reset Password."""
    data = event["data"]
    profile, notes = person(event["customer"], settings)
    yield from notes
    if profile is None:
        return
    # One per link: a link is mailed once, a second request has another one. The shop's own id may be a constant
    # (the plugin's manual shows 123), so our key also holds whom the link is for.
    unique_id = body.given_id(data) or hashlib.sha256(data["PasswordResetLink"].encode()).hexdigest()[:32]
    yield tracks.track(
        "password_reset", event, settings, profile, body.plain(data), unique_id, grain=tracks.whom(profile)
    )
