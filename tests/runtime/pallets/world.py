"""A small runtime for tests of the economic pallets: state in memory, blocks, hooks, real pallets.

Every block ends with `try_state` of all pallets and exact conservation.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from nacl.public import PrivateKey, SealedBox

from runtime import frame
from runtime.constants import DEVNET, Preset
from runtime.economy.tasks import Hardware, Metric, Role, SealedDataset, TaskTerms
from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.pallets import (
    arena,
    balances,
    delegation,
    emission,
    fl_alliance,
    marketplace,
    model_registry,
    system,
    tasks,
    trends,
)
from runtime.pallets.arena.key_records import SealedKey
from runtime.pallets.arena.records import (
    Account,
    Fingerprinted,
    GivenScore,
    NoData,
    Score,
    SubmittedModel,
    Verdict,
)
from runtime.pallets.arena.seals import seal_scores, seal_submission
from runtime.pallets.governance.records import Power
from runtime.pallets.treasury import TREASURY
from runtime.primitives.hashing import blake2b_256, blake2b_512
from runtime.primitives.header import Digest
from runtime.primitives.multi import Ed25519, MultiSignature
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML, AccountId, Hash

GENESIS = Hash(b"g" * 32)
KEY_B = b"B" * 32
MODEL_KEY = b"M" * 32
EPOCH_BLOCKS = 10
NO_SHARE = Rational(0, 1)


def account(name: str) -> AccountId:
    """An account whose order is that of its name."""
    return AccountId(name.encode().ljust(32, b"."))


def content(name: str) -> bytes:
    """A content id."""
    return blake2b_256(name.encode())


def signature_of(who: AccountId, message: bytes) -> MultiSignature:
    """What stands for a signature here, where accounts have names and no keys."""
    return Ed25519(blake2b_512(b"signed" + who + message))


def is_signature_of(signature: MultiSignature, who: AccountId, message: bytes) -> bool:
    """Whether it is `signature_of`."""
    return signature == signature_of(who, message)


def submitted(name: str) -> SubmittedModel:
    """A model as it is submitted."""
    return SubmittedModel(content(name), content(f"{name} sealed"), 1_000)


def sealing_secret(name: str) -> PrivateKey:
    """What an account opens boxes with."""
    return PrivateKey(blake2b_256(f"{name} opens".encode()))


def terms(**changes: object) -> TaskTerms:
    """A three-day task with committees of three."""
    usual = TaskTerms(
        name="digits",
        spec=content("spec"),
        metric=Metric.ACCURACY,
        baseline=100_000_000,
        days=3,
        validation_a=content("A"),
        validation_b=SealedDataset(content("B"), content("B sealed"), blake2b_256(KEY_B)),
        training=[content("train")],
        parents=[],
        seats=3,
        final_seats=3,
        hardware=Hardware(),
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


class FixedRandomness:
    """VRF outputs that depend on the block only; none under instant seal."""

    def __init__(self, block: system.System) -> None:
        self.block = block
        self.is_instant = False

    def author_vrf_output(self) -> bytes | None:
        if self.is_instant:
            return None
        return blake2b_256(b"vrf" + self.block.block_number().to_bytes(4, "little")) * 2

    def epoch_randomness(self) -> Hash:
        return blake2b_256(b"epoch" + self.epoch_index().to_bytes(4, "little"))

    def epoch_index(self) -> int:
        return self.block.block_number() // EPOCH_BLOCKS


class NoLocks:
    """Nobody locks tokens."""

    def spare(self, who: AccountId) -> int:
        return 0

    def cover(self, who: AccountId, amount: int) -> None:
        raise AssertionError(f"{who.hex()} has no lock")

    def uncover(self, who: AccountId, amount: int) -> None:
        raise AssertionError(f"{who.hex()} has no lock")


class NoElectorate:
    """Nobody votes on models."""

    def locked(self) -> int:
        return 0

    def keep_snapshot(self, snapshot: int, until: int) -> None:
        return None

    def power_at(self, who: AccountId, snapshot: int) -> Power:
        return Power()


@dataclass
class World:
    """All pallets over one state; `number` is the current block."""

    preset: Preset = DEVNET
    number: int = 0
    checks: bool = True
    state: frame.DictState = field(default_factory=frame.DictState)

    def __post_init__(self) -> None:
        self.ext = ext = frame.Externalities(self.state)
        preset, calendar = self.preset, self.preset.calendar
        self.system = system.System(ext, system.Config())
        self.balances = balances.Balances(ext, balances.Config(), accounts=self.system)
        self.emission = emission.Emission(ext, emission.Config(), currency=self.balances)
        self.ledger = delegation.Delegation(
            ext,
            delegation.Config(
                calendar,
                preset.unbonding_days,
                ratio_interval_days=preset.ratio_interval_days,
            ),
            currency=self.balances,
            block=self.system,
            locks=NoLocks(),
        )
        self.tasks = tasks.Tasks(
            ext,
            tasks.Config(
                calendar,
                TREASURY,
                preset.creator_stake,
                preset.node_stake,
                preset.validator_stake,
                preset.registration_fee,
            ),
            currency=self.balances,
            ledger=self.ledger,
            block=self.system,
        )
        self.models = model_registry.ModelRegistry(ext, model_registry.Config(), block=self.system)
        self.randomness = FixedRandomness(self.system)
        self.alliance = self._alliance()
        self.market = self._market()
        self.arena = arena.Arena(
            ext,
            arena.Config(
                calendar,
                TREASURY,
                preset.node_stake,
                preset.validator_stake,
                preset.quota_base,
                preset.quota_max,
                preset.settlement_steps,
                preset.kept_days,
            ),
            currency=self.balances,
            block=self.system,
            randomness=self.randomness,
            tasks=self.tasks,
            stakes=self.ledger,
            emission=self.emission,
            models=self.models,
            alliance=self.alliance,
            hosts=self.market,
        )
        self.pallets: tuple[frame.Pallet[object], ...] = (  # by index, as the executive runs them
            self.system,
            self.balances,
            self.tasks,
            self.ledger,
            self.emission,
            self.arena,
            self.alliance,
            self.models,
            self.market,
            self.trends,
        )

    def _market(self) -> marketplace.Marketplace:
        preset = self.preset
        self.trends = trends.Trends(
            *(self.ext, trends.Config(preset.calendar)),
            block=self.system,
            electorate=NoElectorate(),
        )
        return marketplace.Marketplace(
            self.ext,
            marketplace.Config(preset.calendar, preset.unbonding_days, preset.existential_deposit),
            currency=self.balances,
            block=self.system,
            models=self.models,
            randomness=self.randomness,
            stakes=self.ledger,
            tasks=self.tasks,
            trends=self.trends,
            verifier=is_signature_of,
        )

    def _alliance(self) -> fl_alliance.FlAlliance:
        preset = self.preset
        return fl_alliance.FlAlliance(
            self.ext,
            fl_alliance.Config(
                preset.calendar,
                TREASURY,
                preset.epoch_slots,
                preset.creator_stake,
                preset.fl_stake,
                preset.registration_fee,
                unbonding_days=preset.unbonding_days,
            ),
            currency=self.balances,
            block=self.system,
            randomness=self.randomness,
            book=self.tasks,
            emission=self.emission,
            models=self.models,
            locks=NoLocks(),
        )

    def endow(self, *names: str, amount: int = 10_000 * FML) -> None:
        """Genesis."""
        self.balances.genesis_build({account(name): amount for name in names})
        self.emission.genesis_build(emission.EmissionParameters())
        self.tasks.genesis_build(self.preset.arena, [])
        self.market.genesis_build(self.preset.market)
        self.trends.genesis_build(self.preset.trends)
        self.system.initialize(0, Hash(bytes(32)), Digest([]))

    # -- blocks

    def next_block(self) -> None:
        """End this block, begin the next."""
        if self.checks:
            self.check()
        self.number += 1
        parent = GENESIS if self.number == 1 else blake2b_256(self.number.to_bytes(4, "little"))
        self.system.initialize(self.number, parent, Digest([]))
        for pallet in self.pallets:
            pallet.on_initialize(self.number)

    def go_to(self, day: int, position: int = 0) -> None:
        """Go on to a block of a day."""
        target = self.preset.calendar.first_block(day) + position
        assert target >= self.number, f"block {target} is past"
        while self.number < target:
            self.next_block()

    def check(self) -> None:
        """Every invariant of every pallet."""
        for pallet in self.pallets:
            pallet.try_state()

    # -- what participants do

    def register(self, name: str, task: int, role: Role, stake: int) -> None:
        self.tasks.register(
            signed(account(name)), task, role, stake, NO_SHARE, Hardware(memory_gib=8)
        )
        if role is Role.TASK_VALIDATOR:
            self.set_sealing_key(name)

    def set_sealing_key(self, name: str) -> None:
        """Let the account be drawn as a validator."""
        key = sealing_secret(name).public_key.encode()
        self.arena.set_sealing_key(signed(account(name)), key)

    def commit(self, name: str, task: int, model: str) -> None:
        who = account(name)
        seal = seal_submission(GENESIS, task, Account(who), submitted(model), salt_of(name, model))
        self.arena.commit_submission(signed(who), task, seal)

    def reveal(self, name: str, task: int, model: str) -> None:
        made = submitted(model)
        self.arena.reveal_submission(
            signed(account(name)),
            task,
            made.content,
            made.ciphertext,
            made.size_bytes,
            salt_of(name, model),
        )

    def sheet(self, name: str, task: int, scores: dict[str, int | None]) -> list[GivenScore]:
        """A validator's sheet from scores by model; None is NO-DATA."""
        by_content = {content(model): score for model, score in scores.items()}
        today = self.arena.today()
        given = []
        for todo in self.arena.views.to_score(task, today, account(name)):
            score = by_content[todo.content]
            verdict: Verdict = NoData() if score is None else Score(score)
            if score and self.tasks.get_task(task).terms.duplicate_distance is not None:
                verdict = Fingerprinted(score, int.from_bytes(todo.content[:8], "little"))
            given.append(GivenScore(todo.submission, verdict))
        return given

    def seal_sheet(self, name: str, task: int, sheet: list[GivenScore]) -> None:
        who = account(name)
        seal = seal_scores(GENESIS, task, self.arena.today(), who, sheet, salt_of(name, "s"))
        self.arena.commit_scores(signed(who), task, seal)

    def open_sheet(self, name: str, task: int, sheet: list[GivenScore]) -> None:
        self.arena.reveal_scores(signed(account(name)), task, sheet, salt_of(name, "s"))

    def box(self, validator: str, key: bytes = MODEL_KEY) -> SealedKey:
        """A model's key for a validator."""
        return SealedKey(
            account(validator), SealedBox(sealing_secret(validator).public_key).encrypt(key)
        )

    def share(self, name: str, task: int, submission: int) -> None:
        """Hand the key of one's model to every validator that was drawn for it."""
        drawn = self.arena.views.validators_of(task, self.arena.today(), submission)
        boxes = [self.box(self.name_of(each.validator)) for each in drawn if not each.has_key]
        self.arena.share_keys(signed(account(name)), task, submission, boxes)

    # -- what tests ask

    @staticmethod
    def name_of(who: AccountId) -> str:
        return who.decode().rstrip(".")

    def free(self, name: str) -> int:
        return self.balances.free(account(name))

    def owned(self, name: str) -> int:
        """Free and held for stakes."""
        who = account(name)
        held = sum(self.balances.held(reason, who) for reason in HoldReason)
        return self.balances.free(who) + held

    def events(self, kind: type) -> list[object]:
        """All events of a kind since genesis."""
        return [event for _, event in self.ext.events if isinstance(event, kind)]


