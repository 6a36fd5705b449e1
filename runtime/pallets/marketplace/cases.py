"""The way of a case: opened with what it costs, drawn, sealed, opened, decided by three of five.

A bounded number of cases goes on in a block, each when its stage has ended.
Source: WP II.C, III.B.2 (hosts stake); challenges are this project's.
"""

from __future__ import annotations

from dataclasses import replace

from runtime.economy.market import JuryRules
from runtime.economy.parameters import SCORE_MAX
from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import case_records as of
from runtime.pallets.marketplace import events
from runtime.pallets.marketplace.case_records import Case, CaseStage, LiveCase, Verdict
from runtime.pallets.marketplace.decisions import Decisions
from runtime.pallets.marketplace.jury import Jury
from runtime.pallets.marketplace.seals import seal_verdict
from runtime.pallets.marketplace.storage import Marketplace
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import MultiSignature
from runtime.primitives.types import AccountId
from runtime.primitives.vouchers import Answer


class Cases:
    """Opening, verdicts, moving on."""

    def __init__(self, market: Marketplace) -> None:
        self.market = market
        self.jury = Jury(market)
        self.decisions = Decisions(market)

    # -- opening

    def challenge(self, who: AccountId, answer: Answer, signature: MultiSignature) -> None:
        """Doubt an answer that its host signed."""
        market, key = self.market, blake2b_256(answer.payload())
        host = market.hosts.find(answer.host)
        if host is None:
            raise events.NotAHost
        if who == answer.host:
            raise events.OwnHost
        if market.disputed.contains(key):
            raise events.AlreadyDisputed
        is_here = answer.genesis == market.block.genesis_hash()
        if not is_here or not market.verifier(signature, answer.host, answer.payload()):
            raise events.BadSignature
        market.model_of(answer.model)
        number = self._open(who, of.Disputed(answer), market.parameters.get().jury.bond)
        market.disputed.put(key, number)
        market.hosts.put(answer.host, replace(host, cases=host.cases + 1))

    def measure(self, who: AccountId, dataset: bytes, without: bytes) -> None:
        """Have validators measure what its owner's data set added; the owner is no juror."""
        market = self.market
        found = market.contributions.find(dataset)
        if found is None or found.task is None:
            raise events.NotInUse
        is_open = any(self._is_about(each.case, dataset) for each in market.live_cases.get())
        if found.impact is not None or is_open:
            raise events.AlreadyMeasured
        if who != found.owner:
            raise events.NotTheOwner
        self._open(who, of.Measured(dataset, found.task, without), 0)

    def _is_about(self, case: int, dataset: bytes) -> bool:
        matter = self.market.cases.get(case).matter
        return isinstance(matter, of.Measured) and matter.dataset == dataset

    def _open(self, who: AccountId, matter: of.Matter, bond: int) -> int:
        market, live, rules = self.market, self.market.live_cases.get(), self._rules()
        if len(live) >= of.CASES_MAX:
            raise events.TooManyCases
        number, until = market.next_case.get(), market.block.block_number() + rules.draw_blocks
        made = Case(who, matter, bond, rules.juror_fee, CaseStage.DRAWING, until, [])
        market.currency.hold(HoldReason.CHALLENGE, who, made.held())
        market.next_case.put(number + 1)
        market.cases.put(number, made)
        market.live_cases.put([*live, LiveCase(number, until, is_drawing=True)])
        market.deposit_event(events.CaseOpened(number, who, matter))
        return number

    # -- verdicts

    def seal(self, who: AccountId, number: int, seal: bytes) -> None:
        """Keep a sealed verdict; a later one replaces it."""
        case, place = self._juror(who, number, CaseStage.SEALING)
        self._put_juror(number, case, place, replace(case.jurors[place], seal=seal))
        self.market.deposit_event(events.VerdictSealed(number, who))

    def open_verdict(self, who: AccountId, number: int, verdict: Verdict, salt: bytes) -> None:
        """Open a verdict."""
        case, place = self._juror(who, number, CaseStage.OPENING)
        genesis = self.market.block.genesis_hash()
        is_sealed = case.jurors[place].seal == seal_verdict(genesis, number, who, verdict, salt)
        if not is_sealed or not _is_fitting(case.matter, verdict):
            raise events.BadOpening
        self._put_juror(number, case, place, replace(case.jurors[place], verdict=verdict))
        self.market.deposit_event(events.VerdictOpened(number, who, verdict))

    def _juror(self, who: AccountId, number: int, stage: CaseStage) -> tuple[Case, int]:
        """A case at a stage, and the juror's place. Raises UnknownCase, NotNow, NotAJuror."""
        case = self.market.cases.find(number)
        if case is None:
            raise events.UnknownCase
        if case.stage is not stage or self.market.block.block_number() >= case.until:
            raise events.NotNow
        places = [place for place, each in enumerate(case.jurors) if each.who == who]
        if not places:
            raise events.NotAJuror
        return case, places[0]

    def _put_juror(self, number: int, case: Case, place: int, juror: of.Juror) -> None:
        jurors = [juror if at == place else each for at, each in enumerate(case.jurors)]
        self.market.cases.put(number, replace(case, jurors=jurors))

    # -- moving on

    def move_on(self, number: int) -> int:
        """Move some cases on whose stage has ended; how many these were."""
        live = self.market.live_cases.get()
        if any(each.is_drawing for each in live):
            self.jury.turn_beacon(number)
        due = [each.case for each in live if each.until <= number][: of.MOVES_MAX]
        for each in due:
            self._move(each, self.market.cases.get(each), number)
        return len(due)

    def _move(self, number: int, case: Case, block: int) -> None:
        match case.stage:
            case CaseStage.DRAWING:
                jurors = self.jury.draw(number, _parties(case))
                if jurors:
                    until = block + self._rules().verdict_blocks
                    self._enter(number, replace(case, jurors=jurors), CaseStage.SEALING, until)
                else:
                    self._end(number, case, CaseStage.VOID)
            case CaseStage.SEALING:
                until = block + self._rules().opening_blocks
                self._enter(number, case, CaseStage.OPENING, until)
            case _:
                self._end(number, case, self.decisions.decide(case))

    def _enter(self, number: int, case: Case, stage: CaseStage, until: int) -> None:
        market = self.market
        market.cases.put(number, replace(case, stage=stage, until=until))
        moved = LiveCase(number, until, is_drawing=False)
        live = [moved if each.case == number else each for each in market.live_cases.get()]
        market.live_cases.put(live)
        market.deposit_event(events.CaseMoved(number, stage, [each.who for each in case.jurors]))

    def _end(self, number: int, case: Case, outcome: CaseStage) -> None:
        market = self.market
        paid = self.decisions.settle(case, outcome)
        for juror in case.jurors:
            if juror.verdict is None:
                self.jury.strike_off(juror.who)
        market.cases.put(number, replace(case, stage=outcome))
        market.live_cases.put([each for each in market.live_cases.get() if each.case != number])
        finished = [*market.finished_cases.get(), number]
        for old in finished[: -of.FINISHED_MAX]:
            market.cases.remove(old)
        market.finished_cases.put(finished[-of.FINISHED_MAX :])
        market.deposit_event(events.CaseEnded(number, outcome, paid))

    def _rules(self) -> JuryRules:
        return self.market.parameters.get().jury


def _parties(case: Case) -> tuple[AccountId, ...]:
    matter = case.matter
    if isinstance(matter, of.Disputed):
        return case.opener, matter.answer.host, matter.answer.caller
    return (case.opener,)


def _is_fitting(matter: of.Matter, verdict: Verdict) -> bool:
    """Whether a verdict is one on this matter."""
    if isinstance(verdict, of.Scores):
        within = max(verdict.with_set, verdict.without_set) <= SCORE_MAX
        return within and isinstance(matter, of.Measured)
    return isinstance(verdict, of.NoData) or isinstance(matter, of.Disputed)
