"""How talking to a node fails, one class a reason.

Invariant: every error of this package is an `SdkError`; those that another attempt may cure are
`Disconnected`.

Source: JSON-RPC 2.0, section 5.1; Substrate `author_submitAndWatchExtrinsic`.
"""

from __future__ import annotations

from runtime.frame.call import installed_pallets
from runtime.frame.dispatch_error import (
    ArithmeticValue,
    DispatchErrorValue,
    ModuleErrorValue,
    ModuleValue,
    TokenValue,
)


class SdkError(Exception):
    """The node could not be asked, or what was asked cannot be had."""


class Disconnected(SdkError):
    """The connection to the node is gone or was never made; it is being made anew."""


class WrongChain(SdkError):
    """The node runs another chain, or another version of it, than this client is for."""


class RpcFailed(SdkError):
    """The node answered with an error; `code` is JSON-RPC's, `data` explains further."""

    def __init__(self, method: str, code: int, message: str, data: str | None) -> None:
        super().__init__(f"{method}: {message}{f' ({data})' if data else ''} [{code}]")
        self.code = code
        self.message = message
        self.data = data


class BadAnswer(SdkError):
    """The node's answer does not have the form of the method's results."""


class NothingStored(SdkError):
    """There is no value under the key, and none by default."""


class ExtrinsicRefused(SdkError):
    """The extrinsic was not taken into the pool, or left it without being in a block."""


class ExtrinsicExpired(SdkError):
    """The extrinsic's era is over and it is in no block: it never will be."""


class CallFailed(SdkError):
    """The extrinsic is in a block and its call failed; the fee is kept, nothing else was done.

    `pallet` and `name` identify the error; `docs` says why and how to avoid it.
    """

    def __init__(self, error: DispatchErrorValue) -> None:
        self.error = error
        self.pallet, self.name, self.docs = _describe(error)
        where = f"{self.pallet}.{self.name}" if self.pallet else self.name
        super().__init__(f"{where}: {self.docs}" if self.docs else where)


class BlobUnavailable(SdkError):
    """The node has no such blob and could not get it."""


class BlobTooLarge(SdkError):
    """The blob has more bytes than the caller takes."""


class BlobCorrupt(SdkError):
    """The bytes that came do not have the content id that was asked for."""


class BlobRefused(SdkError):
    """The node did not take an upload."""


def _describe(error: DispatchErrorValue) -> tuple[str, str, str]:
    """(pallet, name, documentation) of a dispatch error."""
    if isinstance(error, ModuleValue):
        return _describe_module(error.error)
    if isinstance(error, TokenValue | ArithmeticValue):
        return "", f"{type(error).__scale_name__}.{error.kind.name}", ""
    return "", type(error).__scale_name__, " ".join((type(error).__doc__ or "").split())


def _describe_module(error: ModuleErrorValue) -> tuple[str, str, str]:
    for pallet in installed_pallets():
        if pallet.pallet_index == error.index:
            kind = pallet.error_types.get(error.error[0])
            if kind is not None:
                return pallet.__name__, kind.__name__, " ".join((kind.__doc__ or "").split())
            return pallet.__name__, f"error {error.error[0]}", ""
    return f"pallet {error.index}", f"error {error.error[0]}", ""
