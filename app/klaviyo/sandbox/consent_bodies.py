"""The closed bodies of subscribe, unsubscribe, suppress and unsuppress."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypeVar

from pydantic import AfterValidator, Field, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from app.klaviyo.sandbox.fields import Date, Email, Identifier, PastTime, Phone, Text
from app.klaviyo.sandbox.shapes import CLOSED, ListReference

SUBSCRIPTIONS_PER_REQUEST = 1000
UNSUBSCRIPTIONS_PER_REQUEST = 100
SUPPRESSIONS_PER_REQUEST = 100

Choice = TypeVar("Choice")


def _chosen(choices: Choice) -> Choice:
    if not choices:
        raise PydanticCustomError("invalid", "At least one subscription is required.")
    return choices


@with_config(CLOSED)
class Grant(TypedDict):
    """A consent that can carry the time at which it was given."""

    consent: Literal["SUBSCRIBED"]
    consented_at: NotRequired[PastTime | None]


@with_config(CLOSED)
class TrackingGrant(TypedDict):
    """A consent to be measured."""

    consent: Literal["SUBSCRIBED"]


@with_config(CLOSED)
class PushToken(TypedDict):
    """A device; the optional lines are kept open because a gateway has no use for them."""

    token: Annotated[str, Field(min_length=1)]
    platform: Literal["ios", "android"]
    vendor: Literal["apns", "fcm"]
    enablement_status: NotRequired[str | None]
    background: NotRequired[str | None]
    device_metadata: NotRequired[dict[str, str | None]]


@with_config(CLOSED)
class EmailGrants(TypedDict, total=False):
    """E-mail."""

    marketing: Grant
    open_tracking: TrackingGrant
    click_tracking: TrackingGrant


@with_config(CLOSED)
class PhoneGrants(TypedDict, total=False):
    """SMS and WhatsApp."""

    marketing: Grant
    transactional: Grant


@with_config(CLOSED)
class PushGrants(TypedDict):
    """Push; `anonymous_id` stands for a person without e-mail address and phone."""

    marketing: Grant
    tokens: NotRequired[list[PushToken] | None]
    anonymous_id: NotRequired[Identifier | None]


@with_config(CLOSED)
class Subscriptions(TypedDict, total=False):
    """The channels to subscribe."""

    email: Annotated[EmailGrants, AfterValidator(_chosen)]
    sms: Annotated[PhoneGrants, AfterValidator(_chosen)]
    whatsapp: Annotated[PhoneGrants, AfterValidator(_chosen)]
    push: PushGrants


@with_config(CLOSED)
class SubscriberAttributes(TypedDict):
    """No names and no custom properties here."""

    email: NotRequired[Email | None]
    phone_number: NotRequired[Phone | None]
    subscriptions: Annotated[Subscriptions, AfterValidator(_chosen)]
    age_gated_date_of_birth: NotRequired[Date | None]


@with_config(CLOSED)
class Subscriber(TypedDict):
    """A person to subscribe."""

    type: Literal["profile"]
    id: NotRequired[Identifier | None]
    attributes: SubscriberAttributes


@with_config(CLOSED)
class Subscribers(TypedDict):
    """Up to 1000 people."""

    data: Annotated[list[Subscriber], Field(min_length=1, max_length=SUBSCRIPTIONS_PER_REQUEST)]


@with_config(CLOSED)
class SubscribeAttributes(TypedDict):
    """What a subscribe job is made of."""

    profiles: Subscribers
    custom_source: NotRequired[Text | None]
    historical_import: NotRequired[bool | None]


@with_config(CLOSED)
class OneList(TypedDict):
    """The singular relationship of subscribe, unsubscribe and suppress."""

    data: ListReference


@with_config(CLOSED)
class ListRelationship(TypedDict, total=False):
    """The list concerned."""

    list: OneList


@with_config(CLOSED)
class SubscribeJob(TypedDict):
    """A subscribe job as a JSON:API resource."""

    type: Literal["profile-subscription-bulk-create-job"]
    attributes: SubscribeAttributes
    relationships: NotRequired[ListRelationship]


@with_config(CLOSED)
class SubscribeBody(TypedDict):
    """POST /api/profile-subscription-bulk-create-jobs."""

    data: SubscribeJob


@with_config(CLOSED)
class Withdrawal(TypedDict):
    """The end of a consent."""

    consent: Literal["UNSUBSCRIBED"]


@with_config(CLOSED)
class EmailWithdrawals(TypedDict, total=False):
    """E-mail."""

    marketing: Withdrawal
    open_tracking: Withdrawal
    click_tracking: Withdrawal


@with_config(CLOSED)
class SmsWithdrawals(TypedDict, total=False):
    """SMS."""

    marketing: Withdrawal
    transactional: Withdrawal


@with_config(CLOSED)
class WhatsAppWithdrawals(SmsWithdrawals, total=False):
    """WhatsApp, which knows conversations too."""

    conversational: Withdrawal


@with_config(CLOSED)
class PushWithdrawals(TypedDict):
    """Push; the tokens go away."""

    marketing: Withdrawal
    tokens: list[PushToken]


@with_config(CLOSED)
class Unsubscriptions(TypedDict, total=False):
    """The channels to unsubscribe."""

    email: Annotated[EmailWithdrawals, AfterValidator(_chosen)]
    sms: Annotated[SmsWithdrawals, AfterValidator(_chosen)]
    whatsapp: Annotated[WhatsAppWithdrawals, AfterValidator(_chosen)]
    push: PushWithdrawals


@with_config(CLOSED)
class LeaverAttributes(TypedDict):
    """Identified by e-mail address or phone only."""

    email: NotRequired[Email | None]
    phone_number: NotRequired[Phone | None]
    subscriptions: Annotated[Unsubscriptions, AfterValidator(_chosen)]


@with_config(CLOSED)
class Leaver(TypedDict):
    """A person to unsubscribe."""

    type: Literal["profile"]
    attributes: LeaverAttributes


@with_config(CLOSED)
class Leavers(TypedDict):
    """Up to 100 people."""

    data: Annotated[list[Leaver], Field(min_length=1, max_length=UNSUBSCRIPTIONS_PER_REQUEST)]


@with_config(CLOSED)
class UnsubscribeAttributes(TypedDict):
    """What an unsubscribe job is made of."""

    profiles: Leavers


@with_config(CLOSED)
class UnsubscribeJob(TypedDict):
    """An unsubscribe job as a JSON:API resource."""

    type: Literal["profile-subscription-bulk-delete-job"]
    attributes: UnsubscribeAttributes
    relationships: NotRequired[ListRelationship]


@with_config(CLOSED)
class UnsubscribeBody(TypedDict):
    """POST /api/profile-subscription-bulk-delete-jobs."""

    data: UnsubscribeJob


@with_config(CLOSED)
class SuppressedAttributes(TypedDict):
    """Suppression exists for e-mail only."""

    email: Email


@with_config(CLOSED)
class Suppressed(TypedDict):
    """A person by e-mail address."""

    type: Literal["profile"]
    attributes: SuppressedAttributes


@with_config(CLOSED)
class SuppressedProfiles(TypedDict):
    """Up to 100 addresses."""

    data: Annotated[list[Suppressed], Field(min_length=1, max_length=SUPPRESSIONS_PER_REQUEST)]


@with_config(CLOSED)
class SuppressionAttributes(TypedDict, total=False):
    """Left empty when a list is named instead."""

    profiles: SuppressedProfiles | None


@with_config(CLOSED)
class SuppressJob(TypedDict):
    """A suppression as a JSON:API resource."""

    type: Literal["profile-suppression-bulk-create-job"]
    attributes: SuppressionAttributes
    relationships: NotRequired[ListRelationship]


@with_config(CLOSED)
class SuppressBody(TypedDict):
    """POST /api/profile-suppression-bulk-create-jobs; the sandbox has no segments to name."""

    data: SuppressJob


@with_config(CLOSED)
class UnsuppressJob(TypedDict):
    """The end of a suppression as a JSON:API resource."""

    type: Literal["profile-suppression-bulk-delete-job"]
    attributes: SuppressionAttributes
    relationships: NotRequired[ListRelationship]


@with_config(CLOSED)
class UnsuppressBody(TypedDict):
    """POST /api/profile-suppression-bulk-delete-jobs."""

    data: UnsuppressJob
