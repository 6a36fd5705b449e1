"""One arena task at shipped parameters, played by the participants' own calls.

Owns what the what-if chain leaves out: minimum stakes, registration fees, quotas, cuts, slashes
and committees are mainnet's, and scores are sealed and opened as validators do it.
Invariant: what somebody earned is read from balances, so that every fee and slash is in it.
Source: WP Fig. 3 (workflow), WP V.B to V.H, Table I.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from flockchain.economics.memory_chain import CALENDAR, MemoryChain
from runtime.constants import MAINNET
from runtime.economy.parameters import ArenaParameters
from runtime.economy.tasks import Hardware, Metric, Role, SealedDataset, TaskTerms
from runtime.frame.origin import ROOT, signed
from runtime.pallets.arena.records import (
    Account,
    DayKey,
    DayResult,
    Fingerprinted,
    GivenScore,
    Score,
    SubmittedModel,
    Verdict,
)
from runtime.pallets.arena.seals import seal_scores, seal_submission
from runtime.pallets.delegation.ledger import reason_of
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML, AccountId, Hash

TASK: Final = 0
CREATOR: Final = AccountId(b"\xff" * 32)
DATASET_KEY: Final = bytes(32)
SALT: Final = bytes(32)
REWARD: Final = 1_000 * FML  # a day: 1 % of mainnet's first daily emission
BASELINE: Final = 500_000_000

# What a validator says of a node's standing model, in score units.
Judge = Callable[[str, str], int]


@dataclass(frozen=True, slots=True)
class Rules:
    """The task's own choices and the parameters; seats 0: everybody scores all, by stake.

    `empty_days` pass before the task is created: another start is another draw of seats.
    `duplicate_distance` switches behaviour duplicates on; `fingerprints` are then those of nodes'
    models, every other node's is its own.
    """

    parameters: ArenaParameters = MAINNET.arena
    seats: int = 0
    final_seats: int = 0
    baseline: int = BASELINE
    days: int = 2
    reward: int = REWARD
    empty_days: int = 0
    duplicate_distance: int | None = None
    fingerprints: Mapping[str, int] = field(default_factory=dict)

    def verdict(self, node: str, score: int) -> Verdict:
        """What is revealed of a node's model, with its fingerprint where that is due."""
        if not score or self.duplicate_distance is None:
            return Score(score)
        own = int.from_bytes(blake2b_256(node.encode())[:8], "little")
        return Fingerprinted(score, self.fingerprints.get(node, own))


