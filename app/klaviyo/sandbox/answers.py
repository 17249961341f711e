"""How the sandbox answers: Klaviyo's JSON:API answers and its error list."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import uuid4

import orjson

JSON_API = "application/vnd.api+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: status, body bytes and extra headers (content length is added when it is sent)."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class RefusalError(Exception):
    """A call that Klaviyo refuses; carries the answer it gets."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def document(status: int, content: object, **headers: str) -> Answer:
    """Answer with a JSON:API document."""
    return Answer(status, orjson.dumps(content), {"Content-Type": JSON_API, **headers})


def problem(
    pointer: str, detail: str, *, status: int = 400, code: str = "invalid", title: str = "Invalid input."
) -> dict[str, object]:
    """One entry of Klaviyo's error list; the entry's `meta` and `links` are empty objects unless a rule fills them."""
    return {
        "id": str(uuid4()),
        "status": status,
        "code": code,
        "title": title,
        "detail": detail,
        "source": {"pointer": pointer},
        "links": {},
        "meta": {},
    }


def refused(*problems: dict[str, object], status: int = 400, headers: dict[str, str] | None = None) -> RefusalError:
    """Build the refusal that holds these problems; raise what it returns."""
    return RefusalError(document(status, {"errors": problems}, **(headers or {})))


def wrong(pointer: str, detail: str) -> RefusalError:
    """Refuse with 400 and one pointer, Klaviyo's answer to an invalid body."""
    return refused(problem(pointer, detail))


def wrong_parameter(name: str, detail: str) -> RefusalError:
    """Refuse with 400 and the name of the query parameter at fault."""
    return refused({**problem("", detail), "source": {"parameter": name}})


def denied(status: int, code: str, title: str, detail: str, **headers: str) -> RefusalError:
    """Refuse a call for a reason that no part of its body can be blamed for."""
    return refused(problem("/data/", detail, status=status, code=code, title=title), status=status, headers=headers)


def not_found(pointer: str, detail: str) -> RefusalError:
    """Refuse with 404."""
    return refused(problem(pointer, detail, status=404, code="not_found", title="Not found."), status=404)


def conflict(profile_id: str) -> RefusalError:
    """Refuse with 409: the identifiers given belong to different profiles; names the profile that is in the way."""
    entry = problem(
        "/data/attributes",
        "A profile already exists with one of these identifiers.",
        status=409,
        code="duplicate_profile",
        title="Conflict.",
    )
    return refused({**entry, "meta": {"duplicate_profile_id": profile_id}}, status=409)
