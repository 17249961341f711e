"""The contract of a platform: its doors, its settings, and the table event name → mapping.

A lookup has three answers: mapped (``table``), ignored on purpose (``ignored``, with the reason), unknown (neither).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Generic, Protocol, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, TypeAdapter

from app.klaviyo.commands import Command, Note

if TYPE_CHECKING:
    from app.http import Client

T = TypeVar("T")
S = TypeVar("S", bound="ConnectionSettings")


class ConnectionSettings(BaseModel):
    """Base of every platform's settings: closed, frozen, safe to hand to a mapper."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _not_empty(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value():
        raise ValueError("a secret is not empty; null takes it away")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_not_empty), Field(json_schema_extra={"minLength": 1})]
"""A secret of a connection."""


class ConnectionSecrets(BaseModel):
    """Base of every platform's secrets: write-only, encrypted at rest. Fields are ``SecretStr`` or absent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def revealed(self) -> dict[str, str]:
        """The secrets that are set, in plain text, for sealing and for verifiers."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value.get_secret_value() for name, value in fields.items() if isinstance(value, SecretStr)}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, taken out of a webhook (which may carry many)."""

    name: str
    body: object


@dataclass(frozen=True, slots=True)
class Need:
    """What must be asked of the platform before an event can be mapped, e.g. ``Need("order", "20551")``."""

    what: str
    id: str

    @property
    def name(self) -> str:
        """How the answer is filed: ``order:20551``."""
        return f"{self.what}:{self.id}"


@dataclass(frozen=True, slots=True)
class Mapping(Generic[T, S]):
    """How one event name becomes commands. Made by ``on``."""

    slug: str
    schema: TypeAdapter[T]
    map: Callable[[T, S], Iterable[Command | Note]]
    need: Callable[[object], Need] | None


# One reader for each schema: making it takes milliseconds, and many event names share a schema.
_READERS: dict[Any, TypeAdapter[Any]] = {}


def on(
    slug: str,
    schema: type[T],
    map: Callable[[T, S], Iterable[Command | Note]],  # noqa: A002 the contract's word
    *,
    need: Callable[[object], Need] | None = None,
) -> Mapping[T, S]:
    """One line of a platform's table.

    ``schema`` reads the event's body or, when ``need`` is given, the stored answer to that need. ``map`` is pure:
    the same bytes and settings give the same commands for ever. A generic function, so that mypy refuses a schema
    and a mapper that do not fit.
    """
    reader = _READERS.get(schema) or _READERS.setdefault(schema, TypeAdapter(schema))
    return Mapping(slug, reader, map, need)


class Checked(Protocol):
    """What an operator's connection test found; no ``problems`` means that everything an event needs can be fetched."""

    @property
    def problems(self) -> tuple[str, ...]: ...
    @property
    def token_warning(self) -> str | None: ...


class Api(Protocol):
    """The platform's API, asked for what its webhooks leave out."""

    async def fetch(self, need: Need, settings: Any, secrets: Map[str, str], /) -> bytes:
        """The answer to keep beside the webhook. Raises ``FetchFailed`` (try later) or ``Unusable`` (not there)."""

    async def check(self, settings: Any, secrets: Map[str, str], /) -> Checked:
        """A connection test; every fault is in the answer."""


@dataclass(frozen=True, slots=True)
class Example:
    """A real body for the docs page."""

    title: str
    body: Any


@dataclass(frozen=True)
class Door:
    """One URL a platform posts to, ``path`` with ``{connection}``.

    ``verify(headers, raw, secrets, settings, now)`` raises ``Unauthorized`` (``now`` in epoch seconds; header names
    lower-case bytes). ``secrets`` names those of which one must be set, or the door is closed (404).
    ``events(raw)`` takes the webhook
    apart, from stored bytes only, and raises ``Unusable``. ``answer`` is the platform's success code and body;
    ``receipt(raw, id, new)`` instead builds a body that judges each item. ``signing`` tells
    people how to sign a call, in Markdown.
    """

    name: str
    path: str
    secrets: tuple[str, ...]
    verify: Callable[[Map[bytes, bytes], bytes, Map[str, str], Any, float], None]
    events: Callable[[bytes], Sequence[Event]]
    content_type: str
    examples: tuple[Example, ...]
    schema: Map[str, Any]
    summary: str
    status: int = 200
    body: bytes = b""
    receipt: Callable[[bytes, int, bool], bytes] | None = None
    max_bytes: int = 2 * 1024 * 1024
    signing: str = ""


@dataclass(frozen=True)
class Source(Generic[S]):
    """A platform. ``scopes_of(event)`` names the scopes whose overrides apply, weakest first; ``connect`` makes its
    API client out of the process's HTTP client; ``warns(settings, now)`` tells of what will soon end, e.g. a token.
    """

    name: str
    title: str
    settings: type[S]
    secrets: type[ConnectionSecrets]
    doors: tuple[Door, ...]
    table: Map[str, Mapping[Any, S]]
    ignored: Map[str, str] = field(default_factory=dict)
    scopes_of: Callable[[object], tuple[str, ...]] = lambda _: ()
    warns: Callable[[S, float], str | None] = lambda _, __: None
    connect: Callable[[Client], Api] | None = None
