"""The rules by which a chain of proofs leads from one set of voters to the next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flockchain.consensus.grandpa.authorities import AuthoritySet
from flockchain.consensus.grandpa.messages import BlockRef
from flockchain.consensus.grandpa.warp_proof import (
    Fragment,
    Proven,
    WarpProofError,
    verify_fragments,
)
from flockchain.simulation.long_chain import LongChain
from runtime.primitives.babe_digest import GRANDPA_ENGINE, Authority
from runtime.primitives.grandpa_votes import CONSENSUS_LOG, ScheduledChange
from runtime.primitives.header import Consensus, Digest, Header


@pytest.fixture(scope="module")
def chain() -> LongChain:
    chain = LongChain(changes_every=0)
    chain.grow(3)
    return chain


@pytest.fixture
def start(chain: LongChain) -> Proven:
    voters = AuthoritySet(0, [(key.public, 10**12) for key in chain.owners])
    return Proven(voters, 0)


def fragment_of(chain: LongChain, number: int, change: ScheduledChange | bytes | None) -> Fragment:
    """A block that never was, with real votes of the chain's voters."""
    header = chain.backend.header(chain.backend.best.hash)
    assert header is not None
    data = CONSENSUS_LOG.encode(change) if isinstance(change, ScheduledChange) else change
    logs = [] if data is None else [Consensus(GRANDPA_ENGINE, data)]
    header = replace(header, number=number, digest=Digest(logs))
    return Fragment(header, chain.prove(BlockRef(header.hash(), number)))


def successors(*weights: int, delay: int = 0) -> ScheduledChange:
    return ScheduledChange([Authority(bytes([weight]) * 32, weight) for weight in weights], delay)


def test_voters_hand_over_to_those_they_made_final(chain: LongChain, start: Proven) -> None:
    proven = verify_fragments(start, [fragment_of(chain, 7, successors(3, 4))], is_last=False)
    assert proven.number == 7
    assert proven.authorities.set_id == 1
    assert proven.authorities.total == 7


def test_the_last_block_may_name_nobody(chain: LongChain, start: Proven) -> None:
    proven = verify_fragments(start, [fragment_of(chain, 7, None)], is_last=True)
    assert proven == Proven(start.authorities, 7)


def test_what_was_checked_once_is_followed_from_disk(chain: LongChain, start: Proven) -> None:
    proven = start.trusting(replace(fragment_of(chain, 7, successors(3)), justification=b""))
    assert (proven.number, proven.authorities.set_id) == (7, 1)
    with pytest.raises(WarpProofError, match="names no new voters"):
        start.trusting(fragment_of(chain, 7, None))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (successors(3, delay=2), r"#7 \(0x.*\) delays its change by 2 blocks"),
        (successors(), r"#7 \(0x.*\) names no voters: 0 authorities"),
        (b"\x01\xff", r"#7 \(0x.*"),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    chain: LongChain, start: Proven, change: ScheduledChange | bytes, message: str
) -> None:
    with pytest.raises(WarpProofError, match=message):
        verify_fragments(start, [fragment_of(chain, 7, change)], is_last=True)


def test_votes_of_another_set_prove_nothing(chain: LongChain, start: Proven) -> None:
    later = Proven(AuthoritySet(1, start.authorities.authorities), 0)
    with pytest.raises(WarpProofError, match="is not signed for round 1 of set 1"):
        verify_fragments(later, [fragment_of(chain, 7, None)], is_last=True)


def test_the_header_belongs_to_the_proof(chain: LongChain, start: Proven) -> None:
    fragment = fragment_of(chain, 7, successors(3))
    header: Header = replace(fragment.header, number=8)
    with pytest.raises(WarpProofError, match="justification for #7"):
        verify_fragments(start, [replace(fragment, header=header)], is_last=True)
