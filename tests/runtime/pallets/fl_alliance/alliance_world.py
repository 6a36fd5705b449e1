"""An FL Alliance task in the world of the economic pallets, and what its participants do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from runtime import frame
from runtime.economy.tasks import TaskStatus
from runtime.frame.origin import signed
from runtime.pallets.fl_alliance.records import (
    Ballot,
    Member,
    NoData,
    Progress,
    Round,
    RoundKey,
    RoundResult,
    Vote,
)
from runtime.pallets.fl_alliance.seals import (
    possession_message,
    seal_proposal,
    seal_vote,
    vrf_input,
)
from runtime.pallets.fl_alliance.stages import Stage
from runtime.pallets.fl_alliance.terms import AllianceTerms, Mode, RoundWindows
from runtime.primitives import vrf
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML, AccountId
from tests.runtime.pallets.world import GENESIS, World, account, content, salt_of, terms

WINDOWS = RoundWindows(4, 4, 3, 3, 0, 4, 3)
NAMES = tuple("abcdefghij")
POOL = 1_000 * FML
SOON = 200  # blocks within which a stage must come


def alliance_terms(**changes: object) -> AllianceTerms:
    """Five rounds of participants that stake 10 FML; a fifth proposes, three voters are needed."""
    usual = AllianceTerms(
        name="digits together",
        spec=content("fl spec"),
        mode=Mode.OPEN,
        origin=0,
        quantity=10 * FML,
        rounds=5,
        days=60,
        participation=Rational(1, 1),
        proposing=Rational(1, 5),
        voters_min=3,
        quorum=Rational(2, 3),
        tolerance=Rational(1, 20),
        slash=Rational(1, 10),
        threshold=Rational(1, 2),
        windows=WINDOWS,
        fraction_bits=14,
        unit_samples=16,
        units_max=1_024,
        attributes=False,
        zero_update=content("zero"),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


@cache
def vrf_seed(name: str) -> bytes:
    """The secret of a participant's VRF key."""
    return blake2b_256(f"vrf/{name}".encode())


@cache
def vrf_key(name: str) -> bytes:
    return vrf.public_key(vrf_seed(name))


