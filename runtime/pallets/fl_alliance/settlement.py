"""The settlement of a round: the outcome, the reward, every balance, and the new global model.

The plan is made in one step from balances that nothing else can change while a round is open; the
payments follow one by one, then the slashes of members that posted no proof.
Invariant: pool, unpaid rewards and balances add up to what they were before, plus what was minted.
Source: WP VI.E (the model), WP VI.F and Algorithm 2 (reward and slash), WP IV.A.2 (emission).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from runtime.economy.calendar import MINTABLE_DAYS
from runtime.frame.traits import HoldReason
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.division import divide, loss, pool_share
from runtime.pallets.fl_alliance.masking import Masking
from runtime.pallets.fl_alliance.records import (
    AllianceTask,
    Member,
    MemberStatus,
    Payment,
    Progress,
    Round,
    RoundKey,
    RoundResult,
)
from runtime.pallets.fl_alliance.stages import Outcome, Stage, Standing, VoidReason
from runtime.pallets.fl_alliance.storage import FlAlliance, pot_of
from runtime.pallets.fl_alliance.tally import (
    ProposerFacts,
    Tally,
    VoterFacts,
    standing_of_proposer,
    standing_of_voter,
    tally,
)
from runtime.primitives.apportion import apportion
from runtime.primitives.types import AccountId

PAYMENT_STEPS = 4  # a payment writes some records; looking at a member reads two


@dataclass(slots=True)
class _Sums:
    """What a block's payments change together: the pool, rewards still due, S and its members."""

    pool: int = 0
    unpaid: int = 0
    staked: int = 0
    active: int = 0


