"""What a profile's `subscriptions` look like when they are read."""

from __future__ import annotations

from app.klaviyo.sandbox.call import iso
from app.klaviyo.sandbox.people import Profile


def subscriptions_of(profile: Profile) -> dict[str, object]:
    """Klaviyo's `additional-fields[profile]=subscriptions`; a channel never touched is NEVER_SUBSCRIBED."""
    consent = profile.consents.get("email.marketing")
    return {
        "email": {
            "marketing": {
                "can_receive_email_marketing": not profile.suppressions,
                **_state(profile, "email.marketing"),
                "method": "API",
                "custom_method_detail": consent.source if consent else None,
                "double_optin": False,
                "suppression": [
                    {"reason": reason, "timestamp": iso(at)} for reason, at in profile.suppressions.items()
                ],
                "list_suppressions": [
                    {"list_id": list_id, "reason": "UNSUBSCRIBE", "timestamp": iso(at)}
                    for list_id, at in profile.list_suppressions.items()
                ],
            },
            "open_tracking": _permission(profile, "email.open_tracking"),
            "click_tracking": _permission(profile, "email.click_tracking"),
        },
        "sms": {
            purpose: {
                f"can_receive_sms_{purpose}": _is_on(profile, f"sms.{purpose}"),
                **_state(profile, f"sms.{purpose}"),
            }
            for purpose in ("marketing", "transactional")
        },
        "mobile_push": {
            "marketing": {
                "can_receive_push_marketing": _is_on(profile, "push.marketing"),
                **_state(profile, "push.marketing"),
            }
        },
        "whatsapp": {
            purpose: _permission(profile, f"whatsapp.{purpose}")
            for purpose in ("marketing", "transactional", "conversational")
        },
    }


def _is_on(profile: Profile, channel: str) -> bool:
    consent = profile.consents.get(channel)
    return consent is not None and consent.status == "SUBSCRIBED"


def _state(profile: Profile, channel: str) -> dict[str, object]:
    consent = profile.consents.get(channel)
    at = iso(consent.at) if consent else None
    return {
        "consent": consent.status if consent else "NEVER_SUBSCRIBED",
        "consent_timestamp": at,
        "last_updated": at,
    }


def _permission(profile: Profile, channel: str) -> dict[str, object]:
    return {**_state(profile, channel), "can_receive": _is_on(profile, channel)}
