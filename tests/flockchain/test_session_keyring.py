"""Keys that come while a node runs: who hears of them, and which ones wait."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from flockchain import session_keyring
from flockchain.keys import KeyPair
from flockchain.keystore import FileKeystore, KeystoreError, MemoryKeystore
from flockchain.session_keyring import SessionKeyring
from runtime.economy.authorities import ownership_message
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.signatures import ed25519_verify
from tests.flockchain.chain.chain_fixture import KEYS, Place
from tests.flockchain.rpc.test_author_keys import counted

PASSWORD = "correct horse"
SECRET = "0x" + blake2b_256(b"author").hex()


def test_listeners_hear_of_session_keys_alone() -> None:
    heard: list[tuple[str, bytes]] = []

    def on_added(key_type: str, pair: KeyPair) -> None:
        heard.append((key_type, pair.public))

    place = Place()
    keyring = SessionKeyring(MemoryKeystore(), "", place.backend, counted())
    keyring.on_added.append(on_added)
    keys = keyring.rotate()
    assert heard == [("babe", keys.babe), ("gran", keys.grandpa)]
    assert [pair.public for pair in keyring.pairs("babe")] == [keys.babe]
    public = keyring._keystore.insert("acco", "//Alice").public
    keyring.insert("acco", "//Alice", public)
    assert len(heard) == 2


def test_a_key_that_acts_already_waits_for_a_restart(caplog: pytest.LogCaptureFixture) -> None:
    place = Place()
    keyring = SessionKeyring(MemoryKeystore(), "", place.backend)
    keyring.on_added.append(lambda *_: pytest.fail("it acts without having listened"))
    acting = KEYS[0]
    with caplog.at_level(logging.WARNING):
        keyring.insert("babe", SECRET, acting.public)
    assert "restart the node to act with it" in caplog.text
    assert keyring.has("babe", acting.public)


def test_keys_outlive_the_node(tmp_path: Path) -> None:
    place = Place()
    keystore = FileKeystore(tmp_path / "keys", scrypt_log_n=4)
    keys = SessionKeyring(keystore, PASSWORD, place.backend).rotate()
    again = SessionKeyring(keystore, PASSWORD, place.backend)
    assert again.has("gran", keys.grandpa)
    assert again.pairs("gran") == []
    owner = KEYS[0].account
    proof = again.prove(keys, owner)  # unlocked for this once
    message = ownership_message(place.backend.genesis, owner, keys)
    assert ed25519_verify(proof.babe, message, keys.babe)
    again.unlock()
    assert [pair.public for pair in again.pairs("gran")] == [keys.grandpa]
    locked = SessionKeyring(keystore, "", place.backend)
    with pytest.raises(KeystoreError, match="a keystore file needs a password"):
        locked.rotate()


def test_a_keystore_is_not_filled_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_keyring, "KEYS_MAX", 3)
    keyring = SessionKeyring(MemoryKeystore(), "", Place().backend, counted())
    keyring.rotate()
    with pytest.raises(KeystoreError, match="the keystore holds 3 keys: delete those out of use"):
        keyring.rotate()
