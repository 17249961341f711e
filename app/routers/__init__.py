"""One file per door of our own API. No mapping and no SQL here."""
