"""What tests of the marketplace share: a tiny Llama, keys, a chain that says what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.marketplace.accounts import Accounts
from flockchain.marketplace.calls import Calls
from flockchain.marketplace.catalogue import Catalogue, ServedModel
from flockchain.marketplace.credentials import SignedVoucher, make_key, sign, write_voucher
from flockchain.marketplace.inference import Inference
from flockchain.marketplace.ledger import Channel, Payer, Terms
from flockchain.marketplace.ledger_file import LedgerFile
from flockchain.marketplace.limits import Limits
from flockchain.marketplace.retrieval import Library
from flockchain.marketplace.server import MarketServer
from flockchain.marketplace.signed_answers import AnswerSigner
from flockchain.sdk.errors import BlobUnavailable
from runtime.api import runtime_at
from runtime.frame.externalities import DictState, Externalities
from runtime.primitives.content_id import ContentId, content_id
from runtime.primitives.types import FML, AccountId, Hash
from runtime.primitives.vouchers import Grant, Voucher
from runtime.runtime import Runtime
from tests.flockchain.fast_chain import genesis_of

T = TypeVar("T")
GENESIS = Hash(b"\x07" * 32)
DAY = 20_000
PRICE = FML // 4
HOST = key_pair_from_uri("//Host")
CALLER = key_pair_from_uri("//Caller")
MODEL = b"\x11" * 32
ROWS = b"\x22" * 32
USUAL_TERMS = Terms(PRICE, 0, DAY, Channel(100 * FML, 0))
QUESTIONS = {
    "What is FLock?": "Federated learning on a chain.",
    "Who pays hosts?": "Callers pay, by vouchers.",
    "Say hello": "Hellö, wörld!",
}


def conversations() -> list[list[dict[str, str]]]:
    """What the tiny Llama learns by heart."""
    return [
        [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
        for asked, said in QUESTIONS.items()
    ]


@dataclass
class SetClock:
    """A clock that stands where it is put."""

    time_ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return self.time_ms


@dataclass
class ToldView:
    """A chain whose terms are those that a test sets."""

    current: Terms = USUAL_TERMS

    @property
    def day(self) -> int:
        """The chain's day."""
        return self.current.day

    async def terms(self, payer: Payer) -> Terms:
        """On what terms anybody calls."""
        return self.current


def api_key(
    limit: int = 0, *, pair: KeyPair = CALLER, model: bytes = MODEL, **changes: object
) -> str:
    """A key of a caller for the host; `changes` are other fields of its grant."""
    usual = Grant(GENESIS, pair.account, HOST.account, model, limit, DAY, 1)
    return make_key(pair, replace(usual, **changes))  # type: ignore[arg-type]


def voucher_header(
    total: int, *, pair: KeyPair = CALLER, model: bytes = MODEL, **changes: object
) -> dict[str, str]:
    """A header that pays up to a total; `changes` are other fields of what is signed."""
    usual = Voucher(GENESIS, pair.account, HOST.account, model, total)
    record = replace(usual, **changes)  # type: ignore[arg-type]
    return {"X-Flock-Voucher": write_voucher(SignedVoucher(record, sign(pair, record)))}


@dataclass
class World:
    """A host that serves on loopback. `run` runs a test's coroutine beside it."""

    loop: asyncio.AbstractEventLoop

    server: MarketServer
    book: LedgerFile
    view: ToldView
    clock: SetClock
    inference: Inference
    blobs: dict[ContentId, bytes]

    @property
    def url(self) -> str:
        """Where OpenAI's client is pointed to."""
        return f"http://127.0.0.1:{self.server.port}/v1"

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The outcome of a coroutine on the host's own loop."""
        return self.loop.run_until_complete(work)

    def put_blob(self, data: bytes) -> ContentId:
        """Have a blob at the host's node."""
        blob = content_id(data)
        self.blobs[blob] = data
        return blob


def classifier(directory: Path) -> ServedModel:
    """The digits' model, as a task left it."""
    return ServedModel("rows", ROWS, ROWS, "classifier", PRICE, directory, 1_700_000_000)


def language_model(directory: Path, name: str = "tiny", adapter: Path | None = None) -> ServedModel:
    """The tiny Llama under a name."""
    digest = MODEL if adapter is None else content_id(name.encode())
    return ServedModel(name, MODEL, digest, "language", PRICE, directory, 1_700_000_000, adapter)


def genesis_with(
    models: list[tuple[bytes, list[bytes]]], keys: list[KeyPair]
) -> dict[bytes, bytes]:
    """A chain on which each task left one of these models, with its parents."""
    ext = Externalities(DictState(genesis_of(keys)))
    preset = runtime_at(DictState(genesis_of(keys))).preset
    runtime = Runtime(ext, preset)
    for task, (content, parents) in enumerate(models):
        runtime.models.record_model(
            task, content, 0, AccountId(bytes([task + 1]) * 32), (9 * 10**8, 1), parents
        )
    return dict(ext.pairs(b""))


@asynccontextmanager
async def market(
    directory: Path, models: list[ServedModel], limits: Limits | None = None
) -> AsyncIterator[World]:
    """A host of these models, its book beneath `directory`."""
    clock, view, catalogue, inference = SetClock(), ToldView(), Catalogue(), Inference()
    book = LedgerFile(directory, GENESIS, HOST.account)
    blobs: dict[ContentId, bytes] = {}

    async def get_blob(digest: bytes, size_max_bytes: int) -> bytes:
        if digest not in blobs:
            raise BlobUnavailable("the node has no such blob")
        return blobs[ContentId(digest)]

    accounts = Accounts(book, view, GENESIS, HOST.account)
    calls = Calls(
        accounts,
        catalogue,
        inference,
        Library(get_blob),
        AnswerSigner(HOST, GENESIS),
        limits or Limits(),
        clock,
    )
    server = MarketServer(calls)
    try:
        for model in models:
            await inference.open(model)
            catalogue.put(model)
        await server.start()
        yield World(asyncio.get_running_loop(), server, book, view, clock, inference, blobs)
    finally:
        await server.stop()
        await inference.close()
        await book.close()
