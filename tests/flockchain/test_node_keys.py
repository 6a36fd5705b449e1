"""With which keys a node starts, and what keeps a validator from starting."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from flockchain.config import NodeConfig, load_config
from flockchain.keystore import FileKeystore, KeystoreError
from flockchain.node_keys import development_key, open_keyring
from flockchain.session_keyring import SESSION_TYPES
from tests.flockchain.chain.chain_fixture import Place


def config_of(tmp_path: Path, **given: object) -> NodeConfig:
    return load_config({"base_path": str(tmp_path), **given}, {})


def with_password(tmp_path: Path, config: NodeConfig, text: str = "correct horse\n") -> NodeConfig:
    path = tmp_path / "password"
    path.write_text(text)
    return replace(config, password_file=path)


def test_a_validator_opens_all_its_keys(tmp_path: Path) -> None:
    keystore = FileKeystore(tmp_path / "keys", scrypt_log_n=4)
    for name in ("//One", "//Two"):
        for key_type in (*SESSION_TYPES, "acco"):
            keystore.insert(key_type, name, "correct horse")
    config = with_password(tmp_path, config_of(tmp_path, validator=True))
    keyring = open_keyring(config, tmp_path / "keys", Place().backend)
    assert [len(keyring.pairs(key_type)) for key_type in (*SESSION_TYPES, "acco")] == [2, 2, 0]
    wrong = with_password(tmp_path, config, "wrong\n")
    with pytest.raises(KeystoreError, match="cannot unlock"):
        open_keyring(wrong, tmp_path / "keys", Place().backend)


def test_a_validator_without_keys_needs_a_way_to_get_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = config_of(tmp_path, validator=True)
    with pytest.raises(KeystoreError, match=r"a validator needs a babe key in .*, there is none"):
        open_keyring(config, tmp_path / "keys", Place().backend)
    with caplog.at_level(logging.WARNING):
        keyring = open_keyring(with_password(tmp_path, config), tmp_path / "keys", Place().backend)
    assert "no babe key yet: call author_rotateKeys" in caplog.text
    assert keyring.pairs("babe") == []


def test_other_nodes_unlock_nothing(tmp_path: Path) -> None:
    FileKeystore(tmp_path / "keys", scrypt_log_n=4).insert("babe", "//One", "correct horse")
    config = with_password(tmp_path, config_of(tmp_path))
    assert open_keyring(config, tmp_path / "keys", Place().backend).pairs("babe") == []


def test_a_development_key_is_lent_and_not_stored(tmp_path: Path) -> None:
    config = load_config({"dev": True}, {})
    keyring = open_keyring(config, tmp_path / "keys", Place().backend)
    alice = development_key("alice")
    assert keyring.has("babe", alice.public)
    assert keyring.has("gran", alice.public)
    asyncio.run(keyring.rotate())
    assert not (tmp_path / "keys").exists()


def test_a_password_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    config = replace(config_of(tmp_path), password_file=tmp_path / "none")
    with pytest.raises(KeystoreError, match=r"--password-file: cannot read .*none"):
        open_keyring(config, tmp_path / "keys", Place().backend)
