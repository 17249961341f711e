"""What becomes of a batch that Klaviyo refused for some of its members: taken out, mended, or halved. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.klaviyo.batches import BULK, SINGLE, Call, Part, without_phone
from app.klaviyo.outcomes import Outcome


@dataclass
class Repair:
    """``rejected`` members with Klaviyo's text, ``repaired`` ones with their new profile, and the batches to send."""

    rejected: list[tuple[int, str]] = field(default_factory=list)
    repaired: list[tuple[int, bytes]] = field(default_factory=list)
    batches: list[tuple[str, list[int]]] = field(default_factory=list)


def repair(members: Sequence[Part], form: str, call: Call, outcome: Outcome) -> Repair:
    """The next step after ``outcome``: one more call when Klaviyo pointed at the bad ones, two halves when not."""
    pointed = {index: text for index, text in outcome.items.items() if index < len(call.order)}
    if not pointed:
        return _halved(members, form)
    result, good, alone = Repair(), list[int](), list[int]()
    for index, positions in enumerate(call.order):
        group = [members[position] for position in positions]
        if index not in pointed:
            good += [member.id for member in group]
        elif index in outcome.phones:
            for member in group:
                _mend_phone(result, good, member, pointed[index])
        elif len(group) == 1:
            result.rejected.append((group[0].id, pointed[index]))
        else:  # Klaviyo named the person, not the event: each shows alone whether it was meant
            alone += [member.id for member in group]
    if good:
        result.batches.append((form, good))
    result.batches += [(SINGLE, [member_id]) for member_id in alone]
    return result


def _mend_phone(result: Repair, good: list[int], member: Part, text: str) -> None:
    profile = without_phone(member.profile)
    if profile is None:
        result.rejected.append((member.id, text))
    else:
        result.repaired.append((member.id, profile))
        good.append(member.id)


def _halved(members: Sequence[Part], form: str) -> Repair:
    ids = [member.id for member in members]
    middle = (len(ids) + 1) // 2
    return Repair(batches=[(form if form == SINGLE else BULK, half) for half in (ids[:middle], ids[middle:]) if half])
