from __future__ import annotations

from tests.klaviyo_sandbox.bodies import Json, bulk_import, erasure, event, profile, upsert
from tests.klaviyo_sandbox.conftest import NOON, Sandbox, faults_of

IMPORT = "/api/profile-bulk-import-jobs"


def only(sandbox: Sandbox) -> Json:
    items = sandbox.ledger("profiles")["items"]
    assert isinstance(items, list)
    assert len(items) == 1
    entry = items[0]
    assert isinstance(entry, dict)
    return entry


def test_an_upsert_creates_and_then_updates(sandbox: Sandbox) -> None:
    created = sandbox.post("/api/profile-import", upsert(first_name="Eva"))
    assert created.status_code == 201
    assert created.json()["data"]["attributes"]["first_name"] == "Eva"
    updated = sandbox.post("/api/profile-import", upsert(last_name="Berg"))
    assert updated.status_code == 200
    assert updated.json()["data"]["id"] == created.json()["data"]["id"]
    assert sandbox.post("/api/profile-import", upsert(last_name="Berg")).status_code == 200
    entry = only(sandbox)
    assert (entry["first_name"], entry["last_name"]) == ("Eva", "Berg")
    assert (entry["applied"], entry["repeats"]) == (2, 1)
    assert sandbox.ledger("profiles")["totals"] == {"applied": 2, "repeats": 1, "requests": 3}


def test_any_identifier_leads_to_the_person_and_others_are_added(sandbox: Sandbox) -> None:
    by_email = sandbox.post("/api/profile-import", upsert()).json()["data"]["id"]
    sandbox.post("/api/profile-import", upsert(phone_number="+46701234567", external_id="kund-9"))
    moved: Json = {"data": {"type": "profile", "attributes": {"external_id": "kund-9", "email": "eva@new.example.com"}}}
    assert sandbox.post("/api/profile-import", moved).json()["data"]["id"] == by_email
    entry = only(sandbox)
    assert (entry["email"], entry["phone_number"], entry["external_id"]) == (
        "eva@new.example.com",
        "+46701234567",
        "kund-9",
    )
    assert sandbox.post("/api/profile-import", upsert()).status_code == 201


def test_a_phone_of_another_profile_is_a_conflict(sandbox: Sandbox) -> None:
    owner = sandbox.post("/api/profile-import", upsert(phone_number="+46701234567")).json()["data"]["id"]
    sandbox.post("/api/profile-import", upsert(email="son@kund.example.com"))
    clash = sandbox.post("/api/profile-import", upsert(email="son@kund.example.com", phone_number="+46701234567"))
    assert clash.status_code == 409
    assert faults_of(clash) == [("duplicate_profile", "/data/attributes")]
    assert clash.json()["errors"][0]["meta"] == {"duplicate_profile_id": owner}


def test_null_clears_in_an_upsert_and_says_nothing_in_an_import_or_an_event(sandbox: Sandbox) -> None:
    sandbox.post(
        "/api/profile-import",
        upsert(first_name="Eva", phone_number="+46701234567", location={"city": "Umeå"}, properties={"a": 1, "b": 2}),
    )
    nothing = {"first_name": None, "phone_number": None, "location": {"city": None}, "properties": {"a": None}}
    assert sandbox.post(IMPORT, bulk_import(profile(**nothing))).status_code == 202
    assert sandbox.post("/api/events", event(profile(**nothing))).status_code == 202
    entry = only(sandbox)
    assert (entry["first_name"], entry["phone_number"], entry["location"], entry["properties"]) == (
        "Eva",
        "+46701234567",
        {"city": "Umeå"},
        {"a": 1, "b": 2},
    )
    assert sandbox.post("/api/profile-import", upsert(**nothing)).status_code == 200
    entry = only(sandbox)
    assert "first_name" not in entry
    assert (entry["phone_number"], entry["location"], entry["properties"]) == (None, {}, {"b": 2})
    freed = upsert(email="son@kund.example.com", phone_number="+46701234567")
    assert sandbox.post("/api/profile-import", freed).status_code == 201


def test_properties_are_patched(sandbox: Sandbox) -> None:
    sandbox.post("/api/profile-import", upsert(properties={"skus": ["1"], "old": True, "kept": "x"}))
    patch = {"append": {"skus": ["2", "3"], "new": "n"}, "unappend": {"skus": "1"}, "unset": "old"}
    body = {"data": {**profile(), "meta": {"patch_properties": patch}}}
    assert sandbox.post("/api/profile-import", body).status_code == 200
    assert only(sandbox)["properties"] == {"skus": ["2", "3"], "kept": "x", "new": ["n"]}


