"""Somebody opted in to the newsletter, or out of it."""

from __future__ import annotations

from collections.abc import Iterator

from app.klaviyo.commands import Note, Subscribe, Unsubscribe
from app.mappers.centra.person import person
from app.mappers.centra.schemas import NewsletterEvent
from app.mappers.centra.settings import CentraSettings

METRIC = "(list) Newsletter"
"""Its name at our events door."""


def map(  # noqa: A001 the contract's word
    event: NewsletterEvent, settings: CentraSettings
) -> Iterator[Subscribe | Unsubscribe | Note]:
    """Consent by channel: true opts in; false opts out, unless another channel of the same event opts in."""
    profile, notes = person(event["customer"], settings)
    yield from notes
    if profile is None:
        return
    consent, source = event.get("consent", {}), event.get("data", {}).get("source")
    reachable = {"email": profile.email, "sms": profile.phone_number}
    said = {channel: consent.get(channel) for channel in reachable}
    for channel, address in reachable.items():
        if said[channel] is not None and not address:
            yield Note(f"no consent for {channel}: there is no valid address for it")
            said[channel] = None
    # One per decision: the caller's id. The same person may opt in, out and in again.
    unique_id, newsletter = event["event_id"], settings.newsletter_list_id
    if any(said.values()):
        yield Subscribe(
            profile, unique_id, newsletter, email=bool(said["email"]), sms=bool(said["sms"]),
            source=f"Centra {source}" if source else "Centra",
        )  # fmt: skip
    elif False in said.values():
        yield Unsubscribe(profile, unique_id, newsletter, email=said["email"] is False, sms=said["sms"] is False)
    else:
        yield Note("no consent was given and none withdrawn")
