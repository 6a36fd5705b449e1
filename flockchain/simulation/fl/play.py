"""Plays a federated learning task round by round: real training, and the chain's own pallet.

Owns what honest and malicious participants do in each stage. Without votes there is no chain:
the same share of seeded proposers is averaged by the defence's rule, and all of it is accepted.
Invariant: the same settings give the same rounds on one machine.
Source: WP VI.B to VI.F; WP Fig. 6 (the balances of honest and malicious participants).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from flockchain.simulation.fl.report import PlayedRound, SimulationReport
from flockchain.simulation.fl.settings import POOL_A_CLIENT, QUANTITY, FlSettings
from flockchain.simulation.fl.task import Roles, SimulatedTask, TaskRules
from ml.attacks.catalogue import find_attack
from ml.attacks.votes import Judgement, vote_honestly
from ml.combining import combine
from ml.devices import choose_device
from ml.federation import Federation, FederationSetup, Vector
from runtime.economy.alliance import is_good_enough
from runtime.pallets.fl_alliance.records import Vote
from runtime.pallets.fl_alliance.sortition import draw
from runtime.pallets.fl_alliance.stages import Outcome
from runtime.primitives.hashing import blake2b_512
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML


def simulate(
    settings: FlSettings, watch: Callable[[PlayedRound], None] = lambda _: None
) -> SimulationReport:
    """All rounds of a task; `watch` is told of each. Raises `ShardError` and `DeviceError`."""
    setup = FederationSetup(
        settings.clients,
        settings.malicious_clients,
        settings.seed,
        find_attack(settings.attack),
        settings.training,
        settings.test_examples,
    )
    federation = Federation(setup, choose_device(settings.device))
    player = (_Alliance if settings.rules.votes else _Averaging)(settings, federation)
    rounds: list[PlayedRound] = []
    for number in range(settings.rounds):
        outcome = player.play(number)
        played = player.look(number, outcome)
        rounds.append(played)
        watch(played)
    return SimulationReport(settings, rounds, federation.backdoor_success(player.model))


class _Averaging:
    """Rounds without a chain: nobody votes, nobody has a stake."""

    def __init__(self, settings: FlSettings, federation: Federation) -> None:
        self.settings = settings
        self.federation = federation
        self.model = federation.start

    def play(self, number: int) -> str:
        """The outcome of a round."""
        seed, clients = self.settings.seed, range(self.settings.clients)
        outputs = [(blake2b_512(f"{seed}/{number}/{at}".encode()), at) for at in clients]
        proposing = self.settings.proposing
        roles = draw(outputs, len(outputs), Rational(1, 1), proposing)
        updates = self.federation.propose(self.model, roles.proposers, number)
        if not updates:
            return "void"
        rule, weights = self.settings.rules.rule, [1] * len(updates)
        combined = combine(rule, self.model, list(updates.values()), weights, leave=False)
        self.model = combined.model
        return "accepted"

    def look(self, number: int, outcome: str) -> PlayedRound:
        """What the round left."""
        honest = QUANTITY / FML if self.settings.malicious_clients < self.settings.clients else None
        bad = QUANTITY / FML if self.settings.malicious_clients else None
        accuracy = self.federation.accuracy(self.model)
        return PlayedRound(number, accuracy, outcome, honest, bad, 0, 0)


class _Alliance:
    """Rounds of a task on the chain."""

    def __init__(self, settings: FlSettings, federation: Federation) -> None:
        self.settings = settings
        self.federation = federation
        self.attack = federation.setup.attack
        self.model = federation.start
        clients = settings.clients
        rules = TaskRules(
            quantity=QUANTITY,
            pool=POOL_A_CLIENT * clients,
            rounds=settings.rounds,
            proposing=settings.proposing,
            tolerance=settings.tolerance,
            attributes=settings.rules.marks,
            zero_update=federation.id_of_nothing(),
        )
        self.task = SimulatedTask(rules, [federation.dealt.train.examples] * clients, settings.seed)
        self.best = [row[0] for row in zip(*self._scores([self.model]), strict=True)]

    def _scores(self, models: Sequence[Vector]) -> list[list[int]]:
        return self.federation.scores(models, range(self.settings.clients))

    def play(self, number: int) -> str:
        """The outcome of a round."""
        task = self.task
        if not task.open_round():
            return "none"
        candidates = task.candidates()
        if self.settings.proofs:
            task.check_in(candidates)
        else:
            task.seat_by_seed(candidates)
        roles = task.roles()
        if roles.proposers and task.lacks_model():
            task.initialise(roles.proposers[0], self.federation.id_of_model(self.model))
        updates = self._propose(roles, number)
        held = {voter: self._held(voter, roles, updates) for voter in roles.voters}
        mask = task.report(held) if updates else 0
        aggregate = self._vote(roles, updates, mask) if mask else None
        result = task.settle()
        if result.outcome is Outcome.ACCEPTED and aggregate is not None:
            self.model = aggregate
            self.best = list(map(max, self.best, self._scores([aggregate])[0]))
        return result.outcome.name.lower()

    def _propose(self, roles: Roles, number: int) -> dict[int, Vector]:
        """The updates that the chain took, in the order of the proposers."""
        updates = self.federation.propose(self.model, roles.proposers, number)
        contents = {at: self.federation.id_of_update(update) for at, update in updates.items()}
        taken = self.task.propose(contents)
        return {at: update for at, update in updates.items() if at in taken}

    def _held(self, voter: int, roles: Roles, updates: Mapping[int, Vector]) -> int:
        denies = self.attack.denies and voter in self.federation.malicious
        return sum(
            1 << index
            for index, client in enumerate(roles.proposers)
            if client in updates and not (denies and client not in self.federation.malicious)
        )

    def _vote(self, roles: Roles, updates: Mapping[int, Vector], mask: int) -> Vector:
        """Aggregate what the chain says, measure and vote; the aggregate."""
        federation, rules = self.federation, self.settings.rules
        places = [index for index in range(len(roles.proposers)) if mask >> index & 1]
        given = [updates[roles.proposers[index]] for index in places]
        weights = [roles.weights[index] for index in places]
        combined = combine(rules.rule, self.model, given, weights, leave=rules.marks)
        content = federation.id_of_model(combined.model)
        scores = federation.scores([combined.model, self.model], roles.voters)
        marks = [[False] * len(places)] * len(roles.voters)
        if combined.without is not None:
            marks = federation.marks(combined.model, combined.without, roles.voters)
        friends = [roles.proposers[index] in federation.malicious for index in places]
        ballots: dict[int, Vote] = {}
        for voter, score, previous, marked in zip(roles.voters, *scores, marks, strict=True):
            accepts = is_good_enough(score, previous, self.best[voter], self.settings.tolerance)
            policy = self.attack.vote if voter in federation.malicious else vote_honestly
            said = policy(Judgement(accepts, tuple(marked)), friends)
            if said is not None:
                bits = sum(1 << at for at, bit in zip(places, said.marks, strict=True) if bit)
                ballots[voter] = Vote(said.accepts, content, bits)
        self.task.vote(ballots)
        return combined.model

    def look(self, number: int, outcome: str) -> PlayedRound:
        """What the round left."""
        bad = self.federation.malicious
        honest = [at for at in range(self.settings.clients) if at not in bad]
        return PlayedRound(
            number,
            self.federation.accuracy(self.model),
            outcome,
            self._mean_balance(honest),
            self._mean_balance(sorted(bad)),
            sum(map(self.task.is_expelled, honest)),
            sum(map(self.task.is_expelled, bad)),
        )

    def _mean_balance(self, clients: Sequence[int]) -> float | None:
        """FML; None of nobody."""
        if not clients:
            return None
        return sum(self.task.member(at).balance for at in clients) / len(clients) / FML
