"""The closed bodies of events, imports, lists and erasures (revision 2026-10-15)."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from app.klaviyo.sandbox.fields import Currency, Email, EventProperties, EventTime, Identifier, MetricName, Money, Phone
from app.klaviyo.sandbox.shapes import CLOSED, EventProfileResource, ListReference, ProfileResource

EVENTS_PER_REQUEST = 1000
PROFILES_PER_IMPORT = 10_000
MEMBERS_PER_REQUEST = 1000


@with_config(CLOSED)
class MetricAttributes(TypedDict):
    """The name of a metric, fewer than 128 characters."""

    name: MetricName
    service: NotRequired[str | None]


@with_config(CLOSED)
class MetricResource(TypedDict):
    """A metric as a JSON:API resource."""

    type: Literal["metric"]
    attributes: MetricAttributes


@with_config(CLOSED)
class Metric(TypedDict):
    """The metric of an event."""

    data: MetricResource


@with_config(CLOSED)
class EventProfile(TypedDict):
    """The person of an event or of a group of events."""

    data: EventProfileResource


@with_config(CLOSED)
class BulkEventAttributes(TypedDict):
    """An event of a bulk request, whose person is named once for its group."""

    metric: Metric
    properties: EventProperties
    time: NotRequired[EventTime | None]
    value: NotRequired[Money | None]
    value_currency: NotRequired[Currency | None]
    unique_id: NotRequired[Identifier | None]
    backfill: NotRequired[bool | None]


@with_config(CLOSED)
class EventAttributes(BulkEventAttributes):
    """A single event."""

    profile: EventProfile


@with_config(CLOSED)
class EventResource(TypedDict):
    """A single event as a JSON:API resource."""

    type: Literal["event"]
    attributes: EventAttributes


@with_config(CLOSED)
class EventBody(TypedDict):
    """POST /api/events."""

    data: EventResource


@with_config(CLOSED)
class BulkEventResource(TypedDict):
    """An event of a group."""

    type: Literal["event"]
    attributes: BulkEventAttributes


@with_config(CLOSED)
class GroupEvents(TypedDict):
    """The events of one person."""

    data: Annotated[list[BulkEventResource], Field(min_length=1, max_length=EVENTS_PER_REQUEST)]


@with_config(CLOSED)
class GroupAttributes(TypedDict):
    """A person and their events; `backfill` here holds for all of them."""

    profile: EventProfile
    events: GroupEvents
    backfill: NotRequired[bool | None]


@with_config(CLOSED)
class Group(TypedDict):
    """A group as a JSON:API resource."""

    type: Literal["event-bulk-create"]
    attributes: GroupAttributes


@with_config(CLOSED)
class Groups(TypedDict):
    """The groups of a bulk request."""

    data: Annotated[list[Group], Field(min_length=1, max_length=EVENTS_PER_REQUEST)]


@with_config(CLOSED)
class BulkEventsJobAttributes(TypedDict):
    """The key is spelt with hyphens."""

    groups: Annotated[Groups, Field(alias="events-bulk-create")]


@with_config(CLOSED)
class BulkEventsJob(TypedDict):
    """A bulk request as a JSON:API resource."""

    type: Literal["event-bulk-create-job"]
    attributes: BulkEventsJobAttributes


@with_config(CLOSED)
class BulkEventsBody(TypedDict):
    """POST /api/event-bulk-create-jobs."""

    data: BulkEventsJob


@with_config(CLOSED)
class ProfileBody(TypedDict):
    """POST /api/profile-import."""

    data: ProfileResource


@with_config(CLOSED)
class ListReferences(TypedDict):
    """Plural, as the bulk import has it."""

    data: list[ListReference]


@with_config(CLOSED)
class ImportRelationships(TypedDict, total=False):
    """The lists that imported profiles join, without consent."""

    lists: ListReferences


@with_config(CLOSED)
class ImportProfiles(TypedDict):
    """Up to 10,000 profiles."""

    data: Annotated[list[ProfileResource], Field(min_length=1, max_length=PROFILES_PER_IMPORT)]


@with_config(CLOSED)
class ImportAttributes(TypedDict):
    """What an import job is made of."""

    profiles: ImportProfiles


@with_config(CLOSED)
class ImportJob(TypedDict):
    """An import job as a JSON:API resource."""

    type: Literal["profile-bulk-import-job"]
    attributes: ImportAttributes
    relationships: NotRequired[ImportRelationships]


@with_config(CLOSED)
class ImportBody(TypedDict):
    """POST /api/profile-bulk-import-jobs."""

    data: ImportJob


@with_config(CLOSED)
class MemberReference(TypedDict):
    """A profile by Klaviyo's own id; e-mail addresses are not taken here."""

    type: Literal["profile"]
    id: Identifier


@with_config(CLOSED)
class MembersBody(TypedDict):
    """POST and DELETE /api/lists/{id}/relationships/profiles."""

    data: Annotated[list[MemberReference], Field(min_length=1, max_length=MEMBERS_PER_REQUEST)]


@with_config(CLOSED)
class ListAttributes(TypedDict):
    """A new list; without `opt_in_process` the account's default applies."""

    name: Annotated[str, Field(min_length=1)]
    opt_in_process: NotRequired[Literal["single_opt_in", "double_opt_in"] | None]


@with_config(CLOSED)
class ListResource(TypedDict):
    """A new list as a JSON:API resource."""

    type: Literal["list"]
    attributes: ListAttributes


@with_config(CLOSED)
class ListBody(TypedDict):
    """POST /api/lists."""

    data: ListResource


@with_config(CLOSED)
class ErasureAttributes(TypedDict, total=False):
    """The identifier to erase; empty when `data.id` is used."""

    email: Email | None
    phone_number: Phone | None


@with_config(CLOSED)
class ErasureProfileResource(TypedDict):
    """The person to erase; `attributes` is required even beside an `id`."""

    type: Literal["profile"]
    id: NotRequired[Identifier | None]
    attributes: ErasureAttributes


@with_config(CLOSED)
class ErasureProfile(TypedDict):
    """The person to erase."""

    data: ErasureProfileResource


@with_config(CLOSED)
class ErasureJobAttributes(TypedDict):
    """What an erasure is made of."""

    profile: ErasureProfile


@with_config(CLOSED)
class ErasureJob(TypedDict):
    """An erasure as a JSON:API resource."""

    type: Literal["data-privacy-deletion-job"]
    attributes: ErasureJobAttributes


@with_config(CLOSED)
class ErasureBody(TypedDict):
    """POST /api/data-privacy-deletion-jobs."""

    data: ErasureJob
