"""The README's table of events, made from the registry and the golden pairs: ``python -m tests.readme`` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.klaviyo.commands import Kind
from app.mappers.registry import PLATFORMS
from tests.mappers.golden import pairs

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- events: begin (made by python -m tests.readme) -->\n", "<!-- events: end -->"


def table() -> str:
    """One row for each mapping: what the platform calls it, what Klaviyo gets, where that is written."""
    return "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    sent: dict[tuple[str, str], dict[str, None]] = {}
    for pair in pairs():
        into = sent.setdefault((pair.platform, pair.slug), {})
        if "metrics" in pair.webhook["settings"]:
            continue  # renamed ones
        for made in pair.made():
            into[made.stored.name if made.stored.kind is Kind.TRACK else f"({made.stored.kind})"] = None
    for source in PLATFORMS:
        yield f"| {source.title} says | Klaviyo gets | mapped in `app/mappers/{source.name}/` |"
        yield "|---|---|---|"
        for slug in dict.fromkeys(mapping.slug for mapping in source.table.values()):
            names = [name for name, mapping in source.table.items() if mapping.slug == slug]
            module = f"[`{slug}.py`](app/mappers/{source.name}/{slug}.py)"
            golden = f"[examples](tests/golden/{source.name}/{slug}/)"
            says, gets = ", ".join(f"`{name}`" for name in names), ", ".join(sent[source.name, slug])
            yield f"| {says} | {gets} | {module} {golden} |"
        ignored = ", ".join(f"`{name}`" for name in source.ignored)
        yield f"\n{source.title}, ignored on purpose: {ignored}."


def wanted() -> str:
    """The README with today's table."""
    text = README.read_text()
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    README.write_text(wanted())