class Settlement:
    """Tallies and pays."""

    def __init__(self, alliance: FlAlliance) -> None:
        self.alliance = alliance
        self.masking = Masking(alliance)

    # -- the plan

    def tally(self, task: int, progress: Progress) -> int:
        """Decide the round and what everybody drawn gains or loses. Emits RoundTallied."""
        alliance, key = self.alliance, self.alliance.key_of(task)
        found, drawn = alliance.get_task(task), alliance.rounds.get(key)
        outcome = self._outcome(key, found, drawn, progress)
        standings = self._standings(key, found, drawn, outcome)
        accounts = sorted(standings)
        balances = [alliance.members.get((task, who)).balance for who in accounts]
        ordered = [standings[who] for who in accounts]
        pairs = zip(balances, ordered, strict=True)
        good = sum(balance for balance, standing in pairs if standing is Standing.GOOD)
        purse = alliance.purses.get(task)
        from_pool, minted = self._reward(key, found, drawn, purse.pool) if good else (0, 0)
        terms = found.terms
        amounts = divide(from_pool + minted, balances, ordered, terms.slash, drawn.absence_slash)
        for who, standing, balance, amount in zip(
            accounts, ordered, balances, amounts, strict=True
        ):
            alliance.payments.put((key, who), Payment(standing, balance, amount))
        alliance.purses.put(
            task, replace(purse, pool=purse.pool - from_pool, unpaid=from_pool + minted)
        )
        self._store(key, outcome, (purse.pool, from_pool, minted, good))
        alliance.progress.put(task, Progress(Stage.PAY))
        return 1 + PAYMENT_STEPS * len(accounts)

    def _outcome(
        self, key: RoundKey, found: AllianceTask, drawn: Round, progress: Progress
    ) -> Tally:
        if progress.void is not None:
            return Tally(Outcome.VOID, progress.void)
        ballots = [self.alliance.votes.get((key, who)).ballot for who in drawn.voters]
        return tally(ballots, drawn.drawn_voters, found.terms.quorum)

    def _standings(
        self, key: RoundKey, found: AllianceTask, drawn: Round, outcome: Tally
    ) -> dict[AccountId, Standing]:
        alliance, standings = self.alliance, {}
        records = [(who, alliance.votes.get((key, who))) for who in drawn.voters]
        reports = [record.held for _, record in records if record.held is not None]
        for who in drawn.proposers:
            proposal = alliance.proposals.get((key, who))
            is_opened = proposal.content is not None
            denials = sum(not held >> proposal.index & 1 for held in reports)
            is_denied = 2 * denials > drawn.drawn_voters
            facts = ProposerFacts(1 << proposal.index, is_opened, is_denied)
            standings[who] = standing_of_proposer(
                facts, outcome, drawn.aggregate, attributes=found.terms.attributes
            )
        for who, record in records:
            voter = VoterFacts(record.ballot, record.held is not None)
            standings[who] = standing_of_voter(
                voter, outcome, drawn.aggregate, attributes=found.terms.attributes
            )
        aggregation = alliance.aggregations.find(key)
        if aggregation is not None:
            failed = aggregation.place
            at_fault = [
                who for place, who in enumerate(drawn.proposers) if aggregation.faulty >> place & 1
            ]
            standings |= dict.fromkeys([*drawn.voters[:failed], *at_fault], Standing.LOSING)
        if outcome.void in (VoidReason.NOT_SHARED, VoidReason.NOT_SEALED):
            standings |= dict.fromkeys(self.masking.dealers(key), Standing.EXEMPT)
        return standings | dict.fromkeys(self.masking.silent(key), Standing.LOSING)

    def _reward(
        self, key: RoundKey, found: AllianceTask, drawn: Round, pool: int
    ) -> tuple[int, int]:
        """The two parts of R: of the pool, and of the day's emission, which is minted."""
        alliance = self.alliance
        from_pool = pool_share(pool, found.terms.rounds, key.round)
        is_too_late = alliance.today() >= drawn.day + MINTABLE_DAYS
        if not found.is_verified_on(drawn.day) or drawn.part >= drawn.planned or is_too_late:
            return from_pool, 0
        whole = alliance.emission.reward_of(drawn.day, key.task)
        minted = apportion(whole, [1] * drawn.planned)[drawn.part]
        if minted:
            alliance.emission.mint(drawn.day, key.task, pot_of(key.task), minted)
        return from_pool, minted

    def _store(self, key: RoundKey, outcome: Tally, amounts: tuple[int, int, int, int]) -> None:
        """Keep what the payments were made from: pool, its part, emission, good balances."""
        alliance, number = self.alliance, self.alliance.block.block_number()
        alliance.results.put(
            key,
            RoundResult(
                outcome.outcome,
                outcome.void,
                outcome.aggregate,
                outcome.votes,
                outcome.opened,
                outcome.marked,
                *amounts,
                number,
            ),
        )
        reward = amounts[1] + amounts[2]
        alliance.deposit_event(
            events.RoundTallied(
                key.task, key.round, outcome.outcome, outcome.void, outcome.votes, reward
            )
        )

    # -- the payments

    def pay(self, task: int, progress: Progress, budget: int) -> int:
        """Apply the next payments. The steps used."""
        alliance, key = self.alliance, self.alliance.key_of(task)
        drawn = alliance.rounds.get(key)
        participants = (*drawn.proposers, *drawn.voters)
        end = min(progress.cursor + max(budget // PAYMENT_STEPS, 1), len(participants))
        sums = _Sums()
        for who in participants[progress.cursor : end]:
            self._apply(key, who, alliance.payments.get((key, who)), sums)
        self._keep(task, sums)
        if end < len(participants):
            alliance.progress.put(task, replace(progress, cursor=end))
        elif drawn.absent:
            alliance.progress.put(task, Progress(Stage.ABSENT))
        else:
            self._finish(key)
        return 1 + PAYMENT_STEPS * (end - progress.cursor)

    def slash_absent(self, task: int, progress: Progress, budget: int) -> int:
        """Slash the next members that posted no proof. The steps used."""
        alliance, key = self.alliance, self.alliance.key_of(task)
        drawn, joined = alliance.rounds.get(key), alliance.runs.get(task).joined
        place, used, sums = progress.cursor, 0, _Sums()
        while place < joined and used < budget:
            who = alliance.roster.find((task, place))
            place, used = place + 1, used + 1
            if who is None or alliance.check_ins.contains((key, who)):
                continue
            member = alliance.members.get((task, who))
            if not member.is_candidate(drawn.turn):
                continue
            cut = loss(member.balance, drawn.absence_slash)
            payment = Payment(Standing.ABSENT, member.balance, cut)
            alliance.payments.put((key, who), payment)
            self._apply(key, who, payment, sums)
            used += PAYMENT_STEPS
        self._keep(task, sums)
        if place < joined:
            alliance.progress.put(task, replace(progress, cursor=place))
        else:
            self._finish(key)
        return used + 1

    def _apply(self, key: RoundKey, who: AccountId, payment: Payment, sums: _Sums) -> None:
        """Change a balance. Emits Rewarded or Slashed, and Expelled."""
        alliance, amount = self.alliance, payment.amount
        if payment.standing is Standing.EXEMPT or not amount:
            return
        member = alliance.members.get((key.task, who))
        if payment.standing is Standing.GOOD:
            sums.unpaid -= amount
            alliance.book.note_rewarded(who)
            member = replace(member, earned=member.earned + amount)
            alliance.members.put((key.task, who), member)
            alliance.deposit_event(events.Rewarded(key.task, key.round, who, amount))
            return
        sums.pool += amount
        of_stake = min(amount, member.stake)
        if of_stake:
            pot = pot_of(key.task)
            alliance.currency.transfer_held(HoldReason.FL_STAKE, who, pot, of_stake)
        if member.is_counted:
            sums.staked -= of_stake
        left = replace(
            member,
            stake=member.stake - of_stake,
            earned=member.earned - (amount - of_stake),
        )
        standing = payment.standing
        alliance.deposit_event(events.Slashed(key.task, key.round, who, standing, amount))
        alliance.members.put((key.task, who), self._expelled(key.task, who, left, sums))

    def _expelled(self, task: int, who: AccountId, member: Member, sums: _Sums) -> Member:
        """The member, expelled if its balance is below the threshold. Emits Expelled."""
        alliance, terms = self.alliance, self.alliance.get_task(task).terms
        if member.balance >= terms.threshold.mul_ceil(terms.quantity):
            return member
        if member.is_counted:
            sums.staked -= member.stake
            sums.active -= 1
        free_day = alliance.today() + alliance.config.unbonding_days
        if member.free_day is not None:
            free_day = member.free_day  # it was leaving already
        alliance.deposit_event(events.Expelled(task, who, member.balance, free_day))
        return replace(member, status=MemberStatus.EXPELLED, free_day=free_day)

    def _keep(self, task: int, sums: _Sums) -> None:
        alliance = self.alliance
        purse, run = alliance.purses.get(task), alliance.runs.get(task)
        alliance.purses.put(
            task, replace(purse, pool=purse.pool + sums.pool, unpaid=purse.unpaid + sums.unpaid)
        )
        if sums.staked or sums.active:
            staked, active = run.staked + sums.staked, run.active + sums.active
            alliance.runs.put(task, replace(run, staked=staked, active=active))

    # -- the end of the round

    def _finish(self, key: RoundKey) -> None:
        """Put an accepted aggregate into force. Emits RoundSettled."""
        alliance, run = self.alliance, self.alliance.runs.get(key.task)
        result = alliance.results.get(key)
        if result.outcome is Outcome.ACCEPTED:
            run = replace(run, model=result.aggregate, accepted_round=key.round)
            alliance.runs.put(key.task, run)
        pool = alliance.purses.get(key.task).pool
        alliance.deposit_event(events.RoundSettled(key.task, key.round, run.model, pool))
        alliance.progress.put(key.task, Progress(Stage.CLEAN))
