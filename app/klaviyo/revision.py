"""The revision of Klaviyo's API that every request names, and the limits that come with it.

A revision lives two years (stable, then deprecated): move before October 2028. Without the opt-out header Klaviyo
answers a retired revision by the oldest living one, silently; with it, by 410.
"""

from __future__ import annotations

REVISION = "2026-10-15"
FALL_FORWARD_OPT_OUT = "X-Klaviyo-Revision-Fall-Forward-Opt-Out"

BULK_EVENTS = 1000  # Klaviyo: bulk limit 1000 events a request
BULK_BYTES = 4_500_000  # Klaviyo: 5 MB a request, decompressed; we stay clear of the two readings of MB
SUBSCRIBE_PROFILES = 1000
UNSUBSCRIBE_PROFILES = 100
