"""Everything about Klaviyo, nothing about any platform."""
