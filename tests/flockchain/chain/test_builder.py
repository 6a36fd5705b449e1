"""Building: inherents first, the rest until something is used up; who is told what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from flockchain.chain import builder
from flockchain.chain.builder import Built, build_block
from flockchain.storage.trie_build import ordered_root
from runtime.frame.executive import verify_signature
from runtime.frame.extrinsic import extrinsic_hash
from runtime.primitives.babe_digest import instant_log
from runtime.primitives.multi import MultiSignature
from runtime.primitives.types import AccountId, Hash
from tests.runtime.block_chain import ALICE, BOB, Chain, key_of, remark


def build(
    chain: Chain,
    candidates: Iterable[bytes],
    is_time_up: Callable[[], bool] = lambda: False,
    verify: Callable[[MultiSignature, AccountId, bytes], bool] = verify_signature,
) -> tuple[Built, list[Hash]]:
    """A block on the chain's head, and the candidates that can never be included."""
    invalid: list[Hash] = []
    now_ms = chain.now_ms + 1_000
    built = build_block(
        chain.state,
        chain.head,
        chain.number + 1,
        [instant_log(0)],
        now_ms,
        candidates,
        verify,
        is_time_up,
        invalid.append,
    )
    return built, invalid


def test_an_empty_block_sets_its_time() -> None:
    chain = Chain()
    built, invalid = build(chain, [])
    assert (built.number, built.parent, built.body) == (1, chain.head, [chain.time()])
    assert built.extrinsics_root == ordered_root(built.body)
    assert invalid == []


def test_what_it_builds_executes_to_the_same() -> None:
    chain = Chain()
    candidates = [chain.sign(ALICE, remark(), nonce=nonce) for nonce in range(3)]
    built, _ = build(chain, candidates)
    assert built.body[1:] == candidates
    executed = chain.execute(built.body)
    assert executed.changes == built.changes


def test_what_can_never_be_included_is_told_and_left_out() -> None:
    chain = Chain()
    good = chain.sign(ALICE, remark())
    stale, poor = good, chain.sign(key_of("poor"), remark())
    ahead, garbage = chain.sign(BOB, remark(), nonce=5), b"\x04\xff"
    built, invalid = build(chain, [good, stale, poor, ahead, garbage])
    assert built.body[1:] == [good]
    assert invalid == [extrinsic_hash(data) for data in (stale, poor, garbage)]


def test_the_next_smaller_one_still_fits() -> None:
    chain = Chain()
    sizes = [400_000, 400_000, 100_000]
    keys = [ALICE, BOB, key_of("author")]
    candidates = [
        chain.sign(key, remark(bytes(size))) for key, size in zip(keys, sizes, strict=True)
    ]
    built, invalid = build(chain, candidates)
    assert built.body[1:] == [candidates[0], candidates[2]]
    assert invalid == []


def test_a_block_that_fits_nothing_more_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "_PASSED_OVER_MAX", 2)
    chain, asked = Chain(), []

    def candidates() -> Iterable[bytes]:
        yield chain.sign(ALICE, remark(bytes(500_000)))
        for size in range(400_000, 400_010):
            asked.append(size)
            yield chain.sign(BOB, remark(bytes(size)))

    built, invalid = build(chain, candidates())
    assert len(built.body) == 2
    assert len(asked) == 4
    assert invalid == []


def test_time_ends_a_block() -> None:
    chain = Chain()
    ticks = iter([False, False, True])
    candidates = [chain.sign(ALICE, remark(), nonce=nonce) for nonce in range(5)]
    built, _ = build(chain, candidates, is_time_up=lambda: next(ticks))
    assert built.body[1:] == candidates[:2]


def test_a_fault_of_the_runtime_costs_its_extrinsic_and_not_the_block() -> None:
    chain = Chain()
    bad, good = chain.sign(ALICE, remark(b"bad")), chain.sign(BOB, remark())

    def verify(signature: MultiSignature, who: AccountId, message: bytes) -> bool:
        assert b"bad" not in message, "a bug"
        return verify_signature(signature, who, message)

    built, invalid = build(chain, [bad, good], verify=verify)
    assert built.body[1:] == [good]
    assert invalid == [extrinsic_hash(bad)]
    assert built.changes == chain.execute(built.body).changes
