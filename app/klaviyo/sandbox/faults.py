"""Faults on demand: scripted rules that make the sandbox fail the way networks, Cloudflare and Klaviyo do."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from app.klaviyo.sandbox.answers import JSON_API, Answer, problem

_CHALLENGE = (
    b"<!DOCTYPE html><html><head><title>Just a moment...</title></head>"
    b"<body><h1>Checking your browser before you continue.</h1></body></html>"
)


class Match(BaseModel):
    """Which calls a rule is about; an absent line matches every call."""

    model_config = ConfigDict(extra="forbid")

    path: str | None = Field(None, description="Path without trailing slash; `*` stands for any characters.")
    method: str | None = None
    account: str | None = None


class Action(BaseModel):
    """What goes wrong.

    A `status` (or `html`, or `retry_after`) replaces the call: nothing is applied, unless `applied` says so. Without
    one of them the call is processed normally and only its answer is delayed, cut, dribbled or given extra headers.
    """

    model_config = ConfigDict(extra="forbid")

    status: int | None = Field(None, ge=200, le=599)
    headers: dict[str, str] = {}
    body: str | dict[str, object] | None = Field(None, description="Text as it is; an object becomes JSON.")
    retry_after: int | None = Field(None, ge=0, description="Seconds for `Retry-After`; status 429 if none is given.")
    applied: bool = Field(False, description="Process the call although it is answered with `status`.")
    delay_ms: float = Field(0, ge=0, description="Hold the answer, or the cut, back; the call is processed at once.")
    reset: Literal["before", "after"] | None = Field(
        None, description="Cut the connection (RST) instead of answering, before or after the call is applied."
    )
    dribble_ms: float | None = Field(None, ge=0, description="Send the body byte by byte, so far apart.")
    html: bool = Field(False, description="Cloudflare's challenge page: 403, text/html, cf-mitigated: challenge.")
    truncate: bool = Field(False, description="Promise the whole body, send half of it and close the connection.")


class Rule(BaseModel):
    """One scripted fault; the first rule that matches a call and is not used up acts on it."""

    model_config = ConfigDict(extra="forbid")

    match: Match = Match()
    action: Action
    times: int | None = Field(1, ge=1, description="How often it acts; null means until it is cleared.")
    skip: int = Field(0, ge=0, description="How many matching calls pass before it acts.")
    probability: float = Field(1.0, gt=0, le=1)
    seed: int = Field(0, description="Seed of the draws for `probability`, so that a run can be repeated.")


class RuleReport(BaseModel):
    """A rule and what became of it."""

    rule: Rule
    matched: int
    acted: int


@dataclass(slots=True)
class _Scripted:
    rule: Rule
    draws: Random
    matched: int = 0
    acted: int = 0

    def acts(self) -> bool:
        self.matched += 1
        if self.matched <= self.rule.skip or self.draws.random() >= self.rule.probability:
            return False
        self.acted += 1
        return True


@dataclass(slots=True)
class Faults:
    """The rules in the order in which they were scripted."""

    _rules: list[_Scripted] = field(default_factory=list)

    def script(self, rules: list[Rule]) -> None:
        """Add rules behind the present ones."""
        self._rules.extend(_Scripted(rule, Random(rule.seed)) for rule in rules)  # noqa: S311 repeatable, not secret

    def clear(self) -> None:
        """Forget every rule."""
        self._rules.clear()

    def report(self) -> list[RuleReport]:
        """Tell the rules, used up or not, with their counts."""
        return [RuleReport(rule=entry.rule, matched=entry.matched, acted=entry.acted) for entry in self._rules]

    def action_for(self, method: str, path: str, account: str | None) -> Action | None:
        """Find what goes wrong with this call, and count it as done."""
        for entry in self._rules:
            match, times = entry.rule.match, entry.rule.times
            if (
                (times is None or entry.acted < times)
                and (match.path is None or fnmatchcase(path, match.path))
                and (match.method is None or match.method.upper() == method)
                and (match.account is None or match.account == account)
                and entry.acts()
            ):
                return entry.rule.action
        return None


def replacement(action: Action) -> Answer | None:
    """The answer that stands in for Klaviyo's own; None when the fault leaves the answer alone."""
    status = action.status or (403 if action.html else 429 if action.retry_after is not None else None)
    if status is None:
        return None
    headers = {"Content-Type": JSON_API}
    if action.retry_after is not None:
        headers["Retry-After"] = str(action.retry_after)
    if action.html:
        body, headers = _CHALLENGE, {"Content-Type": "text/html; charset=UTF-8", "cf-mitigated": "challenge"}
    elif isinstance(action.body, str):
        body, headers["Content-Type"] = action.body.encode(), "text/plain; charset=utf-8"
    elif action.body is not None:
        body = orjson.dumps(action.body)
    elif status < 300:
        body = b""
    else:
        detail = "A fault scripted with POST /sandbox/faults."
        code, title = ("throttled", "Request was throttled.") if status == 429 else ("error", "A scripted fault.")
        body = orjson.dumps({"errors": [problem("/data/", detail, status=status, code=code, title=title)]})
    return Answer(status, body, {**headers, **action.headers})
