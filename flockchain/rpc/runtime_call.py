"""Runtime APIs as RPC reaches them: one function, metadata generated once for each `:code`.

Source: Substrate `state_call`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from flockchain.rpc.errors import ExecutionFailed
from runtime.frame.externalities import DictState, StateReader
from runtime.frame.runtime_api import UnknownApiMethod
from runtime.primitives.scale import ScaleError
from runtime.primitives.types import ZERO_HASH, Hash
from runtime.runtime_apis import call_runtime
from runtime.version import CODE_KEY, UnknownRuntime

_CONSTANT_APIS: Final = ("Core_version", "Metadata_")  # they depend on `:code` alone
_CONSTANT_ARGUMENT_BYTES_MAX: Final = 4


def runtime_call(
    state_reader: StateReader, block_hash: Hash, block_number: int, method: str, data: bytes
) -> bytes:
    """Run a runtime API on the state at the end of a block. Raises ExecutionFailed."""
    code = state_reader.get(CODE_KEY) or b""
    try:
        if method.startswith(_CONSTANT_APIS) and len(data) <= _CONSTANT_ARGUMENT_BYTES_MAX:
            return _call_constant(code, method, data)
        return call_runtime(state_reader, block_hash, block_number, method, data)
    except UnknownApiMethod as error:
        raise ExecutionFailed(str(error)) from error
    except ScaleError as error:
        raise ExecutionFailed(f"Bad input data provided to {method}: {error}") from error
    except UnknownRuntime as error:
        raise ExecutionFailed(str(error)) from error


@lru_cache(maxsize=32)
def _call_constant(code: bytes, method: str, data: bytes) -> bytes:
    """A method whose answer no other key of the state can change."""
    return call_runtime(DictState({CODE_KEY: code}), ZERO_HASH, 0, method, data)
