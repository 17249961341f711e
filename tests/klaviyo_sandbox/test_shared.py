"""The sample bodies of the facts page, where it lies beside the project: the sandbox takes each of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.klaviyo_sandbox.bodies import upsert
from tests.klaviyo_sandbox.conftest import HEADERS, Sandbox

SHARED = Path(__file__).resolve().parents[3] / "shared"
FACTS = SHARED / "facts" / "klaviyo-api.md"
SAMPLES = sorted((SHARED / "samples" / "centra").glob("expected_klaviyo_*.json"))

DOORS = {
    "EventCreateQueryV2": ("/api/events", 202),
    "EventsBulkCreateJob": ("/api/event-bulk-create-jobs", 202),
    "ProfileUpsertQuery": ("/api/profile-import", 201),
    "ProfileImportJobCreateQuery": ("/api/profile-bulk-import-jobs", 202),
    "SubscriptionCreateJobCreateQuery": ("/api/profile-subscription-bulk-create-jobs", 202),
    "SubscriptionDeleteJobCreateQuery": ("/api/profile-subscription-bulk-delete-jobs", 202),
    "SuppressionCreateJobCreateQuery": ("/api/profile-suppression-bulk-create-jobs", 202),
    "ListMembersAddQuery": ("/api/lists/NEWS01/relationships/profiles", 204),
    "ListCreateQuery": ("/api/lists", 201),
    "DataPrivacyCreateDeletionJobQuery": ("/api/data-privacy-deletion-jobs", 202),
}

pytestmark = pytest.mark.skipif(not FACTS.exists(), reason="../shared is not here")


@pytest.mark.parametrize("model", sorted(DOORS))
def test_the_sandbox_takes_what_the_facts_call_valid(sandbox: Sandbox, model: str) -> None:
    path, status = DOORS[model]
    block = re.search(rf"<!-- model:{model} -->\s*```json\n(.*?)```", FACTS.read_text(), re.DOTALL)
    assert block is not None
    known = sandbox.post("/api/profile-import", upsert(email="known@kund.example.com")).json()["data"]["id"]
    body = block[1].replace("Y6nRLr", "NEWS01").replace("01GDDKASAP8TKDDA2GRZDSVP4H", known)
    answer = sandbox.http.post(path, content=body.encode(), headers=HEADERS)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_the_sandbox_takes_what_the_samples_expect(sandbox: Sandbox, sample: Path) -> None:
    answer = sandbox.post("/api/events", json.loads(sample.read_text()))
    assert answer.status_code == 202, answer.text
