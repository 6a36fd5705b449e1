"""A node as Python sees it: typed reads, submissions, heads, events and blobs.

The client is of one release: it uses the runtime's own codecs, and refuses a node whose chain runs
another spec version. Invariant: after every reconnection the node is checked to be on the same
chain before it is used.

Source: Substrate JSON-RPC; WP II.A.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar, overload

from flockchain.keys import KeyPair
from flockchain.sdk.blobs import SIZE_BYTES_MAX, BlobClient
from flockchain.sdk.chain_reader import Block, ChainReader, Head, head_of
from flockchain.sdk.errors import BadAnswer, WrongChain
from flockchain.sdk.gathered_view import GatheredView
from flockchain.sdk.hex import from_hex, hash_from_hex, to_hex
from flockchain.sdk.state_view import StateView
from flockchain.sdk.submission import ERA_BLOCKS, Receipt, Submitter, Wait
from flockchain.sdk.transport import Transport
from runtime.api import preset_of
from runtime.constants import Preset
from runtime.frame.events import EventRecord
from runtime.frame.externalities import DictState, Externalities
from runtime.frame.pallet import Pallet
from runtime.frame.storage import StorageDoubleMap, StorageMap, StorageValue
from runtime.primitives.content_id import ContentId
from runtime.primitives.types import Hash
from runtime.runtime import Runtime
from runtime.version import CODE_KEY, SPEC_NAME, SPEC_VERSION, UnknownRuntime

K = TypeVar("K")
V = TypeVar("V")
C = TypeVar("C")


class Client:
    """A connection to one node. Make it by `connect`, close it in the end."""

    def __init__(self, transport: Transport, genesis: Hash, preset: Preset) -> None:
        self.transport = transport
        self.genesis = genesis
        self.preset = preset
        self.chain = ChainReader(transport)
        self.blobs = BlobClient(transport.url, genesis)
        self._submitter = Submitter(transport, self.chain, genesis)
        self._runtime = Runtime(Externalities(DictState()), preset)

    @staticmethod
    async def connect(url: str, *, genesis: Hash | None = None) -> Client:
        """Connect to `ws://host:port`. With `genesis`, only to a node of that chain.

        Raises Disconnected if there is no node, WrongChain if it is not for this release.
        """
        identity = _Identity(genesis)
        transport = Transport(url, identity.check)
        await transport.open()
        assert identity.genesis is not None, "the check found it"
        assert identity.preset is not None, "the check found it"
        return Client(transport, identity.genesis, identity.preset)

    async def close(self) -> None:
        """End the connection."""
        await self.blobs.close()
        await self.transport.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    # -- state

    def at(self, block: Hash) -> StateView:
        """The state of a block."""
        return StateView(self.transport, block)

    def gathered_at(self, block: Hash) -> GatheredView:
        """The state of a block, for many readers at once."""
        return GatheredView(self.transport, block)

    async def at_best(self) -> StateView:
        """The state of the best block now. Raises SdkError."""
        return self.at(hash_from_hex(await self.transport.call("chain_getBlockHash")))

    async def at_finalized(self) -> StateView:
        """The state of the last final block now. Raises SdkError."""
        return self.at(hash_from_hex(await self.transport.call("chain_getFinalizedHead")))

    @overload
    async def query(self, item: StorageValue[V], *, at: Hash | None = None) -> V: ...
    @overload
    async def query(self, item: StorageMap[K, V], key: K, /, *, at: Hash | None = None) -> V: ...
    async def query(self, item: Any, *key: Any, at: Hash | None = None) -> Any:
        """A stored value or its default, at the best block or `at` one.

        `query(System.account, who)`; the key of a double map is a pair. Raises NothingStored,
        SdkError.
        """
        view = self.at(at) if at is not None else await self.at_best()
        return await view.query(item, *key)

    @overload
    async def find(self, item: StorageValue[V], *, at: Hash | None = None) -> V | None: ...
    @overload
    async def find(
        self, item: StorageMap[K, V], key: K, /, *, at: Hash | None = None
    ) -> V | None: ...
    async def find(self, item: Any, *key: Any, at: Hash | None = None) -> Any:
        """A stored value, or None. Raises SdkError."""
        view = self.at(at) if at is not None else await self.at_best()
        return await view.find(item, *key)

    @overload
    def query_map(
        self, item: StorageDoubleMap[tuple[Any, Any], V], first: Any, /, *, at: Hash | None = None
    ) -> AsyncIterator[tuple[Any, V]]: ...
    @overload
    def query_map(
        self, item: StorageMap[K, V], *, at: Hash | None = None
    ) -> AsyncIterator[tuple[K, V]]: ...
    async def query_map(
        self, item: Any, *first: Any, at: Hash | None = None
    ) -> AsyncIterator[tuple[Any, Any]]:
        """The entries of a map, page by page, all of the same block. Raises SdkError."""
        view = self.at(at) if at is not None else await self.at_best()
        async for entry in view.query_map(item, *first):
            yield entry

    def constants(self, pallet: type[Pallet[C]]) -> C:
        """A pallet's configuration on this chain."""
        return self._runtime.pallet(pallet).config  # type: ignore[no-any-return]

    # -- the chain

    async def events_at(self, block: Hash) -> list[EventRecord]:
        """What happened in a block. Raises SdkError."""
        return await self.chain.events(block)

    def best_heads(self, *, latest_only: bool = False) -> AsyncGenerator[Head, None]:
        """Best blocks as they come, the present one first; survives reconnections."""
        return self.chain.heads(is_final=False, latest_only=latest_only)

    def finalized_heads(self, *, latest_only: bool = False) -> AsyncGenerator[Head, None]:
        """Final blocks in order, the present one first; survives reconnections."""
        return self.chain.heads(is_final=True, latest_only=latest_only)

    async def submit(
        self,
        call: bytes,
        key: KeyPair,
        *,
        tip: int = 0,
        era_blocks: int | None = ERA_BLOCKS,
        wait: Wait = Wait.IN_BLOCK,
        on_pool: Callable[[], None] | None = None,
    ) -> Receipt:
        """Sign, submit and wait. `tip` in planck; `era_blocks` None signs for ever.

        `on_pool` is called once the extrinsic is in the node's pool.

        Raises CallFailed with the pallet's error, ExtrinsicRefused, ExtrinsicExpired, SdkError.
        """
        return await self._submitter.submit(
            call, key, tip=tip, era_blocks=era_blocks, wait=wait, on_pool=on_pool
        )

    async def submit_unsigned(self, call: bytes) -> Hash:
        """Hand in a call without a signer, such as those of aliases; the extrinsic's hash.

        It returns once the node's pool has the extrinsic, or one that says the same.

        Raises ExtrinsicRefused, SdkError.
        """
        return await self._submitter.submit_unsigned(call)

    async def rpc(self, method: str, params: Sequence[object] = ()) -> Any:
        """Any other method of the node. Raises SdkError."""
        return await self.transport.call(method, params)

    # -- blobs

    async def put_blob(self, data: bytes, key: KeyPair, *, task: int | None = None) -> ContentId:
        """Upload a blob. With `task`, `key` is an alias's that revealed it there.

        Raises BlobRefused, Disconnected.
        """
        return await self.blobs.put(data, key, task=task)

    async def get_blob(self, digest: bytes, size_max_bytes: int = SIZE_BYTES_MAX) -> bytes:
        """A blob, verified. Raises BlobUnavailable, BlobCorrupt, Disconnected."""
        return await self.blobs.get(digest, size_max_bytes)


