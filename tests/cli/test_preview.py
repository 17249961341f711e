"""`gateway preview` shows what would be sent, from a file alone."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import orjson
import pytest

from app.mappers.registry import platform
from app.routers.preview import Preview
from tests.cli.command import Said, run, run_here
from tests.mappers.golden import ROOT, Pair, pairs

CENTRA = platform("centra")
assert CENTRA is not None
DOOR = next(door for door in CENTRA.doors if door.name == "events")
PLACED = next(example.body for example in DOOR.examples if example.title == "Placed Order")
SETTINGS = {"base_currency": "SEK", "rates": {"EUR": "11.2"}}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "order.json").write_bytes(orjson.dumps(PLACED))
    (tmp_path / "settings.json").write_bytes(orjson.dumps(SETTINGS))
    (tmp_path / "broken.json").write_text('{"base_currency": ')
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "wrong.json").write_text('{"base_currency": "kronor", "timezone": "Mars/Base"}')
    return tmp_path


def preview(files: Path, body: bytes | None = None, *arguments: str) -> Said:
    if body is not None:
        (files / "body").write_bytes(body)
    file = files / ("order.json" if body is None else "body")
    return run_here("preview", "centra", str(file), "--settings", str(files / "settings.json"), *arguments)


def test_people_see_event_metric_profile_and_properties(files: Path) -> None:
    said = preview(files)
    assert (said.code, said.err) == (0, "")
    assert "Placed Order → order_placed  mapped" in said.out
    words = [line.split() for line in said.out.splitlines()]
    assert ["profile", "email", PLACED["customer"]["email"]] in words
    for part in ("track", "event", "unique_id", "properties"):
        assert any(part in line for line in words)


def test_off_a_terminal_no_line_is_wrapped_or_padded(files: Path) -> None:
    link = "https://shop.example.com/" + "p/" * 300
    shape = orjson.loads(orjson.dumps(PLACED))
    shape["data"]["Items"][0]["ProductURL"] = link
    said = preview(files, orjson.dumps(shape))
    lines = said.out.splitlines()
    assert any(line.endswith(f" {link}") for line in lines)
    assert [line for line in lines if line != line.rstrip()] == []


def test_without_settings_the_smallest_are_used_and_told(files: Path) -> None:
    said = run_here("preview", "centra", str(files / "order.json"))
    assert (said.code, said.err) == (0, "with base_currency SEK; give your own with --settings FILE\n")
    assert "Placed Order → order_placed  mapped" in said.out


@pytest.mark.parametrize("pair", [*pairs()], ids=lambda pair: pair.id)
def test_the_webhook_of_a_golden_pair_is_taken_as_it_is(pair: Pair) -> None:
    said = run_here("preview", pair.platform, str(ROOT / f"{pair.id}.webhook.json"), "--json")
    assert said.err == ""
    events = Preview.model_validate_json(said.out).events
    assert [event.state for event in events] == [result.state for result in pair.judged()]
    assert said.code == int(any(event.state in ("unknown", "quarantined") for event in events))


@pytest.mark.parametrize("wrapped", [True, False], ids=["fields", "payload alone"])
@pytest.mark.parametrize("door", [("--door", "webhooks"), ()], ids=["named", "guessed"])
def test_the_json_of_a_form_is_encoded(files: Path, door: tuple[str, ...], wrapped: bool) -> None:
    payload = {"events": [{"type": "order", "action": "insert", "id": 20551}]}
    said = preview(files, orjson.dumps({"payload": payload} if wrapped else payload), *door)
    assert (said.code, said.err) == (0, "")
    assert "waiting  order:20551 was not fetched yet" in said.out


def test_machines_get_what_the_rest_api_answers(files: Path) -> None:
    settings = ("--settings", str(files / "settings.json"))
    said = run("preview", "centra", "-", "--door", "events", "--json", *settings, stdin=orjson.dumps(PLACED))
    assert (said.code, said.err) == (0, "")
    (event,) = Preview.model_validate_json(said.out).events
    assert (event.event, event.slug, event.state) == ("Placed Order", "order_placed", "mapped")
    request = event.commands[0].request
    assert request is not None
    assert request.path == "/api/events"
    assert '"Placed Order"' in said.out


def test_what_a_body_holds_is_never_read_as_markup(files: Path) -> None:
    body = {**PLACED, "metric": "[red]Odd[/blue] one"}
    said = preview(files, orjson.dumps(body))
    assert said.code == 1
    assert "[red]Odd[/blue] one → -  unknown" in said.out


def test_a_consent_shows_person_list_and_channel(files: Path) -> None:
    newsletter = next(example.body for example in DOOR.examples if "Newsletter" in example.title)
    (files / "settings.json").write_bytes(orjson.dumps({**SETTINGS, "newsletter_list_id": "NEWS01"}))
    said = preview(files, orjson.dumps(newsletter))
    assert "  subscribe" in [line.rstrip() for line in said.out.splitlines()]
    assert ["with", "list_id", "NEWS01"] in [line.split() for line in said.out.splitlines()]


def test_what_must_be_fetched_first_is_asked_for_and_taken(files: Path) -> None:
    thin = urlencode({"payload": '{"events":[{"type":"order","action":"insert","id":20551}]}'}).encode()
    said = preview(files, thin)
    assert "waiting  order:20551 was not fetched yet" in said.out
    assert "--answers FILE" in said.out
    (files / "answers.json").write_text('{"order:20551": {}}')
    assert "quarantined" in preview(files, thin, "--answers", str(files / "answers.json")).out


def test_a_file_that_is_not_there_fails_the_command(files: Path) -> None:
    said = run("preview", "centra", str(files / "missing.json"))
    assert (said.code, said.out) == (1, "")
    assert said.err.endswith("missing.json cannot be read: No such file or directory\n")


def test_a_body_that_no_mapping_can_use_is_a_finding_not_a_fault(files: Path) -> None:
    said = preview(files, b"\xff\x00", "--door", "events")
    assert (said.code, said.err) == (1, "")
    assert "quarantined" in said.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("magento", "order.json"), "magento is not a platform; known are centra"),
        (("centra", "order.json", "--door", "back"), "Centra has these doors: webhooks, events"),
        (("centra", "missing.json"), "missing.json cannot be read: No such file or directory"),
        (("centra", "."), "cannot be read: Is a directory"),
        (("centra", "order.json", "--settings", "broken.json"), "broken.json is not JSON: line 1"),
        (("centra", "order.json", "--settings", "list.json"), "settings and answers are JSON objects"),
        (("centra", "order.json", "--settings", "wrong.json"), "/settings/base_currency: not an ISO 4217 currency"),
        (("centra", "order.json", "--answers", "missing.json"), "missing.json cannot be read"),
    ],
    ids=["platform", "door", "file", "folder", "settings no JSON", "settings a list", "settings wrong", "answers"],
)
def test_a_mistake_is_one_message(files: Path, arguments: tuple[str, ...], told: str) -> None:
    full = [str(files / a) if a.endswith(".json") or a == "." else a for a in arguments]
    if "--settings" not in full:
        full += ["--settings", str(files / "settings.json")]
    said = run_here("preview", *full)
    assert (said.code, said.out) == (1, "")
    assert told in said.err
    assert "kronor" not in said.err
