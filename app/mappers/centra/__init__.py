"""Centra: thin webhooks that carry ids, and a door of our own for what Centra cannot push."""
