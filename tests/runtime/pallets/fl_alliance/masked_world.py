"""A masked round of the FL Alliance: what proposers, aggregator and voters do in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from nacl.signing import SigningKey

from ml.zk.masks import masked_update, unmask
from ml.zk.openings import add_up, commit, fresh_opening, is_opening
from runtime.frame.origin import signed
from runtime.pallets.fl_alliance.mask_records import Revealed, Share, WrongShare
from runtime.pallets.fl_alliance.seals import deal_context, delivery_context
from runtime.pallets.fl_alliance.stages import Stage
from runtime.pallets.fl_alliance.terms import Mode
from runtime.primitives import vrf
from runtime.primitives.curve import hash_to_scalar
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.zk_delivery import MASKED_NUMBER_BYTES, Chunk, Delivery, deliver
from runtime.primitives.zk_setup import ethereum_setup
from runtime.primitives.zk_shares import (
    Deal,
    deal,
    mask_secrets,
    open_piece,
    prove_common,
    recover,
)
from runtime.primitives.zk_transcript import update_message
from tests.runtime.pallets.fl_alliance.alliance_world import (
    WINDOWS,
    new_alliance,
    vrf_key,
    vrf_seed,
)
from tests.runtime.pallets.fl_alliance.test_aggregation import (
    HALF_PROPOSE,
    PARAMETERS,
    Aggregated,
)
from tests.runtime.pallets.world import GENESIS, account

MASKED_WINDOWS = replace(WINDOWS, propose=8, aggregate=5, share=4, unmask=8)


@dataclass
class MaskedRound(Aggregated):
    """A round in which `proposers` take part, a name each letter."""

    proposers: str = "abcde"
    updates: dict[str, torch.Tensor] = field(default_factory=dict)

    # -- secrets of masks

    def dealt(self, name: str) -> Deal:
        context = deal_context(GENESIS, self.made.place, account(name))
        return deal(self.seed(name), [vrf_key(each) for each in self.proposers], context)

    def seed(self, name: str) -> bytes:
        return blake2b_256(b"mask" + name.encode())

    def share(self, *names: str) -> None:
        for name in names:
            self.post_deal(name, self.dealt(name))

    def post_deal(self, name: str, dealt: Deal) -> None:
        self.pallet.share_secrets(signed(account(name)), *self.made.place, dealt)

    def posted_deal(self, name: str) -> Deal:
        found: Deal = self.pallet.deals.get((self.made.key, account(name)))
        return found

    @property
    def dealers(self) -> str:
        mask = self.pallet.masked.get(self.made.key).dealers
        return "".join(name for at, name in enumerate(self.proposers) if mask >> at & 1)

    @property
    def keys(self) -> dict[int, bytes]:
        """s·G of each dealer by its place."""
        return {
            self.proposers.index(name): self.posted_deal(name).pair_point for name in self.dealers
        }

    # -- as in rounds that are not masked

    def prepare(self, name: str) -> tuple[bytes, bytes]:
        setup, place = ethereum_setup(), self.proposers.index(name)
        update = torch.tensor([ord(name) >> bit & 1 for bit in range(PARAMETERS)])
        self.updates[name] = update.to(torch.int16)
        weight = self.made.round.weights[place]
        secrets = mask_secrets(self.seed(name))
        numbers = masked_update(self.updates[name], weight, secrets, place, self.keys)
        self.openings[name] = fresh_opening(numbers, setup)
        points = commit(self.openings[name], setup)
        context = self.pallet.playing.aggregations.context(self.made.key)
        message = update_message(context, 1, points)
        signature = SigningKey(vrf_seed(name)).sign(message).signature
        self.posted[name] = (b"".join(points), bytes(signature))
        return self.posted[name]

    def deliver(self, name: str, receiver: str) -> Delivery:
        numbers = self.openings[name].numbers.tolist()
        numbers[0] = (numbers[0] + (name in self.sends_wrong)) % 2**32
        context = delivery_context(GENESIS, self.made.place, account(name), vrf_key(receiver))
        secret = hash_to_scalar(b"tests", name.encode(), receiver.encode())
        chunks = [Chunk(numbers, self.openings[name].blinders[0])]
        key = vrf_key(receiver)
        delivery, pieces = deliver(chunks, key, context, secret, MASKED_NUMBER_BYTES)
        self.pieces[name] = pieces
        return delivery

    # -- after the proof

    def shares(self, holder: str, wrong: str = "") -> list[Revealed]:
        """What a holder reveals; it shows that the dealers of `wrong` sent it wrong ones."""
        return [self.revealed(holder, dealer, is_wrong=dealer in wrong) for dealer in self.dealers]

    def revealed(self, holder: str, dealer: str, *, is_wrong: bool) -> Revealed:
        posted, secret = self.posted_deal(dealer), vrf.secret_scalar(vrf_seed(holder))
        context = deal_context(GENESIS, self.made.place, account(dealer))
        shared, proof = prove_common(secret, posted, context, b"entropy")
        if is_wrong:
            return WrongShare(shared, proof)
        opened = open_piece(posted, self.proposers.index(holder), shared)
        assert opened is not None
        return Share(opened.own if self.is_in(dealer) else opened.pair)

    def is_in(self, name: str) -> bool:
        return bool(self.made.round.aggregate >> self.proposers.index(name) & 1)

    def reveal_shares(self, *holders: str) -> None:
        for holder in holders:
            self.post_shares(holder, self.shares(holder))

    def post_shares(self, holder: str, shares: Sequence[Revealed]) -> None:
        self.pallet.reveal_shares(signed(account(holder)), *self.made.place, list(shares))

    def unmasked(self) -> list[int]:
        """What whoever has the proved sum's opening finds, from what the chain knows."""
        names = [name for name in self.dealers if self.is_in(name)]
        total = add_up([self.openings[name] for name in names], [1] * len(names))
        assert is_opening(self.statement.totals, total, ethereum_setup())
        found = dict(self.pallet.reveals.items_of(self.made.key))
        own, pair = {}, {}
        for at, dealer in enumerate(self.dealers):
            shares = {
                self.proposers.index(holder): found[account(holder)][at]
                for holder in self.proposers
                if account(holder) in found and found[account(holder)][at] is not None
            }
            kind = own if self.is_in(dealer) else pair
            kind[self.proposers.index(dealer)] = recover(shares)
        return list(unmask(total.numbers, self.keys, own, pair).tolist())

    def expected(self, names: str) -> list[int]:
        weights = dict(zip(self.proposers, self.made.round.weights, strict=True))
        return [
            sum(weights[name] * (int(self.updates[name][at]) + 2**15) for name in names)
            for at in range(PARAMETERS)
        ]


