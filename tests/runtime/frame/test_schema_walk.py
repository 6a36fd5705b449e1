"""Where accounts occur in shapes, and rewriting them."""

from __future__ import annotations

import pytest

from runtime import frame
from runtime.frame.schema_walk import (
    item_mentions_accounts,
    mentions_accounts,
    rewrite,
    with_account,
)
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import Account, Alias, Submission, Submitter
from runtime.pallets.delegation import Delegation, OperatorKey
from runtime.primitives.scale import codec_of
from runtime.primitives.types import U32, AccountId, Hash

A, B, C = (AccountId(bytes([n]) * 32) for n in (1, 2, 3))


def other(who: AccountId) -> AccountId:
    return {A: B, B: A}.get(who, who)


def test_accounts_are_found_wherever_they_are() -> None:
    for annotation in (AccountId, list[AccountId], tuple[U32, AccountId | None], Submitter):
        assert mentions_accounts(codec_of(annotation).shape)
    for plain in (U32, Hash, bytes, list[Hash], tuple[U32, str]):
        assert not mentions_accounts(codec_of(plain).shape)
    assert item_mentions_accounts(Delegation.ties)
    assert item_mentions_accounts(Arena.seals)
    assert not item_mentions_accounts(Arena.vested)


def test_only_accounts_are_rewritten() -> None:
    content = bytes(A)  # the same bytes, and no account
    made = Submission(Account(A), A, content, content, 1, 2, 3)
    changed = rewrite(codec_of(Submission).shape, made, other)
    assert changed == Submission(Account(B), B, content, content, 1, 2, 3)
    alias = Submission(Alias(bytes(A)), None, content, content, 1, 2, 3)
    assert rewrite(codec_of(Submission).shape, alias, other) == alias
    pair = codec_of(tuple[OperatorKey, list[AccountId]]).shape
    assert rewrite(pair, (OperatorKey(1, B), [A, C]), other) == (OperatorKey(1, A), [B, C])


def test_a_rewrite_is_its_own_reverse() -> None:
    shape = codec_of(list[Submitter]).shape
    values = [Account(who) for who in (A, B, C, A)]
    assert rewrite(shape, rewrite(shape, values, other), other) == values


def test_a_shape_that_hides_its_content_may_mention_accounts_and_is_not_rewritten() -> None:
    shape = codec_of(frame.RuntimeCall).shape
    assert mentions_accounts(shape)
    with pytest.raises(TypeError, match="cannot be found"):
        rewrite(shape, object(), other)


def test_an_account_takes_the_form_of_its_place() -> None:
    assert with_account(codec_of(AccountId).shape, A) == A
    assert with_account(codec_of(Submitter).shape, A) == Account(A)
    with pytest.raises(TypeError, match="not one account"):
        with_account(codec_of(U32).shape, A)
