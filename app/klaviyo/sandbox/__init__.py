"""A stand-in Klaviyo in memory: Klaviyo's endpoints by Klaviyo's rules, and a ledger of what they were sent.

It shares no code with the client, so that it can judge it. Where Klaviyo's documentation leaves a choice, the sandbox
takes the stricter one: sizes in thousands of bytes, unknown keys refused, every body judged by revision 2026-10-15
whatever living revision is named, compressed bodies refused, an invalid phone refused even beside a valid e-mail.

It differs from Klaviyo on purpose in these points:

- events and consents for domains such as example.com are kept; Klaviyo drops them silently after its 202;
- what Klaviyo processes later is processed before the answer, so import jobs are complete when they are read;
- unique ids are remembered as long as the process runs;
- nobody confirms a double opt-in: such a subscription stays a PENDING line in the ledger;
- erased people leave their events in the ledger;
- segments do not exist, and neither do the endpoints, includes and sort orders that a gateway has no use for.
"""

from app.klaviyo.sandbox.accounts import Account, Key
from app.klaviyo.sandbox.app import create_sandbox
from app.klaviyo.sandbox.server import listen, run, server

__all__ = ["Account", "Key", "create_sandbox", "listen", "run", "server"]
