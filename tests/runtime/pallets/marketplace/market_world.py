"""The real runtime over one state, with models that won, for tests of the marketplace."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from flockchain.keys import KeyPair
from runtime import frame
from runtime.economy.market import MarketParameters
from runtime.frame.origin import Origin, signed
from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import Marketplace
from runtime.pallets.marketplace.records import Channel, Claim, Line
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Ed25519, MultiSignature
from runtime.primitives.types import FML, ZERO_HASH, AccountId, Hash
from runtime.primitives.vouchers import Answer, Voucher
from runtime.runtime import Runtime
from tests.runtime.block_chain import Chain, key_of

DAY = 20  # blocks on the devnet
START = 500 * FML
PRICE = FML // 4
ENDPOINT = "https://host.example"
NAMES = ("hal", "hub", "cal", "cat")
GRAND, PARENT, MODEL, OTHER = (blake2b_256(name) for name in (b"grand", b"parent", b"m", b"other"))
MAKERS = ("gus", "pia", "max", "oda")  # of these models, in this order
QUESTION, SAID = Hash(blake2b_256(b"what?")), Hash(blake2b_256(b"that."))


@dataclass
class Market:
    """Four accounts of 500 FML; four models, the third made from the second from the first."""

    runtime: Runtime = field(default_factory=lambda: Chain().runtime)
    number: int = 0

    def __post_init__(self) -> None:
        self.balances = self.runtime.balances
        self.market: Marketplace = self.runtime.market
        for name in (*NAMES, *MAKERS):
            self.balances.mint(account(name), START)
        lineage = {GRAND: [], PARENT: [GRAND], MODEL: [PARENT], OTHER: []}
        for task, ((content, parents), maker) in enumerate(
            zip(lineage.items(), MAKERS, strict=True)
        ):
            self.runtime.models.record_model(
                task, content, 0, account(maker), (8 * 10**8, 1), list(parents)
            )
        self.next()

    def next(self) -> None:
        """Go on to the next block."""
        self.runtime.try_state()
        self.number += 1
        self.runtime.system.number.put(self.number)
        self.market.on_initialize(self.number)
        self.runtime.try_state()

    def go(self, blocks: int) -> None:
        """Let blocks pass."""
        for _ in range(blocks):
            self.next()

    def rules(self, **changes: object) -> None:
        """Change rules as a passed proposal does."""
        changed = replace(self.market.parameters.get(), **changes)  # type: ignore[arg-type]
        self.market.set_parameters(frame.ROOT, changed)

    def parameters(self) -> MarketParameters:
        return self.market.parameters.get()

    # -- what participants do

    def host(self, name: str, model: bytes = MODEL, price: int = PRICE, **how: bool) -> None:
        """Register, unless that is done, and offer a model."""
        if not self.market.hosts.contains(account(name)):
            self.market.register_host(origin(name))
        self.market.offer(origin(name), model, ENDPOINT, price, how.get("follows", False))

    def open(self, caller: str, host: str, amount: int, model: bytes = MODEL) -> None:
        self.market.open_channel(origin(caller), account(host), model, amount)

    def voucher(
        self, caller: str, host: str, total: int, model: bytes = MODEL, *, signer: str | None = None
    ) -> Ed25519:
        """The caller's signature, or another's."""
        genesis = self.runtime.system.genesis_hash()
        made = Voucher(genesis, account(caller), account(host), model, total)
        return sign(signer or caller, made.payload())

    def settle(self, host: str, caller: str, total: int, model: bytes = MODEL) -> None:
        signature = self.voucher(caller, host, total, model)
        self.market.settle(origin(host), account(caller), model, total, signature)

    def claim(self, caller: str, host: str, total: int) -> Claim:
        return Claim(account(caller), MODEL, total, self.voucher(caller, host, total))

    def answer(self, host: str, caller: str, seed: int) -> Answer:
        """What a host said to a question."""
        genesis = self.runtime.system.genesis_hash()
        return Answer(
            genesis, account(host), account(caller), MODEL, QUESTION, ZERO_HASH, seed, SAID
        )

    def reply(self, host: str, number: int, caller: str, **about: object) -> None:
        """Answer the chain's request."""
        said = replace(self.answer(host, caller, number), **about)  # type: ignore[arg-type]
        signature = sign(host, said.payload())
        self.market.answer_request(origin(host), number, SAID, signature)

    # -- what tests ask

    def channel(self, caller: str, host: str, model: bytes = MODEL) -> Channel:
        return self.market.channels.get((account(caller), Line(account(host), model)))

    def free(self, name: str) -> int:
        return self.balances.free(account(name))

    def held(self, reason: HoldReason, name: str) -> int:
        return self.balances.held(reason, account(name))

    def events(self, kind: type) -> list[object]:
        """All events of a kind since genesis."""
        return [event for _, event in self.runtime.ext.events if isinstance(event, kind)]


def key(name: str) -> KeyPair:
    """The key pair of a name."""
    return key_of(name)


def account(name: str) -> AccountId:
    """The account of a name."""
    return key(name).account


def origin(name: str) -> Origin:
    """A transaction signed by a name."""
    return signed(account(name))


def sign(name: str, message: bytes) -> Ed25519:
    """A name's signature."""
    return Ed25519(key(name).sign(message))


def nobody() -> MultiSignature:
    """A signature of nobody."""
    return Ed25519(bytes(64))
