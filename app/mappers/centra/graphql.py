"""One question to Centra's Integration API and what comes of it: an answer, a short retry, a later one, or a text for
the operator.

A question waits for the environment's quota; optional lines that a server refuses are left out from then on.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NotRequired, TypeAlias
from urllib.parse import urlsplit

import orjson
import structlog
from pydantic import TypeAdapter, ValidationError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)
from typing_extensions import TypedDict

from app import http
from app.errors import FetchFailed
from app.mappers.centra.queries import OPTIONAL, document, optional_lines
from app.mappers.centra.quota import Quota, RateLimit, retry_after

TRIES = 3
PATIENCE = 3.0  # seconds; what takes longer is tried again by the schedule
NEW_TOKEN = "Create a new one in Centra under System > API Tokens and save it in this connection."  # noqa: S105 a text

_FIRST_GUESS = 500.0  # complexity of a question not asked before; Centra's examples cost 50 to 412
_BLIND_PAUSE = 10.0  # seconds after a 429 that names no time: the shorter window
_PERMISSION = re.compile(r"you need (\S+) permission", re.IGNORECASE)
_LASTING = {"authorization", "authentication", "graphql"}  # categories of errors that time does not heal

_log = structlog.get_logger(__name__)
_jitter = wait_random_exponential(multiplier=0.25, max=1.0)

Record: TypeAlias = dict[str, object]


class _Location(TypedDict):
    line: int


class _ErrorExtensions(TypedDict, total=False):
    category: str


class _Error(TypedDict):
    message: str
    locations: NotRequired[list[_Location]]
    extensions: NotRequired[_ErrorExtensions]


class _Extensions(TypedDict, total=False):
    complexity: float
    permissionsUsed: list[str]


class _Reply(TypedDict):
    data: NotRequired[dict[str, list[Record] | None] | None]
    errors: NotRequired[list[_Error]]
    extensions: NotRequired[_Extensions]


_REPLY = TypeAdapter(_Reply)
_LIMITS = TypeAdapter(list[RateLimit])


class PermissionsMissing(FetchFailed):
    """The API token is valid but may not read everything that is needed."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(
            f"Centra's API token lacks permissions: {', '.join(missing)}. "
            "Grant them in Centra under System > API Tokens, or save a token that has them.",
            operator=True,
        )
        self.missing = tuple(missing)


class _Again(FetchFailed):
    """A moment later it may work."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A brand's Centra: ``url`` without ``/graphql``, and a token for it."""

    url: str
    token: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or self.url


@dataclass(frozen=True, slots=True)
class Answer:
    """``data`` by root field; a root that was left out is absent."""

    data: dict[str, list[Record] | None]
    permissions_used: tuple[str, ...]


