"""The keys with which a node starts: from its settings to an opened keyring.

Source: Substrate `sc_service::KeystoreContainer`, `--keystore-path`, `--password-filename`.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.config import NodeConfig
from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.keystore import FileKeystore, KeystoreError, MemoryKeystore
from flockchain.session_keyring import SESSION_TYPES, SessionKeyring

log = logging.getLogger(__name__)

PASSWORD_CHARACTERS_MAX: Final = 4_096


def open_keyring(config: NodeConfig, directory: Path, backend: Backend) -> SessionKeyring:
    """The node's keys; a validator's are unlocked, half a second each. Raises KeystoreError.

    A node whose data go when it ends keeps new keys in memory, others in `directory`.
    """
    password = read_password(config.password_file)
    is_passing = config.base_path is None and config.keystore_path is None
    keystore = MemoryKeystore() if is_passing else FileKeystore(directory)
    keyring = SessionKeyring(keystore, password, backend)
    if config.key is not None:
        keyring.lend(development_key(config.key))
    if config.validator and (config.key is None or password):
        keyring.unlock()
    for key_type in SESSION_TYPES if config.validator else ():
        if keyring.pairs(key_type):
            continue
        if not password:
            raise KeystoreError(
                f"a validator needs a {key_type} key in {directory}, there is none: insert it with "
                f"`flockchain key insert --key-type {key_type}`, or start with --password-file and "
                "call author_rotateKeys"
            )
        log.warning("no %s key yet: call author_rotateKeys or author_insertKey", key_type)
    return keyring


def development_key(name: str) -> KeyPair:
    """The key of //Alice to //Ferdie, which everybody has."""
    return key_pair_from_uri(f"//{name.capitalize()}", "ed25519")


def read_password(path: Path | None) -> str:
    """What opens the keystore's keys; empty without a file. Raises KeystoreError."""
    if path is None:
        return ""
    try:
        with path.open() as file:
            return file.readline(PASSWORD_CHARACTERS_MAX).removesuffix("\n")
    except OSError as error:
        raise KeystoreError(f"--password-file: cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise KeystoreError(f"--password-file: {path} holds no text") from error