def masked_round(proposers: str = "abcde", voters: str = "vwxyz", **changes: object) -> MaskedRound:
    """At the stage in which secrets are shared."""
    declared = {
        "mode": Mode.ZK_MASKED,
        "parameters": PARAMETERS,
        "windows": MASKED_WINDOWS,
        **HALF_PROPOSE,
        **changes,
    }
    made = new_alliance(*proposers, *voters, **declared)
    made.seat(proposers, voters)
    assert made.stage is Stage.SHARE
    return MaskedRound(made, proposers=proposers)


def at_unmasking(proposers: str = "abcde", absent: str = "", wrong: str = "") -> MaskedRound:
    """All share; all but the absent propose; the sum is proved."""
    found = masked_round(proposers)
    for name in proposers:
        dealt = found.dealt(name)
        found.post_deal(name, spoil(found, name, dealt) if name in wrong else dealt)
    found.made.go_to(Stage.PROPOSE)
    names = [name for name in proposers if name not in absent]
    for name in names:
        found.seal(name)
    found.made.go_to(Stage.DISCLOSE)
    for name in names:
        found.reveal(name, "v")
    found.made.report_all("vwxyz")
    found.made.go_to(Stage.AGGREGATE)
    found.post("v", found.proof(), len(names))
    found.made.go_to(Stage.UNMASK)
    return found


def spoil(found: MaskedRound, name: str, dealt: Deal) -> Deal:
    """The deal with another piece for the first holder, and a right proof."""
    from runtime.primitives import zk_shares
    from runtime.primitives.curve import answer, base_mul

    pieces = bytes(zk_shares.PIECE_BYTES) + dealt.pieces[zk_shares.PIECE_BYTES :]
    context = deal_context(GENESIS, found.made.place, account(name))
    told = (dealt.own, dealt.pair, pieces, dealt.ephemeral)
    secret = zk_shares._drawn(found.seed(name), b"ephemeral", 0)
    nonce = hash_to_scalar(b"tests", *told)
    challenge = hash_to_scalar(zk_shares._KNOWN, context, *told, base_mul(nonce))
    response = answer(nonce, challenge, secret)
    return replace(dealt, pieces=pieces, challenge=challenge, response=response)
