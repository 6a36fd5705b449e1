"""Keys that come while a node runs: who hears of them, and which ones wait."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from flockchain import sealed_key, session_keyring
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
    keys = asyncio.run(keyring.rotate())
    assert heard == [("babe", keys.babe), ("gran", keys.grandpa)]
    assert [pair.public for pair in keyring.pairs("babe")] == [keys.babe]
    public = keyring._keystore.insert("acco", "//Alice").public
    asyncio.run(keyring.insert("acco", "//Alice", public))
    assert len(heard) == 2


def test_a_key_that_comes_from_outside_is_judged_first() -> None:
    judged: list[tuple[str, bytes]] = []

    def on_inserted(key_type: str, pair: KeyPair) -> None:
        judged.append((key_type, pair.public))

    keyring = SessionKeyring(MemoryKeystore(), "", Place().backend)
    keyring.on_added.append(lambda *_: pytest.fail("it acts at once"))
    keyring.on_inserted.append(on_inserted)
    public = KEYS[0].public
    for _ in range(2):
        asyncio.run(keyring.insert("babe", SECRET, public))
    assert judged == [("babe", public)], "again is nothing new"
    assert keyring.has("babe", public)


def test_a_rotation_is_encrypted_once_in_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def noted(password: bytes, salt: bytes, log_n: int) -> bytes:
        threads.append(threading.current_thread())
        return bytes(32)

    monkeypatch.setattr(sealed_key, "_stretch", noted)
    keyring = SessionKeyring(FileKeystore(tmp_path / "keys"), PASSWORD, Place().backend)
    asyncio.run(keyring.rotate())
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


def test_keys_outlive_the_node(tmp_path: Path) -> None:
    place = Place()
    keystore = FileKeystore(tmp_path / "keys", scrypt_log_n=4)
    keys = asyncio.run(SessionKeyring(keystore, PASSWORD, place.backend).rotate())
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
        asyncio.run(locked.rotate())


def test_a_keystore_is_not_filled_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_keyring, "KEYS_MAX", 3)
    keyring = SessionKeyring(MemoryKeystore(), "", Place().backend, counted())
    asyncio.run(keyring.rotate())
    with pytest.raises(KeystoreError, match="the keystore holds 3 keys: delete those out of use"):
        asyncio.run(keyring.rotate())