@dataclass
class Alliance:
    """One task of the FL Alliance and who takes part in it, by name."""

    world: World
    task: int = 1

    # -- what it stands on

    @property
    def pallet(self):  # type: ignore[no-untyped-def]
        return self.world.alliance

    @property
    def progress(self) -> Progress:
        return self.pallet.progress.get(self.task)

    @property
    def stage(self) -> Stage:
        return self.progress.stage

    @property
    def key(self) -> RoundKey:
        return self.pallet.key_of(self.task)

    @property
    def round(self) -> Round:
        return self.pallet.rounds.get(self.key)

    @property
    def pool(self) -> int:
        return self.pallet.purses.get(self.task).pool

    def result(self, round_: int) -> RoundResult:
        return self.pallet.results.get(RoundKey(self.task, round_))

    def member(self, name: str) -> Member:
        return self.pallet.members.get((self.task, account(name)))

    def balance(self, name: str) -> int:
        return self.member(name).balance

    def balances(self, names: Iterable[str]) -> dict[str, int]:
        return {name: self.balance(name) for name in names}

    def roles(self) -> tuple[list[str], list[str]]:
        """Names of the proposers and of the present voters."""
        found = self.round
        return [name_of(who) for who in found.proposers], [name_of(who) for who in found.voters]

    # -- time

    def go_to(self, *stages: Stage) -> Stage:
        """Blocks until one of the stages."""
        for _ in range(SOON):
            if self.stage in stages:
                return self.stage
            self.world.next_block()
        raise AssertionError(f"none of {stages} in {SOON} blocks, but {self.stage}")

    def open_round(self) -> None:
        """Blocks until the next check-in."""
        if self.stage is Stage.CHECK_IN:
            self.world.next_block()
        self.go_to(Stage.CHECK_IN)

    # -- participants

    def join(self, name: str, units: int = 10) -> None:
        who = account(name)
        possession = vrf.prove(vrf_seed(name), possession_message(GENESIS, self.task, who))
        self.pallet.join(signed(who), self.task, vrf_key(name), possession, units)

    def proof(self, name: str) -> bytes:
        return vrf.prove(vrf_seed(name), self.input(name))

    def input(self, name: str) -> bytes:
        return vrf_input(GENESIS, self.round.seed, self.task, self.key.round, account(name))

    def check_in(self, *names: str) -> None:
        for name in names:
            proof = self.proof(name)
            self.pallet.check_in(signed(account(name)), self.task, self.key.round, proof)

    def commit_proposal(self, name: str, update: str) -> None:
        seal = seal_proposal(GENESIS, self.place, account(name), *update_of(update), salt(name))
        self.pallet.commit_proposal(signed(account(name)), self.task, self.key.round, seal)

    def reveal_proposal(self, name: str, update: str) -> None:
        who = signed(account(name))
        opened = (*update_of(update), salt(name))
        self.pallet.reveal_proposal(who, self.task, self.key.round, *opened)

    def report(self, name: str, held: int) -> None:
        self.pallet.report(signed(account(name)), self.task, self.key.round, held)

    def commit_vote(self, name: str, ballot: Ballot) -> None:
        seal = seal_vote(GENESIS, self.place, account(name), ballot, salt(name))
        self.pallet.commit_vote(signed(account(name)), self.task, self.key.round, seal)

    def reveal_vote(self, name: str, ballot: Ballot) -> None:
        who = signed(account(name))
        self.pallet.reveal_vote(who, self.task, self.key.round, ballot, salt(name))

    @property
    def place(self) -> tuple[int, int]:
        return self.task, self.key.round

    # -- whole stages

    def seat(self, proposers: Sequence[str], voters: Sequence[str], absent: int = 0) -> None:
        """Roles as the test wants them, instead of those that the proofs give."""
        self.go_to(Stage.CHECK_IN)
        named = ([account(name) for name in names] for names in (proposers, voters))
        self.pallet.playing.draw.seat(self.key, *named, absent)

    def propose(self, *names: str) -> None:
        """Each seals and opens an update of its own."""
        self.go_to(Stage.PROPOSE)
        for name in names:
            self.commit_proposal(name, self.update(name))
        self.go_to(Stage.DISCLOSE)
        for name in names:
            self.reveal_proposal(name, self.update(name))

    def update(self, name: str) -> str:
        return f"{name} {self.key.round}"

    def report_all(self, names: Iterable[str], held: int | None = None) -> None:
        """Each holds what was opened, or the given bits."""
        self.go_to(Stage.REPORT)
        mask = self.progress.mask if held is None else held
        for name in names:
            self.report(name, mask)

    def vote(self, ballots: Mapping[str, Ballot | None]) -> None:
        """As `cast`; ends in the next round or the end."""
        self.cast(ballots)
        self.settle()

    def cast(self, ballots: Mapping[str, Ballot | None]) -> None:
        """Each seals and opens its ballot; None does neither."""
        self.go_to(Stage.VOTE)
        given = {name: ballot for name, ballot in ballots.items() if ballot is not None}
        for name, ballot in given.items():
            self.commit_vote(name, ballot)
        if given:
            self.go_to(Stage.OPEN)
        for name, ballot in given.items():
            self.reveal_vote(name, ballot)

    def settle(self) -> None:
        """Blocks until the round's records are clean."""
        before = self.pallet.runs.get(self.task).opened
        for _ in range(SOON):
            found = self.pallet.progress.find(self.task)
            is_next = self.pallet.runs.get(self.task).opened != before
            if found is None or is_next or found.stage in (Stage.IDLE, Stage.COUNT):
                return
            self.world.next_block()
        raise AssertionError(f"round {self.key} is not settled")

    def play(self, proposers: Sequence[str], votes: Mapping[str, Ballot | None]) -> None:
        """A whole round with these roles, in which proposers and voters do all they should."""
        self.seat(proposers, list(votes))
        self.propose(*proposers)
        self.report_all(votes)
        self.vote(votes)


def yes(aggregate: str = "aggregate", marks: int = 0) -> Vote:
    return Vote(True, content(aggregate), marks)


def no(aggregate: str = "aggregate", marks: int = 0) -> Vote:
    return Vote(False, content(aggregate), marks)


def no_data(missing: int = 0) -> NoData:
    return NoData(missing)


def update_of(update: str) -> tuple[bytes, bytes]:
    """Content ids of an update and of its ciphertext."""
    return content(update), content(f"{update} sealed")


def salt(name: str) -> bytes:
    return salt_of(name, "fl")


def name_of(who: AccountId) -> str:
    return who.rstrip(b".").decode()


def finish_arena_task(world: World, model: str | None = "arena model") -> None:
    """Arena task 0 is completed; None: it ranked nobody."""
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    world.tasks.end_task(0, TaskStatus.COMPLETED)
    if model is not None:
        owner = account("creator")
        world.models.record_model(0, content(model), 0, owner, (9, 10), [])


def new_alliance(
    *names: str, pool: int | None = POOL, model: str | None = "arena model", **changes: object
) -> Alliance:
    """Task 1 with members that may be drawn; the first round is open. `pool` None: verified."""
    world = World()
    world.endow("creator", "idle", *names, amount=20_000 * FML)
    world.next_block()
    finish_arena_task(world, model)
    create(world, pool, **changes)
    made = Alliance(world)
    for name in names:
        made.join(name)
    if names:
        made.open_round()
    return made


def create(world: World, pool: int | None = POOL, **changes: object) -> None:
    declared = alliance_terms(**changes)
    if pool is None:
        world.alliance.create_verified_task(frame.ROOT, account("creator"), declared)
    else:
        world.alliance.create_task(signed(account("creator")), declared, pool)
