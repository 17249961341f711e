"""Sealed secrets open only where they belong, under a key that is present."""

from __future__ import annotations

import pytest

from app.security import SecretBox, Unsealable, hash_secret, last_four, new_key, split_key

OLD, NEW = "old-master-key-0123456789-0123456789", "new-master-key-0123456789-0123456789"


def test_what_was_sealed_opens_and_does_not_contain_the_secret() -> None:
    box = SecretBox((OLD,))
    sealed = box.seal("pk_live_canary", "account/a/private_key")
    assert b"canary" not in sealed
    assert box.open(sealed, "account/a/private_key") == "pk_live_canary"
    assert box.seal("pk_live_canary", "account/a/private_key") != sealed


def test_a_sealed_secret_moved_to_another_row_does_not_open() -> None:
    box = SecretBox((OLD,))
    with pytest.raises(Unsealable, match="account/b"):
        box.open(box.seal("pk", "account/a/private_key"), "account/b/private_key")


def test_keys_rotate_and_a_key_that_is_gone_is_said() -> None:
    sealed = SecretBox((OLD,)).seal("pk", "place")
    assert SecretBox((NEW, OLD)).open(sealed, "place") == "pk"
    with pytest.raises(Unsealable, match="master key"):
        SecretBox((NEW,)).open(sealed, "place")
    fresh = SecretBox((NEW, OLD)).seal("pk", "place")
    assert SecretBox((NEW,)).open(fresh, "place") == "pk"


@pytest.mark.parametrize("at", [0, 3, 4, 15, 16, -1])
def test_any_changed_byte_is_noticed(at: int) -> None:
    box = SecretBox((OLD,))
    sealed = bytearray(box.seal("pk", "place"))
    sealed[at] ^= 1
    with pytest.raises(Unsealable):
        box.open(bytes(sealed), "place")


def test_an_operator_key_is_its_id_and_its_secret() -> None:
    key = new_key()
    parts = split_key(key.text)
    assert parts is not None
    assert parts[0] == key.id
    assert hash_secret(parts[1]) == key.hash
    assert new_key().text != key.text


@pytest.mark.parametrize("text", ["", "gw", "gw_", "gw_a", "gw_a_", "sk_a_b", "_a_b", "gw__b"])
def test_what_is_no_key(text: str) -> None:
    assert split_key(text) is None


def test_only_the_end_of_a_long_secret_is_shown() -> None:
    assert last_four("pk_0123456789abcd") == "abcd"
    assert last_four("test123") == ""