class GraphQL:
    """Asks; remembers per environment what it may ask and how often.

    ``clock`` gives epoch seconds (Centra names points in time), ``monotonic`` seconds to wait by; ``deadline`` is one
    call's, in seconds.
    """

    def __init__(
        self,
        client: http.Client,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        deadline: float = http.DEADLINE_SECONDS,
    ) -> None:
        self._client = client
        self._deadline = deadline
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._quotas: dict[str, Quota] = {}
        self._costs: dict[str, float] = {}
        self._refused: dict[str, dict[int, str]] = {}

    def left_out(self, environment: Environment) -> tuple[str, ...]:
        """What the environment said of the optional lines that are not asked any more."""
        return tuple(self._refused.get(environment.url, {}).values())

    def ask_all_again(self, environment: Environment) -> None:
        """Forgets what was refused: Centra may have been updated, a permission granted."""
        self._refused.pop(environment.url, None)

    async def ask(self, environment: Environment, operation: str, **values: object) -> Answer:
        """The answer to a named operation of the query file. Raises ``FetchFailed`` unless it is complete."""
        refused = self._refused.setdefault(environment.url, {})
        while True:
            reply = await self._patiently(environment, operation, document(operation, without=refused, **values))
            data = reply.get("data")
            blamed = _blamed(reply.get("errors", ()))
            if data is not None and (not blamed or None not in data.values()):
                self._remember(environment, blamed)
                return Answer(data, tuple(reply.get("extensions", {}).get("permissionsUsed", ())))
            if blamed.keys() <= refused.keys():
                raise FetchFailed(f"{environment.host} answers neither with data nor with an error")
            self._remember(environment, blamed)

    def _remember(self, environment: Environment, blamed: dict[int, str]) -> None:
        refused = self._refused[environment.url]
        for line in blamed.keys() - refused.keys():
            refused[line] = blamed[line]
            _log.warning(
                "centra_field_left_out", centra=environment.host, field=OPTIONAL[line], answer=blamed[line][:200]
            )

    async def _patiently(self, environment: Environment, operation: str, text: str) -> _Reply:
        quota = self._quotas.setdefault(environment.url, Quota(self._monotonic()))

        async def attempt() -> _Reply:
            await self._learn(environment, quota)
            return await self._call(environment, quota, operation, text)

        return await AsyncRetrying(
            stop=stop_after_attempt(TRIES) | stop_before_delay(PATIENCE),
            wait=_pause,
            retry=retry_if_exception_type(_Again),
            sleep=self._sleep,
            reraise=True,
        )(attempt)

    async def _learn(self, environment: Environment, quota: Quota) -> None:
        async with quota.learning:
            if quota.learned:
                return
            reply = await self._call(environment, quota, "RateLimits", document("RateLimits"))
            try:
                limits = _LIMITS.validate_python((reply.get("data") or {}).get("rateLimits") or [])
            except ValidationError:
                limits = []  # not the Centra we know: the smallest quota we know of is safe
            quota.learn(limits, self._monotonic())

    async def _call(self, environment: Environment, quota: Quota, operation: str, text: str) -> _Reply:
        """One HTTP call, when the quota allows it."""
        guess = self._costs.get(operation, _FIRST_GUESS)
        wait = quota.reserve(guess, self._monotonic(), PATIENCE)
        if wait > PATIENCE:
            raise FetchFailed(f"the rate limit of {environment.host} is used up for now", retry_after=wait)
        if wait:
            await self._sleep(wait)
            if closed := quota.closed_for(self._monotonic()):  # another call was told so meanwhile
                raise _Again(f"{environment.host} wants to be left alone", retry_after=closed)
        answer = await self._post(environment, orjson.dumps({"query": text, "operationName": operation}))
        later = retry_after(answer.headers.get("retry-after"), self._clock())
        if answer.status == 429:
            pause = max(1.0, later if later is not None else _BLIND_PAUSE)
            quota.close(pause, self._monotonic())
            raise _Again(f"{environment.host} says that its rate limit is used up", retry_after=pause)
        if answer.status >= 500:
            raise _Again(f"{environment.host} answers HTTP {answer.status}", retry_after=later)
        reply = _read(environment, answer)
        cost = reply.get("extensions", {}).get("complexity", guess)
        quota.correct(cost - guess)
        self._costs[operation] = cost
        return reply

    async def _post(self, environment: Environment, body: bytes) -> http.Answer:
        headers = {"authorization": f"Bearer {environment.token}", "content-type": "application/json"}
        try:
            return await http.send(
                self._client,
                "POST",
                f"{environment.url}/graphql",
                headers=headers,
                content=body,
                deadline=self._deadline,
            )
        except http.ForbiddenUrl as error:
            raise FetchFailed(f"{environment.host} may not be called: {error}", operator=True) from error
        except (http.NotSent, http.Unknown) as error:
            raise _Again(f"{environment.host} cannot be asked: {error}") from error


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    named = error.retry_after if isinstance(error, _Again) else None
    return _jitter(state) if named is None else named


def _blamed(errors: Sequence[_Error]) -> dict[int, str]:
    """The optional lines that errors speak of, with their texts. Raises when one speaks of anything else."""
    blamed: dict[int, str] = {}
    fatal: list[_Error] = []
    for error in errors:
        lines = optional_lines(error["message"], [place["line"] for place in error.get("locations", ())])
        blamed |= dict.fromkeys(lines, error["message"])
        if not lines:
            fatal.append(error)
    if not fatal:
        return blamed
    texts = [error["message"] for error in fatal]
    missing = dict.fromkeys(found[1] for text in texts if (found := _PERMISSION.search(text)))
    if missing:
        raise PermissionsMissing(tuple(missing))
    categories = {error.get("extensions", {}).get("category", "") for error in fatal}
    raise FetchFailed(f"Centra refuses our question: {'; '.join(texts)[:500]}", operator=bool(categories & _LASTING))


def _read(environment: Environment, answer: http.Answer) -> _Reply:
    """The answer's JSON or, without any, what its status means."""
    host = environment.host
    if answer.status in (401, 403):
        raise FetchFailed(
            f"{host} refuses the API token (HTTP {answer.status}): it has expired, was revoked or is mistyped. "
            f"{NEW_TOKEN}",
            operator=True,
        )
    try:
        reply = _REPLY.validate_python(orjson.loads(answer.body))
    except (orjson.JSONDecodeError, ValidationError) as error:
        kind = answer.headers.get("content-type", "no content type")[:60]
        if answer.status == 200:
            raise _Again(f"{host} does not answer as Centra's Integration API does ({kind})") from error
        raise FetchFailed(
            f"{host} answers HTTP {answer.status} ({kind}): is base_url the address of Centra's Integration API?",
            operator=True,
        ) from error
    if answer.status != 200 and not reply.get("errors"):
        raise FetchFailed(f"{host} answers HTTP {answer.status}", operator=True)
    return reply