class _Identity:
    """Which chain the node is on; the first answer is what later ones must equal."""

    def __init__(self, genesis: Hash | None) -> None:
        self.genesis = genesis
        self.preset: Preset | None = None

    async def check(self, transport: Transport) -> None:
        """Raises WrongChain, SdkError."""
        genesis = hash_from_hex(await transport.check_call("chain_getBlockHash", [0]))
        if self.genesis is not None and genesis != self.genesis:
            raise WrongChain(
                f"{transport.url} is on chain {to_hex(genesis)}, not on {to_hex(self.genesis)}"
            )
        version = await transport.check_call("state_getRuntimeVersion")
        if not isinstance(version, dict):
            raise BadAnswer("state_getRuntimeVersion: no object")
        name, number = version.get("specName"), version.get("specVersion")
        if name != SPEC_NAME or number != SPEC_VERSION:
            raise WrongChain(
                f"{transport.url} runs {name} spec version {number}, this program is for "
                f"{SPEC_NAME} {SPEC_VERSION}: use the release that the chain runs"
            )
        code = await transport.check_call("state_getStorage", [to_hex(CODE_KEY)])
        try:
            self.preset = preset_of(DictState({CODE_KEY: from_hex(code)}))
        except UnknownRuntime as error:
            raise WrongChain(f"{transport.url}: {error}") from error
        self.genesis = genesis


__all__ = ["Block", "Client", "Head", "Receipt", "Wait", "head_of"]