@dataclass(slots=True)
class Stage:
    """A task that starts today, with nodes and validators by name and stake, planck."""

    rules: Rules
    nodes: Mapping[str, int]
    validators: Mapping[str, int]
    chain: MemoryChain = field(init=False)
    accounts: dict[str, AccountId] = field(init=False)
    _names: dict[AccountId, str] = field(init=False)
    _funded: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Register everybody. Raises DispatchError for a stake below the shipped minimum."""
        self.chain = MemoryChain(self.rules.reward)
        self._use_shipped_limits()
        self.accounts = {
            name: AccountId(blake2b_256(name.encode())) for name in (*self.nodes, *self.validators)
        }
        self._names = {account: name for name, account in self.accounts.items()}
        self._funded = {}
        self.chain.set_parameters(self.rules.parameters)
        for _ in range(self.rules.empty_days):
            self.chain.advance_to(0)
        self._create()
        for name, stake in self.nodes.items():
            self._join(name, Role.TRAINING_NODE, stake)
        for name, stake in self.validators.items():
            self._join(name, Role.TASK_VALIDATOR, stake)
        self.chain.advance_to(0)

    def _use_shipped_limits(self) -> None:
        """Only the windows stay short: they count in blocks and pay nothing."""
        chain = self.chain
        chain.tasks.config = replace(
            chain.tasks.config,
            node_stake=MAINNET.node_stake,
            validator_stake=MAINNET.validator_stake,
            registration_fee=MAINNET.registration_fee,
        )
        chain.arena.config = replace(
            chain.arena.config,
            node_stake=MAINNET.node_stake,
            validator_stake=MAINNET.validator_stake,
            quota_base=MAINNET.quota_base,
            quota_max=MAINNET.quota_max,
        )

    def _create(self) -> None:
        terms = TaskTerms(
            name="attacks",
            spec=bytes(32),
            metric=Metric.ACCURACY,
            baseline=self.rules.baseline,
            days=self.rules.days,
            validation_a=bytes(32),
            validation_b=SealedDataset(bytes(32), bytes(32), blake2b_256(DATASET_KEY)),
            training=[],
            parents=[],
            seats=self.rules.seats,
            final_seats=self.rules.final_seats,
            duplicate_distance=self.rules.duplicate_distance,
        )
        self.chain.fund(CREATOR, 0)
        self.chain.tasks.create_verified_task(ROOT, CREATOR, terms)

    def _join(self, name: str, role: Role, stake: int) -> None:
        who = self.accounts[name]
        self.chain.fund(who, stake + MAINNET.registration_fee)
        self._funded[name] = self.worth(name)
        self.chain.tasks.register(signed(who), TASK, role, stake, Rational(0, 1), Hardware())
        if role is Role.TASK_VALIDATOR:
            self.chain.set_sealing_key(who)

    # -- what a participant owns

    def worth(self, name: str) -> int:
        """All that the account owns, staked or not, planck."""
        balances, who = self.chain.balances, self.accounts[name]
        held = sum(
            balances.held(reason_of(role, is_own=True), who)
            for role in (Role.TRAINING_NODE, Role.TASK_VALIDATOR)
        )
        return balances.free(who) + held

    def net(self, *names: str) -> int:
        """What the accounts won since they came: rewards less fees and slashes, planck."""
        return sum(self.worth(name) - self._funded[name] for name in names)

    # -- a day

    def submit(self, models: Mapping[str, str]) -> None:
        """Seal and open a model for each node, by label, in this order of commitment."""
        chain, genesis = self.chain, self.chain.system.genesis_hash()
        for node, model in models.items():
            who = self.accounts[node]
            seal = seal_submission(genesis, TASK, Account(who), _submitted(model), SALT)
            chain.arena.commit_submission(signed(who), TASK, seal)
        chain.advance_to(CALENDAR.submit_end)
        for node, model in models.items():
            who, made = self.accounts[node], _submitted(model)
            chain.arena.reveal_submission(
                signed(who), TASK, made.content, made.ciphertext, made.size_bytes, SALT
            )

    def sheet_of(self, name: str, judge: Judge) -> list[GivenScore]:
        """What the validator must score today, scored; empty if it was not drawn."""
        key = DayKey(TASK, self.chain.tasks.today())
        owners = {
            entry.submission: self._names[entry.owner]
            for entry in self.chain.arena.rosters.get(key).entries
            if entry.owner is not None
        }
        weights = self.chain.arena.scoring.weights_of(key, self.accounts[name])
        return [
            GivenScore(each, self.rules.verdict(owners[each], judge(name, owners[each])))
            for each in weights
        ]

    def seal_of(self, name: str, sheet: list[GivenScore]) -> Hash:
        """The validator's seal of a sheet for today."""
        genesis, day = self.chain.system.genesis_hash(), self.chain.tasks.today()
        return seal_scores(genesis, TASK, day, self.accounts[name], sheet, SALT)

    def open_commit_window(self) -> None:
        """Go on to where today's score sheets are sealed; the committees are drawn."""
        if self.chain.position != CALENDAR.reveal_end + 1:
            self.chain.advance_to(CALENDAR.reveal_end + 1)

    def score(self, judge: Judge, absent: Collection[str] = ()) -> None:
        """Every validator but the absent seals its sheet, then opens it; stops in that window."""
        chain = self.chain
        self.open_commit_window()
        sheets = {
            name: sheet
            for name in self.validators
            if name not in absent and (sheet := self.sheet_of(name, judge))
        }
        for name, sheet in sheets.items():
            seal = self.seal_of(name, sheet)
            chain.arena.commit_scores(signed(self.accounts[name]), TASK, seal)
        chain.advance_to(CALENDAR.commit_end)
        for name, sheet in sheets.items():
            chain.arena.reveal_scores(signed(self.accounts[name]), TASK, sheet, SALT)

    def settle(self) -> DayResult:
        """Pay the day, and open Dataset B's key on the last but one. Goes on to the next day."""
        chain = self.chain
        day = chain.tasks.today()
        chain.advance_to(CALENDAR.day_blocks - 1)
        if day == chain.tasks.get_task(TASK).final_day() - 1:
            chain.tasks.reveal_key(signed(CREATOR), TASK, DATASET_KEY)
        chain.advance_to(0)
        report = chain.arena.views.day_report(TASK, day)
        assert report is not None, "a day is settled before the next one begins"
        return report.result

    def play(self, judge: Judge, absent: Collection[str] = ()) -> DayResult:
        """A day without new submissions: score and settle."""
        self.score(judge, absent)
        return self.settle()

    def is_final_day(self) -> bool:
        """Whether today is scored on Dataset B."""
        return self.chain.tasks.today() == self.chain.tasks.get_task(TASK).final_day()

    def names_of(self, result: DayResult) -> list[str]:
        """The ranked nodes, the best first."""
        return [self._names[node.owner] for node in result.ranking]


def content_of(model: str) -> Hash:
    """The content id of a model by its label: equal labels are equal weights."""
    return blake2b_256(model.encode())


def _submitted(model: str) -> SubmittedModel:
    content = content_of(model)
    return SubmittedModel(content, content, 1)
