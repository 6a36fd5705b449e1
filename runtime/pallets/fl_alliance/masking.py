"""Masked rounds: secrets of masks are shared before training and revealed after the proof.

Each proposer deals its two secrets among all proposers; masks are among those that did. Once a sum
is proved its set is final: holders reveal shares of the own mask's secret of each dealer in it, and
of the others' secret for masks with each other. Which kind is for the chain to say, once a round,
so nobody is ever asked for both. Who is in the sum and reveals nothing loses s_p, and so does a
dealer whose share is shown to be wrong. Masks and reveals may follow final blocks alone, and the
chain cannot see what is final: where more than half were silent, none of them pays.
Invariant: a stored share is the one that was dealt.
Source: Bonawitz et al. (2017), secure aggregation; WP VI.H; slashes are this project's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from runtime.pallets.fl_alliance import events, refusals
from runtime.pallets.fl_alliance.mask_records import Revealed, Share, WrongShare
from runtime.pallets.fl_alliance.records import Progress, RoundKey
from runtime.pallets.fl_alliance.seals import deal_context
from runtime.pallets.fl_alliance.stages import Stage, VoidReason
from runtime.pallets.fl_alliance.storage import FlAlliance
from runtime.pallets.fl_alliance.terms import CLIENTS_MIN, Mode
from runtime.primitives.types import AccountId
from runtime.primitives.zk_shares import (
    Deal,
    is_common,
    is_deal,
    is_share,
    open_piece,
    threshold_of,
)


class Masking:
    """Deals and revealed shares."""

    def __init__(self, alliance: FlAlliance) -> None:
        self.alliance = alliance

    # -- before training

    def share(self, who: AccountId, task: int, round_: int, posted: Deal) -> None:
        """Share the secrets of one's masks. Emits SecretsShared."""
        alliance = self.alliance
        key = alliance.ensure_stage(task, round_, Stage.SHARE)
        index, masked = self._index(key, who), alliance.masked.get(key)
        if masked.dealers >> index & 1:
            raise refusals.AlreadyShared
        holders = len(alliance.rounds.get(key).proposers)
        if not is_deal(posted, holders, self.context(key, who)):
            raise refusals.BadDeal
        alliance.deals.put((key, who), posted)
        alliance.masked.put(key, replace(masked, dealers=masked.dealers | 1 << index))
        alliance.note_done(task)
        alliance.deposit_event(events.SecretsShared(task, round_, who))

    def close_shares(self, key: RoundKey) -> None:
        """Let the dealers train, if as many dealt as must be in the sum. Emits StageBegan."""
        alliance, count = self.alliance, self.alliance.masked.get(key).dealers.bit_count()
        if count < self.least(key):
            void = Progress(Stage.TALLY, void=VoidReason.NOT_SHARED)
            alliance.progress.put(key.task, void)
        else:
            alliance.begin_stage(key, Stage.PROPOSE, count)

    def ensure_dealer(self, who: AccountId, task: int, round_: int) -> None:
        """Raises NotADealer if a proposer's round is masked, and it shared no secrets."""
        key = RoundKey(task, round_)
        if not self._is_masked(task):
            return
        found = self.alliance.proposals.find((key, who))
        if found is not None and not self.alliance.masked.get(key).dealers >> found.index & 1:
            raise refusals.NotADealer

    def is_missed(self, task: int, progress: Progress) -> bool:
        """Whether more than half of a masked round's dealers sealed nothing while they could."""
        return self._is_masked(task) and 2 * progress.done < progress.due

    def least(self, key: RoundKey) -> int:
        """How many must be in a sum: in a masked round as many as give the secrets of all."""
        if not self._is_masked(key.task):
            return CLIENTS_MIN
        holders = len(self.alliance.rounds.get(key).proposers)
        return max(CLIENTS_MIN, threshold_of(holders))

    # -- after the proof

    def reveal(self, who: AccountId, task: int, round_: int, shares: Sequence[Revealed]) -> None:
        """Reveal one's shares, one of each dealer. Emits SharesRevealed, WrongShareShown."""
        alliance = self.alliance
        key = alliance.ensure_stage(task, round_, Stage.UNMASK)
        index, masked = self._index(key, who), alliance.masked.get(key)
        if masked.holders >> index & 1:
            raise events.AlreadyRevealed
        dealers = list(self._dealers(key))
        if len(shares) != len(dealers):
            raise refusals.BadShares
        pairs = list(zip(dealers, shares, strict=True))
        values = [self._checked(key, index, who, dealer, each) for dealer, each in pairs]
        faulty = [dealer for dealer, value in zip(dealers, values, strict=True) if value is None]
        alliance.reveals.put((key, who), values)
        alliance.masked.put(key, replace(masked, holders=masked.holders | 1 << index))
        if alliance.rounds.get(key).aggregate >> index & 1:
            alliance.note_done(task)
        alliance.deposit_event(events.SharesRevealed(task, round_, who))
        for place, dealer in faulty:
            found = alliance.aggregations.get(key)
            alliance.aggregations.put(key, replace(found, faulty=found.faulty | 1 << place))
            alliance.deposit_event(events.WrongShareShown(task, round_, dealer, who))

    def close_unmasking(self, key: RoundKey) -> int:
        """Ask for votes if each dealer's secret is known, else give the round up; the steps."""
        alliance, drawn = self.alliance, self.alliance.rounds.get(key)
        found = [alliance.reveals.find((key, who)) or [] for who in drawn.proposers]
        given = [values for values in found if values]
        least, count = threshold_of(len(drawn.proposers)), len(list(self._dealers(key)))
        known = [sum(values[at] is not None for values in given) for at in range(count)]
        if min(known) >= least:
            alliance.begin_stage(key, Stage.VOTE, len(drawn.voters))
        else:
            void = Progress(Stage.TALLY, void=VoidReason.NOT_UNMASKED)
            alliance.progress.put(key.task, void)
        return 1 + len(found)

    def silent(self, key: RoundKey) -> list[AccountId]:
        """Who is in the proved sum and revealed no shares, though half in it or more did."""
        alliance, drawn = self.alliance, self.alliance.rounds.get(key)
        aggregation = alliance.aggregations.find(key)
        if not self._is_masked(key.task) or aggregation is None or aggregation.proved is None:
            return []
        asked, holders = drawn.aggregate, alliance.masked.get(key).holders
        if 2 * (asked & holders).bit_count() < asked.bit_count():
            return []  # a few that reveal what is not final yet must not make all others pay
        due = asked & ~holders
        return [who for place, who in enumerate(drawn.proposers) if due >> place & 1]

    def dealers(self, key: RoundKey) -> list[AccountId]:
        """Who shared the secrets of its masks."""
        return [who for _, who in self._dealers(key)]

    def context(self, key: RoundKey, dealer: AccountId) -> bytes:
        """What a deal is bound to."""
        genesis = self.alliance.block.genesis_hash()
        return deal_context(genesis, (key.task, key.round), dealer)

    # -- shared

    def _checked(
        self,
        key: RoundKey,
        index: int,
        who: AccountId,
        dealer: tuple[int, AccountId],
        revealed: Revealed,
    ) -> bytes | None:
        """The share, None if the dealer's is shown to be wrong. Raises BadShares, ShareIsFine."""
        alliance, (place, account) = self.alliance, dealer
        posted = alliance.deals.get((key, account))
        is_in = bool(alliance.rounds.get(key).aggregate >> place & 1)
        points = posted.own if is_in else posted.pair
        if isinstance(revealed, Share):
            if not is_share(points, index, revealed.value):
                raise refusals.BadShares
            return revealed.value
        assert isinstance(revealed, WrongShare), "there is no third kind"
        holder, context = alliance.members.get((key.task, who)).key, self.context(key, account)
        if not is_common(holder, posted, context, revealed.shared, revealed.proof):
            raise refusals.BadShares
        opened = open_piece(posted, index, revealed.shared)
        if opened is not None and is_share(points, index, opened.own if is_in else opened.pair):
            raise refusals.ShareIsFine
        return None

    def _dealers(self, key: RoundKey) -> Iterator[tuple[int, AccountId]]:
        mask = self.alliance.masked.get(key).dealers
        for place, who in enumerate(self.alliance.rounds.get(key).proposers):
            if mask >> place & 1:
                yield place, who

    def _index(self, key: RoundKey, who: AccountId) -> int:
        found = self.alliance.proposals.find((key, who))
        if found is None:
            raise events.NotAProposer
        return found.index

    def _is_masked(self, task: int) -> bool:
        return self.alliance.get_task(task).terms.mode is Mode.ZK_MASKED
