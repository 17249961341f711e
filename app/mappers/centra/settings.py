"""What a merchant can set for a Centra store, as in Centra's own Klaviyo plugin and a little more.

A scope (a store or a market) may override any field: its JSON is laid over the connection's.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.mappers import money
from app.mappers.source import ConnectionSecrets, ConnectionSettings, Secret

METRICS = {
    "password_reset": "Reset Password",
    "account_created": "Created Account",
    "order_placed": "Placed Order",
    "product_ordered": "Ordered Product",
    "order_confirmed": "Confirmed Order",
    "order_cancelled": "Cancelled Order",
    "shipment_updated": "Shipping Update",
    "shipped": "Shipped",
    "out_for_delivery": "Out for delivery",
    "delivered": "Delivered",
    "order_refunded": "Refunded Order",
    "gift_certificate": "Gift Certificate",
    "checkout_started": "Started Checkout",
    "subscription_status_changed": "Changed Subscription Status",
    "subscription_payment_failed": "Failed Subscription Payment",
    "subscription_payment_update_failed": "Failed Subscription Payment Update",
    "subscription_payment_update_succeeded": "Successful Subscription Payment Update",
}
"""Every Klaviyo metric we can send, by slug, under the plugin's name for it."""

RESENT = " - resend"

_LANGUAGE_CODES = """
aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es
et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki
kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no
nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te
tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""  # ISO 639-1
_LANGUAGES = frozenset(_LANGUAGE_CODES.split())


def language(code: str | None) -> str | None:
    """The ISO 639-1 code in ``code`` (``en``, ``sv-SE``, ``EN_gb``) in small letters, or None."""
    start = (code or "").strip().lower()
    short = start[:2]
    return short if short in _LANGUAGES and not start[2:3].isalpha() else None


def _language(code: str) -> str:
    if code.lower() not in _LANGUAGES:
        raise ValueError("not an ISO 639-1 language such as en")
    return code.lower()


def _currency(code: str) -> str:
    found = money.currency(code)
    if found is None:
        raise ValueError("not an ISO 4217 currency such as SEK")
    return found


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, OSError, ValueError):  # unknown names, folders, paths that lead outside
        raise ValueError("not an IANA time zone such as Europe/Stockholm") from None
    return name


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("not a URL") from None
    if re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise ValueError("a URL holds no blanks, control characters or backslashes")
    if not host or parts.username is not None or parts.password is not None:
        raise ValueError("a URL with a host and without credentials is expected")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in {"127.0.0.1", "localhost", "::1"}):
        raise ValueError("https:// is expected (http only for this very machine)")
    return text


def _base_url(text: str) -> str:
    parts = urlsplit(_url(text))
    if parts.query or parts.fragment:
        raise ValueError("only scheme, host and path are expected")
    return text.rstrip("/").removesuffix("/graphql")


def _template(placeholder: str) -> AfterValidator:
    def check(text: str) -> str:
        if _url(text) and set(re.findall(r"\{[^{}]*\}|[{}]", text)) != {placeholder}:
            raise ValueError(f"must contain {placeholder} and no other placeholder")
        if placeholder in urlsplit(text).netloc:
            raise ValueError(f"{placeholder} must not stand in the host")
        return text

    return AfterValidator(check)


def _metric(slug: str) -> str:
    if slug not in METRICS:
        raise ValueError(f"there is no such metric; known are {', '.join(METRICS)}")
    return slug


Currency = Annotated[str, AfterValidator(_currency)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Language = Annotated[str, AfterValidator(_language)]
Place = Annotated[str, Field(min_length=1, max_length=255)]
CartLink = Annotated[str, Field(max_length=2000), _template("{selection}")]
ProductPage = Annotated[str, Field(max_length=2000), _template("{display_uri}")]
Tracking = Annotated[str, Field(max_length=2000), _template("{tracking}")]


class Closed(BaseModel):
    """A part of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Restrict(Closed):
    """Send only what belongs to one of these; an empty list lets everything through. Ids or names as in Centra."""

    markets: tuple[Place, ...] = ()
    pricelists: tuple[Place, ...] = ()
    countries: tuple[Country, ...] = ()


class Metric(Closed):
    """One metric: sent or not, and under which name."""

    on: bool = True
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^\S(.*\S)?$")] | None = None


