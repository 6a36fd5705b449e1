"""Sealed updates: for the round's participants alone, and for one place only."""

from __future__ import annotations

from dataclasses import replace

import pytest
from nacl.public import PrivateKey

from flockchain.workers.alliance.sealed_update import UpdatePlace, open_update, seal_update
from flockchain.workers.model_seal import ModelSealError
from runtime.primitives.content_id import content_id
from runtime.primitives.types import AccountId, Hash

UPDATE = b"an update of a model" * 50
PLACE = UpdatePlace(Hash(b"g" * 32), 3, 5, AccountId(b"p" * 32))
SECRETS = [PrivateKey(bytes([n]) * 32) for n in (1, 2, 3)]
KEYS = [secret.public_key.encode() for secret in SECRETS]


def test_each_participant_opens_it() -> None:
    sealed = seal_update(UPDATE, PLACE, KEYS)
    for position, secret in enumerate(SECRETS):
        assert open_update(sealed, PLACE, position, secret, content_id(UPDATE)) == UPDATE
    assert UPDATE[:20] not in sealed


def test_who_has_no_box_opens_nothing() -> None:
    sealed = seal_update(UPDATE, PLACE, [KEYS[0], None, bytes(32)])
    content = content_id(UPDATE)
    for position in (1, 2):
        with pytest.raises(ModelSealError, match=r"^the box does not open"):
            open_update(sealed, PLACE, position, SECRETS[position], content)
    with pytest.raises(ModelSealError, match=r"^the file has 3 boxes, none of number 3$"):
        open_update(sealed, PLACE, 3, SECRETS[0], content)


@pytest.mark.parametrize(
    "changes", [{"genesis": Hash(bytes(32))}, {"task": 4}, {"round": 6}, {"proposer": bytes(32)}]
)
def test_it_serves_no_other_place(changes: dict[str, object]) -> None:
    sealed = seal_update(UPDATE, PLACE, KEYS)
    other = replace(PLACE, **changes)  # type: ignore[arg-type]
    with pytest.raises(ModelSealError, match=r"^the key does not open the update$"):
        open_update(sealed, other, 0, SECRETS[0], content_id(UPDATE))


def test_what_is_not_on_the_chain_is_refused() -> None:
    sealed = seal_update(UPDATE, PLACE, KEYS)
    with pytest.raises(ModelSealError, match=r"^what the file holds is not the update on chain$"):
        open_update(sealed, PLACE, 0, SECRETS[0], content_id(b"another"))
    with pytest.raises(ModelSealError, match=r"^the file is no sealed update: "):
        open_update(b"\xff" * 9, PLACE, 0, SECRETS[0], content_id(UPDATE))
