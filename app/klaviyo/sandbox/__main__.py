"""`python -m app.klaviyo.sandbox --port 8001`: a Klaviyo to try things on, without an account."""

from __future__ import annotations

import argparse
import sys

from app.klaviyo.sandbox.server import run
from app.klaviyo.sandbox.world import DEFAULT_ACCOUNT, DEFAULT_KEY


def main() -> None:
    """Run until interrupted; prints the URL and a ready key once connections are taken."""
    parser = argparse.ArgumentParser(prog="python -m app.klaviyo.sandbox")
    parser.add_argument("--port", type=int, default=8001, help="0 picks a free one")
    parser.add_argument("--scale", type=float, default=1.0, help="how many times faster the rate limits run")
    options = parser.parse_args()

    def announce(url: str) -> None:
        sys.stdout.write(f"{url}\nready: private key {DEFAULT_KEY}, account and public key {DEFAULT_ACCOUNT}\n")
        sys.stdout.flush()

    run(options.port, scale=options.scale, announce=announce)


if __name__ == "__main__":
    main()