class CentraSettings(ConnectionSettings):
    """Settings of a Centra connection."""

    base_url: Annotated[str, AfterValidator(_base_url)] | None = Field(
        None, description="Where Centra's Integration API lives; Centra's own webhooks carry only ids."
    )
    api_token_expires: date | None = Field(
        None, description="Last day of the API token, as Centra showed it: a warning comes seven days before."
    )
    base_currency: Currency = Field(
        description="Currency of every event's value and of the amounts without suffix.", examples=["SEK"]
    )
    rates: dict[Currency, Annotated[Decimal, Field(gt=0, le=Decimal(10) ** 9)]] = Field(
        {}, description="Units of the base currency for one unit of another, where Centra's own rate does not apply."
    )
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        "UTC", description="Zone of the dates that Centra writes without one (CreatedDate, ShippingDate, OrderDate)."
    )
    language_from: Literal["delivery_country", "site_language"] = Field(
        "delivery_country",
        description="What decides the profile's Language: country_language, or the shop's own language.",
    )
    country_language: dict[Country, Language] = Field({}, description="Language of each delivery country.")
    default_language: Language | None = Field(None, description="Language where nothing else decides it.")
    use_short_product_name: bool = Field(False, description="Product name without the variant.")
    product_image_size: str = Field(
        "standard", pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Name of the picture size in Centra, for ImageURL."
    )
    cart_link: CartLink | None = Field(None, description="Link to an abandoned cart, with {selection}.")
    product_page_url: ProductPage | None = Field(None, description="Link to a product, with {display_uri}.")
    tracking_url_templates: dict[Place, Tracking] = Field({}, description="By carrier, with {tracking}.")
    newsletter_list_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9]{1,32}$",
        description="Klaviyo list that newsletter opt-ins go to; its opt-in process decides.",
    )
    newsletter_from_customer: bool = Field(
        True, description="Subscribe people whose newsletter opt-in Centra's customer record shows as new."
    )
    restrict: Restrict = Field(
        Restrict(), description="Send only what belongs to one of these markets, pricelists and countries."
    )
    store_ids: tuple[int, ...] = Field((), description="Send only what belongs to one of these Centra stores.")
    include_internal_orders: bool = Field(False, description="Send orders that Centra marks as internal, too.")
    refund_on_completion: bool = Field(
        False, description="Send Refunded Order when a return is completed, without waiting for the payment."
    )
    shipping_update_extra_metrics: bool = Field(
        True, description="Send Shipped, Out for delivery and Delivered beside Shipping Update."
    )
    money_as_strings: bool = Field(True, description='Amounts in properties as "12.30", as the plugin does; else 12.3.')
    signature_tolerance: int = Field(300, ge=1, le=3600, description="Seconds a signature's time may be off.")
    metrics: dict[Annotated[str, AfterValidator(_metric)], Metric] = Field(
        {}, description="Switch a metric off or rename it.", json_schema_extra={"propertyNames": {"enum": [*METRICS]}}
    )

    @model_validator(mode="after")
    def _tell_metrics_apart(self) -> CentraSettings:
        names = [*self.names.values()]
        if len(set(names)) < len(names):
            # Shipping Update and Shipped share their unique ids: under one name one would swallow the other.
            raise ValueError("metrics: two metrics under one name")
        return self

    @cached_property
    def names(self) -> dict[str, str]:
        """Slug to name of every metric that is on."""
        off = Metric(on=False)
        chosen = {slug: self.metrics.get(slug, Metric()) for slug in METRICS}
        if not self.shipping_update_extra_metrics:
            chosen |= dict.fromkeys(("shipped", "out_for_delivery", "delivered"), off)
        return {slug: metric.name or METRICS[slug] for slug, metric in chosen.items() if metric.on}

    def rate(self, currency: str) -> Decimal | None:
        """Units of the base currency for one of ``currency``, as far as the settings know."""
        return Decimal(1) if currency == self.base_currency else self.rates.get(currency)

    def tracking_url(self, carrier: str, tracking: str) -> str:
        """Where a parcel can be followed, or ""."""
        template = self.tracking_url_templates.get(carrier)
        return template.replace("{tracking}", quote(tracking, safe="")) if template and tracking else ""

    @cached_property
    def restricted(self) -> bool:
        """Whether anything at all is kept back by store, market, pricelist or country."""
        return bool(self.store_ids or self.restrict.markets or self.restrict.pricelists or self.restrict.countries)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The store's time zone."""
        return ZoneInfo(self.timezone)


class CentraSecrets(ConnectionSecrets):
    """Secrets of a Centra connection. Both doors stay closed without ``endpoint_secret``."""

    endpoint_secret: Secret | None = Field(None, description="The endpoint secret of the Centra Webhook plugin.")
    events_secret: Secret | None = Field(
        None, description="The events door's own secret; else the endpoint secret signs there too."
    )
    api_token: Secret | None = Field(None, description="Token of Centra's Integration API.")
