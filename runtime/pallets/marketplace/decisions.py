"""How a jury decides, and what that costs whom.

A wrong answer costs its host a part of the stake: half to who challenged it, half burns. A right
one costs the bond: half to the host, half burns. Who opened a case pays the jurors that found what
three of five found; of a void case, all who said something. Nobody else is paid. An answer is
judged once, but withheld data judges nothing: whoever has it may challenge the answer again.
Invariant: what was held for the case is paid, burned or released, to the planck.
Source: WP III.B.2 (hosts stake); the rules are this project's.
"""

from __future__ import annotations

from dataclasses import replace

from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import case_records as of
from runtime.pallets.marketplace import events
from runtime.pallets.marketplace.case_records import Case, CaseStage, Juror, Verdict
from runtime.pallets.marketplace.storage import Marketplace
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import AccountId
from runtime.primitives.vouchers import Answer


class Decisions:
    """Of cases whose verdicts are open."""

    def __init__(self, market: Marketplace) -> None:
        self.market = market

    def decide(self, case: Case) -> CaseStage:
        """How the case ends."""
        if isinstance(case.matter, of.Measured):
            known = len(scores_of(case)) >= of.MAJORITY
            return CaseStage.UPHELD if known else CaseStage.VOID
        counts = dict.fromkeys((of.Right, of.Wrong, of.NoData), 0)
        for juror in case.jurors:
            for kind in counts:
                counts[kind] += isinstance(juror.verdict, kind)
        if counts[of.Wrong] >= of.MAJORITY:
            return CaseStage.UPHELD
        is_rejected = max(counts[of.Right], counts[of.NoData]) >= of.MAJORITY
        return CaseStage.REJECTED if is_rejected else CaseStage.VOID

    def settle(self, case: Case, outcome: CaseStage) -> list[AccountId]:
        """Pay jurors, settle bond and stake, note what was measured; who of the jury was paid."""
        currency, opener = self.market.currency, case.opener
        paid = [each.who for each in case.jurors if self._is_paid(case, outcome, each)]
        for who in paid:
            currency.transfer_held(HoldReason.CHALLENGE, opener, who, case.fee)
        currency.release(HoldReason.CHALLENGE, opener, (of.JURY - len(paid)) * case.fee)
        matter = case.matter
        if isinstance(matter, of.Disputed):
            self._settle_dispute(case, matter.answer, outcome)
        elif isinstance(matter, of.Measured) and outcome is CaseStage.UPHELD:
            self._note_impact(matter.dataset, median_impact(case))
        return paid

    def _is_paid(self, case: Case, outcome: CaseStage, juror: Juror) -> bool:
        verdict = juror.verdict
        if verdict is None or outcome is CaseStage.VOID:
            return verdict is not None
        if isinstance(case.matter, of.Measured):
            tolerance = self.market.parameters.get().jury.tolerance
            if not isinstance(verdict, of.Scores):
                return False
            return abs(verdict.impact() - median_impact(case)) <= tolerance
        return isinstance(verdict, _majority(case))

    def _settle_dispute(self, case: Case, answer: Answer, outcome: CaseStage) -> None:
        market, currency, opener = self.market, self.market.currency, case.opener
        host = market.hosts.get(answer.host)
        host = replace(host, cases=host.cases - 1)
        if outcome is CaseStage.UPHELD:
            slashed = market.parameters.get().jury.host_slash.mul_floor(host.stake)
            reward = slashed // 2
            currency.transfer_held(HoldReason.HOST_STAKE, answer.host, opener, reward)
            currency.burn_held(HoldReason.HOST_STAKE, answer.host, slashed - reward)
            host = replace(host, stake=host.stake - slashed, quality=host.quality // 2)
            market.deposit_event(events.HostSlashed(answer.host, slashed, reward))
        bond = case.bond
        if outcome is CaseStage.REJECTED:
            currency.transfer_held(HoldReason.CHALLENGE, opener, answer.host, bond // 2)
            currency.burn_held(HoldReason.CHALLENGE, opener, bond - bond // 2)
        else:
            currency.release(HoldReason.CHALLENGE, opener, bond)
        if outcome is CaseStage.VOID or _majority(case) is of.NoData:
            market.disputed.remove(blake2b_256(answer.payload()))
        market.hosts.put(answer.host, host)

    def _note_impact(self, dataset: bytes, impact: int) -> None:
        market = self.market
        found = market.contributions.get(dataset)
        market.contributions.put(dataset, replace(found, impact=impact))
        market.deposit_event(events.ImpactMeasured(dataset, impact))


def _majority(case: Case) -> type[Verdict]:
    """The verdict that three of five gave; there is one."""
    for kind in (of.Right, of.Wrong, of.NoData):
        if sum(isinstance(each.verdict, kind) for each in case.jurors) >= of.MAJORITY:
            return kind
    raise AssertionError("no majority")


def scores_of(case: Case) -> list[of.Scores]:
    """What jurors measured."""
    return [each.verdict for each in case.jurors if isinstance(each.verdict, of.Scores)]


def median_impact(case: Case) -> int:
    """The lower median of what jurors measured."""
    impacts = sorted(each.impact() for each in scores_of(case))
    return impacts[(len(impacts) - 1) // 2]
