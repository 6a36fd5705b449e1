"""The keystore: real files, real encryption (at a low scrypt cost), real permissions."""

import logging
import os
from pathlib import Path

import pytest

from flockchain.keys import KeyDerivationError, key_pair_from_uri
from flockchain.keystore import (
    FileKeystore,
    KeyEntry,
    Keystore,
    KeystoreError,
    MemoryKeystore,
)

SEED = bytes(range(32))
PASSWORD = "correct horse"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "node" / "keystore"


@pytest.fixture
def keystore(directory: Path) -> FileKeystore:
    return FileKeystore(directory, scrypt_log_n=2)


def test_keys_come_back_and_sign(keystore: FileKeystore) -> None:
    entry = keystore.insert("acco", "//Alice//stash", PASSWORD)
    pair = keystore.unlock("acco", entry.public, PASSWORD)
    assert pair == key_pair_from_uri("//Alice//stash")
    assert entry == KeyEntry("acco", "sr25519", pair.public)


def test_seeds_and_the_schemes_of_consensus_keys(keystore: FileKeystore) -> None:
    for key_type in ("babe", "gran"):
        entry = keystore.insert(key_type, SEED, PASSWORD)
        assert entry.scheme == "ed25519"
        assert keystore.unlock(key_type, entry.public, PASSWORD).seed == SEED
    assert keystore.insert("babe", SEED, PASSWORD, scheme="sr25519").scheme == "sr25519"


def test_files_are_private_and_hold_no_secret(keystore: FileKeystore, directory: Path) -> None:
    entry = keystore.insert("gran", SEED, PASSWORD)
    (path,) = directory.iterdir()
    assert path.name == f"gran-{entry.public.hex()}.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert directory.stat().st_mode & 0o777 == 0o700
    content = path.read_bytes()
    assert SEED not in content
    assert SEED.hex().encode() not in content
    assert PASSWORD.encode() not in content


def test_list_tells_without_a_password(keystore: FileKeystore, directory: Path) -> None:
    assert keystore.list() == ()
    expected = [keystore.insert("gran", f"//{name}", PASSWORD) for name in ("a", "b", "c")]
    expected.append(keystore.insert("babe", "//a", PASSWORD))
    (directory / "notes.txt").write_text("ignored")
    assert list(keystore.list()) == sorted(expected, key=lambda item: (item.key_type, item.public))


def test_wrong_password_and_tampered_byte_are_refused(
    keystore: FileKeystore, directory: Path
) -> None:
    entry = keystore.insert("gran", SEED, PASSWORD)
    (path,) = directory.iterdir()
    message = f"cannot unlock {path}: wrong password or altered file"
    with pytest.raises(KeystoreError) as caught:
        keystore.unlock("gran", entry.public, "wrong horse")
    assert str(caught.value) == message
    content = path.read_bytes()
    position = content.index(b'"ciphertext":"') + 20
    digit = b"0" if content[position : position + 1] != b"0" else b"1"
    path.write_bytes(content[:position] + digit + content[position + 1 :])
    with pytest.raises(KeystoreError) as caught:
        keystore.unlock("gran", entry.public, PASSWORD)
    assert str(caught.value) == message


def test_a_file_under_another_name_is_refused(keystore: FileKeystore, directory: Path) -> None:
    entry = keystore.insert("gran", SEED, PASSWORD)
    (path,) = directory.iterdir()
    path.rename(directory / f"babe-{entry.public.hex()}.json")
    with pytest.raises(KeystoreError, match="holds another key than its name says"):
        keystore.unlock("babe", entry.public, PASSWORD)


def test_truncated_file_is_refused(keystore: FileKeystore, directory: Path) -> None:
    entry = keystore.insert("gran", SEED, PASSWORD)
    (path,) = directory.iterdir()
    path.write_bytes(path.read_bytes()[:-10])
    for act in (lambda: keystore.unlock("gran", entry.public, PASSWORD), keystore.list):
        with pytest.raises(KeystoreError) as caught:
            act()
        assert str(caught.value) == f"{path} is no keystore file: not JSON"


def test_open_permissions_are_refused(keystore: FileKeystore, directory: Path) -> None:
    entry = keystore.insert("gran", SEED, PASSWORD)
    (path,) = directory.iterdir()
    path.chmod(0o640)
    with pytest.raises(KeystoreError, match=r"is open to other users \(mode 640\)"):
        keystore.unlock("gran", entry.public, PASSWORD)
    directory.chmod(0o755)
    with pytest.raises(KeystoreError, match=r"is open to other users \(mode 755\)"):
        keystore.insert("gran", "//Bob", PASSWORD)


def test_what_insert_refuses(keystore: FileKeystore, directory: Path) -> None:
    with pytest.raises(KeystoreError, match=r"^a keystore file needs a password that is not empty"):
        keystore.insert("gran", SEED)
    with pytest.raises(KeystoreError, match=r"^a key type is four of a-z and 0-9, not '../x'$"):
        keystore.insert("../x", SEED, PASSWORD)
    with pytest.raises(KeyDerivationError, match=r"^a seed in a secret URI is 0x and 64"):
        keystore.insert("gran", SEED[:31], PASSWORD)
    assert not directory.exists()
    keystore.insert("gran", SEED, PASSWORD)
    with pytest.raises(KeystoreError, match=r"already holds this key$"):
        keystore.insert("gran", SEED, PASSWORD)
    assert len(list(directory.iterdir())) == 1


def test_missing_keys_are_named(keystore: FileKeystore, directory: Path) -> None:
    with pytest.raises(KeystoreError, match=r"^there is no key at "):
        keystore.unlock("gran", bytes(32), PASSWORD)
    with pytest.raises(KeystoreError, match=r"^the keystore holds no gran key 0x0000"):
        MemoryKeystore().unlock("gran", bytes(32))


def test_memory_keystore_has_the_same_interface() -> None:
    keystore: Keystore = MemoryKeystore()
    second = keystore.insert("gran", SEED)
    first = keystore.insert("acco", "//Alice")
    assert keystore.insert("acco", "//Alice") == first
    assert keystore.list() == (first, second)
    assert keystore.unlock("gran", second.public).sign(b"m")
    with pytest.raises(KeystoreError, match=r"^a key type is four"):
        keystore.insert("grandpa", SEED)


def test_no_secret_in_logs_or_exceptions(
    keystore: FileKeystore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    entry = keystore.insert("gran", SEED, PASSWORD)
    pair = keystore.unlock("gran", entry.public, PASSWORD)
    with pytest.raises(KeystoreError) as caught:
        keystore.unlock("gran", entry.public, "a wrong secret")
    shown = f"{caplog.text} {pair!r} {entry!r} {keystore!r} {caught.value!r}"
    for secret in (SEED.hex(), repr(SEED), PASSWORD, "a wrong secret"):
        assert secret not in shown


def test_keys_that_come_together_are_stored_together_or_not_at_all(
    keystore: FileKeystore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keystore.insert("babe", "//kept", PASSWORD)
    replace, calls = os.replace, [0]

    def fail_at_the_second(source: Path, target: Path) -> None:
        calls[0] += 1
        if calls[0] == 2:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail_at_the_second)
    with pytest.raises(OSError, match="No space left"):
        keystore.insert_all([("babe", SEED), ("gran", SEED)], PASSWORD)
    assert [path.name for path in directory.iterdir()] == [f"babe-{kept.public.hex()}.json"]
    assert len(keystore.insert_all([("babe", SEED), ("gran", SEED)], PASSWORD)) == 2
