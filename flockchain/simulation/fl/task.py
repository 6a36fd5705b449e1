"""A task of the FL Alliance on a chain in memory, whose participants a simulation plays.

Owns the calls of participants in the order of a round; clients are numbers. Invariant: every rule
that draws, counts, pays or expels is the chain's own pallet; nothing here computes an amount.
Source: WP VI.B to VI.F, Algorithms 1 and 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flockchain.economics.alliance_task import CREATOR, ORIGIN, TASK, finish_origin
from flockchain.economics.day_scenario import make_account
from flockchain.economics.memory_chain import MemoryChain
from runtime.frame.origin import ROOT, signed
from runtime.pallets.fl_alliance.events import DuplicateProposal, ZeroUpdate
from runtime.pallets.fl_alliance.records import Ballot, Member, MemberStatus, RoundKey, RoundResult
from runtime.pallets.fl_alliance.seals import (
    possession_message,
    seal_proposal,
    seal_vote,
    vrf_input,
)
from runtime.pallets.fl_alliance.sortition import draw
from runtime.pallets.fl_alliance.stages import Stage
from runtime.pallets.fl_alliance.terms import (
    AllianceParameters,
    AllianceTerms,
    Mode,
    RoundWindows,
)
from runtime.primitives import vrf
from runtime.primitives.hashing import blake2b_256, blake2b_512
from runtime.primitives.rational import Rational

SALT: Final = bytes(32)
BLOCKS_MAX: Final = 60
"""Blocks in which a round opens, or the task has ended or waits for members."""
PAUSE_BLOCKS_MAX: Final = 200
"""More than the pause after which a task ends."""
_ALL: Final = Rational(1, 1)


@dataclass(frozen=True, slots=True)
class TaskRules:
    """What a simulation chooses; amounts in planck. `zero_update`: its content id."""

    quantity: int
    pool: int
    rounds: int
    proposing: Rational
    tolerance: Rational
    attributes: bool
    zero_update: bytes
    voters_min: int = 3


@dataclass(frozen=True, slots=True)
class Roles:
    """Clients by ascending output, and the weights of the proposers."""

    proposers: list[int]
    voters: list[int]
    weights: list[int]


class SimulatedTask:
    """Task 1 of a chain, with all clients as members."""

    def __init__(self, rules: TaskRules, units: Sequence[int], seed: int) -> None:
        """`units` has n_p of each client; `seed` makes their keys. Raises DispatchError."""
        self.rules = rules
        self.seed = seed
        self.chain = MemoryChain(0)
        self.alliance = self.chain.alliance
        self.accounts = [make_account(client + 1) for client in range(len(units))]
        self.clients = {who: client for client, who in enumerate(self.accounts)}
        self.events: list[object] = []
        self.key = RoundKey(TASK, 0)
        """The round that was opened last by `open_round`."""
        finish_origin(self.chain, rules.pool)
        self._create()
        self.genesis = self.chain.system.genesis_hash()
        for client, count in enumerate(units):
            self._join(client, count)

    # -- the eve

    def _create(self) -> None:
        rules = self.rules
        terms = AllianceTerms(
            name="simulation",
            spec=bytes(32),
            mode=Mode.OPEN,
            origin=ORIGIN,
            quantity=rules.quantity,
            rounds=rules.rounds,
            days=365,
            participation=_ALL,
            proposing=rules.proposing,
            voters_min=rules.voters_min,
            quorum=Rational(2, 3),
            tolerance=rules.tolerance,
            slash=Rational(1, 10),
            threshold=Rational(1, 2),
            windows=RoundWindows(1, 1, 1, 1, 0, 1, 1),
            fraction_bits=14,
            unit_samples=1,
            units_max=1_024,
            attributes=rules.attributes,
            zero_update=rules.zero_update,
        )
        self.alliance.set_parameters(ROOT, AllianceParameters())
        self.alliance.create_task(signed(CREATOR), terms, rules.pool)
        self.chain.advance()

    def _join(self, client: int, units: int) -> None:
        who, key = self.accounts[client], self._key(client)
        self.chain.fund(who, self.rules.quantity)
        message = possession_message(self.genesis, TASK, who)
        possession = vrf.prove(key, message)
        self.alliance.join(signed(who), TASK, vrf.public_key(key), possession, units)

    def _key(self, client: int) -> bytes:
        return blake2b_256(f"{self.seed}/{client}".encode())

    # -- a round

    def open_round(self) -> bool:
        """Blocks until proofs are asked for; False if the task ended or waits for members."""
        for _ in range(BLOCKS_MAX):
            progress = self.alliance.progress.find(TASK)
            if progress is None:
                return False
            if progress.stage is Stage.CHECK_IN:
                self.key = self.alliance.key_of(TASK)
                return True
            self._advance()
        return False

    def candidates(self) -> list[int]:
        """Who may be drawn in the round that is open."""
        turn = self.alliance.rounds.get(self.key).turn
        return [at for at in range(len(self.accounts)) if self.member(at).is_candidate(turn)]

    def check_in(self, clients: Sequence[int]) -> None:
        """Each posts its VRF proof."""
        seed, key = self.alliance.rounds.get(self.key).seed, self.key
        for client in clients:
            who = self.accounts[client]
            proof = vrf.prove(self._key(client), vrf_input(self.genesis, seed, *_place(key), who))
            self.alliance.check_in(signed(who), *_place(key), proof)

    def output(self, client: int) -> bytes:
        """The client's VRF output in the round that is open, which decides its role."""
        seed, who = self.alliance.rounds.get(self.key).seed, self.accounts[client]
        alpha = vrf_input(self.genesis, seed, *_place(self.key), who)
        found = vrf.verify(
            vrf.public_key(self._key(client)), vrf.prove(self._key(client), alpha), alpha
        )
        assert found is not None, "an own proof does not verify"
        return found

    def seat_by_seed(self, clients: Sequence[int]) -> None:
        """Roles by the chain's rule from seeded outputs, without proofs."""
        outputs = [
            (blake2b_512(f"{self.seed}/{self.key.round}/{at}".encode()), self.accounts[at])
            for at in clients
        ]
        roles = draw(outputs, len(outputs), _ALL, self.rules.proposing)
        self.alliance.playing.draw.seat(self.key, roles.proposers, roles.voters, 0)

    def roles(self) -> Roles:
        """Blocks until the roles are drawn, then who has them."""
        self._go_to(Stage.PROPOSE)
        drawn = self.alliance.rounds.get(self.key)
        return Roles(
            [self.clients[who] for who in drawn.proposers],
            [self.clients[who] for who in drawn.voters],
            list(drawn.weights),
        )

    def propose(self, contents: Mapping[int, bytes]) -> set[int]:
        """Each seals and opens an update; those that the chain refuses to take are left out."""
        place, taken = _place(self.key), set[int]()
        for client, content in contents.items():
            who = self.accounts[client]
            seal = seal_proposal(self.genesis, place, who, content, content, SALT)
            self.alliance.commit_proposal(signed(who), *place, seal)
        if not contents or not self._go_to(Stage.DISCLOSE):
            return taken
        for client, content in contents.items():
            origin = signed(self.accounts[client])
            try:
                self.alliance.reveal_proposal(origin, *place, content, content, SALT)
            except (ZeroUpdate, DuplicateProposal):
                continue  # it cannot be a proposal: the proposer will count as absent
            taken.add(client)
        return taken

    def lacks_model(self) -> bool:
        """Whether the open round has no model to start from."""
        return self.alliance.rounds.get(self.key).base is None

    def initialise(self, leader: int, content: bytes) -> None:
        """The leader of the first round names the model that it made from the seed."""
        self.alliance.initialise_model(signed(self.accounts[leader]), *_place(self.key), content)

    def report(self, held: Mapping[int, int]) -> int:
        """Voters tell which proposals they have; the mask that the aggregate is over, 0 for none.

        `held` has bits by voter.
        """
        place = _place(self.key)
        if not self._go_to(Stage.REPORT):
            return 0
        for client, bits in held.items():
            self.alliance.report(signed(self.accounts[client]), *place, bits)
        self._go_to(Stage.VOTE)
        return self.alliance.rounds.get(self.key).aggregate

    def vote(self, ballots: Mapping[int, Ballot]) -> None:
        """Seal and open ballots; who has none says nothing."""
        place = _place(self.key)
        for client, ballot in ballots.items():
            who = self.accounts[client]
            seal = seal_vote(self.genesis, place, who, ballot, SALT)
            self.alliance.commit_vote(signed(who), *place, seal)
        if not ballots or not self._go_to(Stage.OPEN):
            return
        for client, ballot in ballots.items():
            self.alliance.reveal_vote(signed(self.accounts[client]), *place, ballot, SALT)

    def settle(self) -> RoundResult:
        """Blocks until the round is paid for; its result."""
        while not self._is_over():
            self._advance()
        return self.alliance.results.get(self.key)

    def wait_for_end(self) -> None:
        """Blocks until the task has ended, or waits for members in vain."""
        for _ in range(PAUSE_BLOCKS_MAX):
            if self.alliance.progress.find(TASK) is None:
                return
            self._advance()

    # -- what is known

    def member(self, client: int) -> Member:
        """A client's record."""
        return self.alliance.members.get((TASK, self.accounts[client]))

    def is_expelled(self, client: int) -> bool:
        """Whether it lost too much to go on."""
        return self.member(client).status is MemberStatus.EXPELLED

    @property
    def pool(self) -> int:
        """What is left to be earned, planck."""
        return self.alliance.purses.get(TASK).pool

    # -- time

    def _go_to(self, stage: Stage) -> bool:
        """Blocks until the stage; False if the round is over before it comes."""
        while not self._is_over():
            if self.alliance.progress.get(TASK).stage is stage:
                return True
            self._advance()
        return False

    def _is_over(self) -> bool:
        progress = self.alliance.progress.find(TASK)
        if progress is None or progress.stage in (Stage.IDLE, Stage.COUNT):
            return True
        return self.alliance.key_of(TASK) != self.key

    def _advance(self) -> None:
        self.events = self.chain.advance()


def _place(key: RoundKey) -> tuple[int, int]:
    return key.task, key.round
