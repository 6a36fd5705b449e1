"""The state of one block, read by the declared storage items of the runtime's own pallets.

`await view.query(Tasks.tasks, 7)` computes the key and decodes the value with the very codecs of
the state transition. Invariant: all reads of a view are of the same block.

Source: Substrate `state_queryStorageAt`, `state_getKeysPaged`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, overload

from flockchain.rpc.errors import OVERSIZED_RESPONSE
from flockchain.sdk.errors import BadAnswer, NothingStored, RpcFailed
from flockchain.sdk.hex import from_hex, to_hex
from flockchain.sdk.transport import Transport
from flockchain.storage.trie_proof import verify_read_proof
from runtime.frame.runtime_api import method_of
from runtime.frame.storage import StorageDoubleMap, StorageMap, StorageValue
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import Hash

PAGE: Final = 256  # keys of a request
_NO_KEY: Final = object()

K = TypeVar("K")
V = TypeVar("V")
P = ParamSpec("P")


class StateView:
    """Reads at `block`."""

    def __init__(self, transport: Transport, block: Hash) -> None:
        self._transport = transport
        self.block = block

    @overload
    async def query(self, item: StorageValue[V]) -> V: ...
    @overload
    async def query(self, item: StorageMap[K, V], key: K) -> V: ...
    async def query(self, item: Any, key: Any = _NO_KEY) -> Any:
        """The value, or the item's default. Raises NothingStored if there is neither, SdkError."""
        found = await self._find(item, key)
        if found is not None:
            return found
        if item.default is None:
            raise NothingStored(f"{item.name}: nothing is stored{_shown(key)}")
        return item.default

    @overload
    async def find(self, item: StorageValue[V]) -> V | None: ...
    @overload
    async def find(self, item: StorageMap[K, V], key: K) -> V | None: ...
    async def find(self, item: Any, key: Any = _NO_KEY) -> Any:
        """The stored value, or None. Raises SdkError."""
        return await self._find(item, key)

    async def query_many(self, item: StorageMap[K, V], keys: Sequence[K]) -> list[V | None]:
        """The stored values of several keys, None where there is none. Raises SdkError."""
        found: list[V | None] = []
        for start in range(0, len(keys), PAGE):
            paths = [item.path(key) for key in keys[start : start + PAGE]]
            found += [_decode(item, raw) for raw in await self.values(paths)]
        return found

    @overload
    def query_map(
        self, item: StorageDoubleMap[tuple[Any, Any], V], first: Any
    ) -> AsyncIterator[tuple[Any, V]]: ...
    @overload
    def query_map(self, item: StorageMap[K, V]) -> AsyncIterator[tuple[K, V]]: ...
    async def query_map(self, item: Any, first: Any = _NO_KEY) -> AsyncIterator[tuple[Any, Any]]:
        """Every entry, in storage order; of a double map those of `first`, by second key.

        Raises SdkError.
        """
        prefix = item.prefix if first is _NO_KEY else item.prefix_of(first)
        async for paths in self._key_pages(prefix):
            for path, raw in zip(paths, await self.values(paths), strict=True):
                value = _decode(item, raw)
                if value is not None:
                    key = item.key_of(path)
                    yield (key if first is _NO_KEY else key[1]), value

    async def pages(self, prefix: bytes = b"") -> AsyncIterator[list[tuple[bytes, bytes]]]:
        """Every storage key with a prefix and its value, in key order, page by page.

        Raises SdkError.
        """
        async for paths in self._key_pages(prefix):
            values = await self._values_in_parts(paths)
            if None in values:
                raise BadAnswer("state_queryStorageAt: a key that the node listed has no value")
            yield [(path, raw) for path, raw in zip(paths, values, strict=True) if raw is not None]

    async def _values_in_parts(self, paths: list[bytes]) -> list[bytes | None]:
        """As `values`; halved as often as the answer is too large for the node to send."""
        try:
            return await self.values(paths)
        except RpcFailed as error:
            if error.code != OVERSIZED_RESPONSE or len(paths) == 1:
                raise
        middle = len(paths) // 2
        first = await self._values_in_parts(paths[:middle])
        return first + await self._values_in_parts(paths[middle:])

    async def proven(self, root: Hash, paths: Sequence[bytes]) -> dict[bytes, bytes | None]:
        """The raw values of storage keys, as the node proves them under a state root.

        Raises ProofError, SdkError.
        """
        keys = [to_hex(path) for path in paths]
        answer = await self._transport.call("state_getReadProof", [keys, to_hex(self.block)])
        if not isinstance(answer, dict) or not isinstance(answer.get("proof"), list):
            raise BadAnswer("state_getReadProof: no proof")
        return verify_read_proof(root, [from_hex(node) for node in answer["proof"]], paths)

    async def ask(
        self, function: Callable[Concatenate[Any, P], V], *arguments: P.args, **none: P.kwargs
    ) -> V:
        """What a runtime API says: `view.ask(ArenaApi.to_score, 7, 3, who)`. Raises SdkError."""
        assert not none, "arguments go by their order, as on the wire"
        name, method = method_of(function)
        question = to_hex(method.arguments_codec.encode(arguments))
        raw = await self._transport.call("state_call", [name, question, to_hex(self.block)])
        try:
            answer: V = method.output_codec.decode_all(from_hex(raw))
        except DecodeError as error:
            raise BadAnswer(f"{name}: the answer does not decode: {error}") from error
        return answer

    async def values(self, paths: Sequence[bytes]) -> list[bytes | None]:
        """The raw values of storage keys, in their order. Raises SdkError."""
        answer = await self._transport.call(
            "state_queryStorageAt", [[to_hex(path) for path in paths], to_hex(self.block)]
        )
        try:
            changes = answer[0]["changes"] if paths else []
            found = {from_hex(key): value for key, value in changes}
            raw = [found[path] for path in paths]
        except (LookupError, TypeError, ValueError) as error:
            raise BadAnswer("state_queryStorageAt: not one change for each key") from error
        return [None if value is None else from_hex(value) for value in raw]

    async def _find(self, item: Any, key: Any) -> Any:
        path = item.path() if key is _NO_KEY else item.path(key)
        return _decode(item, (await self.values([path]))[0])

    async def _key_pages(self, prefix: bytes) -> AsyncIterator[list[bytes]]:
        after = prefix
        while True:
            answer = await self._transport.call(
                "state_getKeysPaged", [to_hex(prefix), PAGE, to_hex(after), to_hex(self.block)]
            )
            if not isinstance(answer, list):
                raise BadAnswer("state_getKeysPaged: no list")
            paths = [from_hex(key) for key in answer]
            if paths:
                yield paths
            if len(paths) < PAGE:
                return
            if paths[-1] <= after:
                raise BadAnswer("state_getKeysPaged: the keys do not advance")
            after = paths[-1]


def _decode(item: Any, raw: bytes | None) -> Any:
    if raw is None:
        return None
    try:
        return item.value_codec.decode_all(raw)
    except DecodeError as error:
        raise BadAnswer(f"{item.name}: the stored bytes do not decode: {error}") from error


def _shown(key: Any) -> str:
    return "" if key is _NO_KEY else f" under {key!r}"