def test_a_second_address_leads_to_the_same_person(sandbox: Sandbox) -> None:
    patch = {"patch_identifiers": {"append": {"email": ["second@kund.example.com"]}}}
    first = sandbox.post("/api/profile-import", {"data": {**profile(), "meta": patch}}).json()["data"]["id"]
    sandbox.post("/api/events", event(profile(email="second@kund.example.com")))
    items = sandbox.ledger("events")["items"]
    assert isinstance(items, list)
    assert items[0]["profile_id"] == first


def test_an_unknown_profile_id_is_404(sandbox: Sandbox) -> None:
    answer = sandbox.post("/api/profile-import", {"data": {**profile(), "id": "01NOPE"}})
    assert answer.status_code == 404
    assert faults_of(answer) == [("not_found", "/data/id")]


def test_an_import_is_a_job_with_errors_of_its_own(sandbox: Sandbox) -> None:
    sandbox.post("/api/profile-import", upsert(phone_number="+46701234567"))
    sandbox.post("/api/profile-import", upsert(email="son@kund.example.com"))
    clash = profile(email="son@kund.example.com", phone_number="+46701234567")
    accepted = sandbox.post(IMPORT, bulk_import(profile(email="new@kund.example.com"), clash, lists=("NEWS01",)))
    assert accepted.status_code == 202
    queued = accepted.json()["data"]
    assert (queued["type"], queued["attributes"]["status"]) == ("profile-bulk-import-job", "queued")
    job = sandbox.get(f"{IMPORT}/{queued['id']}").json()["data"]["attributes"]
    assert (job["status"], job["total_count"], job["completed_count"], job["failed_count"]) == ("complete", 2, 1, 1)
    errors = sandbox.get(f"{IMPORT}/{queued['id']}/import-errors").json()["data"]
    assert [entry["attributes"]["code"] for entry in errors] == ["duplicate_profile"]
    assert errors[0]["attributes"]["source"] == {"pointer": "/data/attributes/profiles/data/1/attributes"}
    assert errors[0]["attributes"]["original_payload"] == clash
    joined = sandbox.ledger("lists")["items"]
    assert isinstance(joined, list)
    assert [(item["email"], item["list"], item["change"], item["via"]) for item in joined] == [
        ("new@kund.example.com", "NEWS01", "added", "import")
    ]
    assert sandbox.ledger("subscriptions")["items"] == []
    sandbox.clock.now = NOON + 7 * 86_400 + 1
    assert sandbox.get(f"{IMPORT}/{queued['id']}").status_code == 404


def test_profiles_are_found_by_every_identifier(sandbox: Sandbox) -> None:
    eva = sandbox.post("/api/profile-import", upsert(phone_number="+46701234567", external_id="kund-9"))
    eva_id = eva.json()["data"]["id"]
    bo_id = sandbox.post("/api/profile-import", upsert(email="bo+shop@kund.example.com")).json()["data"]["id"]

    def found(text: str) -> list[str]:
        answer = sandbox.get("/api/profiles", filter=text)
        assert answer.status_code == 200, answer.text
        return [entry["id"] for entry in answer.json()["data"]]

    assert found('equals(email,"EVA.BERG@kund.example.com")') == [eva_id]
    assert found('equals(phone_number,"+46701234567")') == [eva_id]
    assert found('equals(external_id,"kund-9")') == [eva_id]
    assert found(f'equals(id,"{bo_id}")') == [bo_id]
    assert found('any(email,["eva.berg@kund.example.com","bo+shop@kund.example.com","x@y.se"])') == [eva_id, bo_id]
    assert found('equals(email,"eva.berg@kund.example.com"),equals(external_id,"other")') == []
    assert sandbox.get(f"/api/profiles/{bo_id}").json()["data"]["id"] == bo_id
    narrow = sandbox.get("/api/profiles", **{"fields[profile]": "email,external_id", "filter": f'equals(id,"{bo_id}")'})
    assert narrow.json()["data"][0]["attributes"] == {"email": "bo+shop@kund.example.com", "external_id": None}


def test_an_erased_person_is_gone_and_their_events_stay_in_the_ledger(sandbox: Sandbox) -> None:
    sandbox.post("/api/events", event())
    answer = sandbox.post("/api/data-privacy-deletion-jobs", erasure(email="eva.berg@kund.example.com"))
    assert (answer.status_code, answer.content) == (202, b"")
    assert sandbox.get("/api/profiles").json()["data"] == []
    assert sandbox.ledger("events")["totals"] == {"applied": 1, "repeats": 0, "requests": 1}
    sandbox.post("/api/events", event())
    assert sandbox.ledger("events")["totals"] == {"applied": 2, "repeats": 0, "requests": 2}