def salt_of(name: str, what: str) -> bytes:
    """A salt; participants draw theirs at random."""
    return blake2b_256(f"{name}/{what}".encode())


NODES = ("n1", "n2", "n3")
VALIDATORS = ("v1", "v2", "v3")
MODELS = {"n1": "good", "n2": "fair", "n3": "noise"}
SCORES: dict[str, int | None] = {"good": 950_000_000, "fair": 800_000_000, "noise": 100_000_000}


def with_participants(world: World, task: int) -> None:
    """Three nodes of 10, 20 and 10 FML and three validators of 100, 200 and 300 FML."""
    for name, stake in zip(NODES, (10, 20, 10), strict=True):
        world.register(name, task, Role.TRAINING_NODE, stake * FML)
    for name, stake in zip(VALIDATORS, (100, 200, 300), strict=True):
        world.register(name, task, Role.TASK_VALIDATOR, stake * FML)


def submit(world: World, day: int, task: int, models: dict[str, str]) -> None:
    """Every node seals and reveals a model."""
    world.go_to(day, 0)
    for name, model in models.items():
        world.commit(name, task, model)
    world.go_to(day, 8)
    for name, model in models.items():
        world.reveal(name, task, model)


def score(world: World, day: int, task: int, scores: dict[str, dict[str, int | None]]) -> None:
    """Every validator with seats seals and opens its sheet; the day ends settled."""
    world.go_to(day, 10)
    sheets = {name: world.sheet(name, task, given) for name, given in scores.items()}
    drawn = {name: sheet for name, sheet in sheets.items() if sheet}
    for name, sheet in drawn.items():
        world.seal_sheet(name, task, sheet)
    world.go_to(day, 14)
    for name, sheet in drawn.items():
        world.open_sheet(name, task, sheet)
    world.go_to(day + 1)


def open_key(world: World, day: int, task: int) -> None:
    """The creator opens Dataset B on the final day."""
    world.go_to(day, 1)
    world.tasks.reveal_key(signed(account("creator")), task, KEY_B)


def new_world(**changes: object) -> World:
    """Everybody endowed on block 0."""
    world = World(**changes)  # type: ignore[arg-type]
    world.endow("creator", "idle", *NODES, *VALIDATORS)
    world.next_block()
    return world
