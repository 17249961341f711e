"""The Klaviyo gateway: webhooks in, durable; Klaviyo commands out, exactly once in effect."""
