"""What is true of governance after every block.

Source: WP VII.
"""

from __future__ import annotations

from runtime.frame.traits import HoldReason
from runtime.pallets.governance import records
from runtime.pallets.governance.records import Position, Power, Stage, Tally
from runtime.pallets.governance.storage import Governance
from runtime.pallets.governance.votes import counted_in
from runtime.primitives.types import AccountId


def check(dao: Governance) -> None:
    """Raise AssertionError if an invariant is broken."""
    positions = dict(dao.positions.items())
    _check_locks(dao, positions)
    _check_delegation(positions)
    _check_proposals(dao)
    _check_tallies(dao, positions)


def _check_locks(dao: Governance, positions: dict[AccountId, Position]) -> None:
    locked = sum(position.now.own.tokens for position in positions.values())
    assert locked == dao.total_locked.get(), f"{locked} planck are locked"
    for who, covering in dao.covering.items():
        assert 0 < covering <= positions[who].now.own.weight, f"cover of {who.hex()}"
    for who, position in positions.items():
        bound = position.now.own.tokens + sum(part.amount for part in position.unlocking)
        assert bound == dao.currency.held(HoldReason.VOTE_LOCK, who), f"lock of {who.hex()}"
        since = [each.since for each in position.standings]
        assert since == sorted(set(since)), f"standings of {who.hex()}"
        assert len(since) <= records.LIVE_MAX + 2, f"standings of {who.hex()}"


def _check_delegation(positions: dict[AccountId, Position]) -> None:
    lent: dict[AccountId, Power] = {}
    for who, position in positions.items():
        now, to = position.now, position.delegate
        assert now.is_delegated == (to is not None), f"delegate of {who.hex()}"
        if to is not None:
            lent[to] = lent.get(to, Power()) + now.own
    for who, position in positions.items():
        received = position.now.received
        assert received == lent.pop(who, Power()), f"votes lent to {who.hex()}"
    assert not lent, "a delegate has no position"


def _check_proposals(dao: Governance) -> None:
    live, finished = dao.live.get(), dao.finished.get()
    assert len(live) <= records.LIVE_MAX
    assert len(finished) <= records.FINISHED_MAX
    deposits: dict[AccountId, int] = {}
    for number, proposal in dao.proposals.items():
        is_live = proposal.stage.is_live()
        assert is_live == (number in [each.proposal for each in live]), f"proposal {number}"
        assert is_live != (number in finished), f"proposal {number}"
        if is_live:
            who = proposal.proposer
            deposits[who] = deposits.get(who, 0) + proposal.deposit
            scheduled = proposal.stage is Stage.TIMELOCK
            assert scheduled or dao.preimages.bytes_of(proposal.call) is not None
    for who, deposit in deposits.items():
        assert dao.currency.held(HoldReason.PROPOSAL, who) == deposit, f"deposits of {who.hex()}"
    assert set(dao.comments.keys()) <= {each.proposal for each in live}


def _check_tallies(dao: Governance, positions: dict[AccountId, Position]) -> None:
    for entry in dao.live.get():
        number, flags, votes = entry.proposal, Tally(), Tally()
        for position in positions.values():
            for ballot in position.ballots:
                if ballot.proposal == number and ballot.is_flag:
                    flags = counted_in(flags, ballot, 1)
                elif ballot.proposal == number:
                    votes = counted_in(votes, ballot, 1)
        proposal = dao.proposals.get(number)
        assert votes == proposal.votes, f"votes on {number}"
        if proposal.stage is Stage.DEBATE:  # after it who flagged may leave
            assert flags == proposal.flags, f"flags of {number}"
