"""A round with an aggregator as the chain has it: who committed to what, and who aggregates.

Read from one block, so that proofs and checks are about one state. Invariant: the statement is the
one that the chain verifies a proof of.
Source: WP VI.H; zkFL (arXiv 2310.02554) 4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from flockchain.sdk import StateView
from flockchain.workers.alliance.desk import AllianceDesk
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.records import (
    Aggregation,
    ClientCommitments,
    Member,
    RoundKey,
)
from runtime.pallets.fl_alliance.seals import delivery_context
from runtime.pallets.fl_alliance.terms import AllianceTerms, Mode
from runtime.pallets.fl_alliance.views import RoundInfo
from runtime.primitives.types import AccountId, Hash
from runtime.primitives.zk_delivery import MASKED_NUMBER_BYTES, NUMBER_BYTES
from runtime.primitives.zk_points import POINT_BYTES
from runtime.primitives.zk_setup import Setup
from runtime.primitives.zk_transcript import Commitments, RoundContext, Statement


@dataclass(frozen=True, slots=True)
class CommittedClient:
    """A proposer that opened its commitments. `ciphertext` names what it sends."""

    account: AccountId
    key: bytes
    weight: int
    posted: ClientCommitments
    ciphertext: bytes

    @property
    def commitments(self) -> Commitments:
        """As a statement has it."""
        points = split_points(self.posted.points)
        return Commitments(self.account, self.key, self.weight, points, self.posted.signature)


@dataclass(frozen=True, slots=True)
class AggregatedRound:
    """`clients` by their bit in masks; `receiver`: the VRF key of who aggregates.

    `number_bytes`: of each number that clients send.
    """

    key: RoundKey
    context: RoundContext
    setup: Setup
    clients: Mapping[int, CommittedClient]
    receiver: bytes
    aggregation: Aggregation
    number_bytes: int = NUMBER_BYTES

    def of_sum(self, mask: int) -> list[CommittedClient]:
        """The clients of a sum, in the order of the statement."""
        found = [client for index, client in self.clients.items() if mask >> index & 1]
        return sorted(found, key=lambda client: client.account)

    def statement(self, mask: int) -> Statement:
        """What is proved of the proposals in `mask`."""
        clients = tuple(client.commitments for client in self.of_sum(mask))
        return Statement(self.context, clients)

    def delivery_context(self, client: AccountId) -> bytes:
        """What a client's delivery to the aggregator is bound to."""
        place = self.key.task, self.key.round
        return delivery_context(Hash(self.context.chain), place, client, self.receiver)


async def read_round(
    desk: AllianceDesk, view: StateView, terms: AllianceTerms, task: int, made: RoundInfo
) -> AggregatedRound:
    """From the state of a block. Raises SdkError, `SetupError`."""
    record, key = made.record, RoundKey(task, made.round)
    aggregation = await view.find(FlAlliance.aggregations, key) or Aggregation()
    # Of a round that no aggregator proved there is one place more than voters.
    aggregator = record.voters[min(aggregation.place, len(record.voters) - 1)]
    accounts = [*record.proposers, aggregator]
    members, posted = await asyncio.gather(
        view.query_many(FlAlliance.members, [(task, who) for who in accounts]),
        view.query_many(FlAlliance.commitments, [(key, who) for who in record.proposers]),
    )
    clients, is_masked = {}, terms.mode is Mode.ZK_MASKED
    for index, (entry, found) in enumerate(zip(made.proposers, posted, strict=True)):
        member, ciphertext = members[index], entry.proposal.ciphertext
        if found is not None and ciphertext is not None:
            weight = 1 if is_masked else entry.weight  # it multiplied before it masked
            clients[index] = CommittedClient(
                entry.account, _key_of(member), weight, found, ciphertext
            )
    setup = (await desk.string.get()).setup
    context = context_of(desk.client.genesis, terms, key, record.base, setup.id)
    size = number_bytes_of(terms.mode)
    receiver = _key_of(members[-1])
    return AggregatedRound(key, context, setup, clients, receiver, aggregation, size)


def number_bytes_of(mode: Mode) -> int:
    """Of each number that a client sends."""
    return MASKED_NUMBER_BYTES if mode is Mode.ZK_MASKED else NUMBER_BYTES


def _key_of(member: Member | None) -> bytes:
    """One that took part in a past round may be gone; sums do not depend on keys."""
    return bytes(32) if member is None else member.key


def context_of(
    genesis: Hash, terms: AllianceTerms, key: RoundKey, base: bytes | None, setup: Hash
) -> RoundContext:
    """The round as transcripts name it."""
    scale = 1 << terms.fraction_bits
    named = (genesis, key.task, key.round, base or bytes(32), setup)
    return RoundContext(*named, terms.parameters, scale)


def split_points(points: bytes) -> tuple[bytes, ...]:
    """Points that stand one after another."""
    return tuple(points[at : at + POINT_BYTES] for at in range(0, len(points), POINT_BYTES))
