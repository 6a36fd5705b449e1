"""The Python client of a node: what workers, the command line and users' programs share.

`async with await Client.connect("ws://127.0.0.1:9944") as client:` is where to begin; scripts use
`BlockingClient`.

Source: WP II.A; Substrate JSON-RPC.
"""

from flockchain.sdk.amounts import AmountError, format_amount, parse_amount
from flockchain.sdk.blocking import BlockingClient
from flockchain.sdk.chain_reader import Block, Head
from flockchain.sdk.client import Client
from flockchain.sdk.errors import (
    BadAnswer,
    BlobCorrupt,
    BlobRefused,
    BlobTooLarge,
    BlobUnavailable,
    CallFailed,
    Disconnected,
    ExtrinsicExpired,
    ExtrinsicRefused,
    NothingStored,
    RpcFailed,
    SdkError,
    WrongChain,
)
from flockchain.sdk.state_view import StateView
from flockchain.sdk.submission import Receipt, Wait

__all__ = [
    "AmountError",
    "BadAnswer",
    "BlobCorrupt",
    "BlobRefused",
    "BlobTooLarge",
    "BlobUnavailable",
    "Block",
    "BlockingClient",
    "CallFailed",
    "Client",
    "Disconnected",
    "ExtrinsicExpired",
    "ExtrinsicRefused",
    "Head",
    "NothingStored",
    "Receipt",
    "RpcFailed",
    "SdkError",
    "StateView",
    "Wait",
    "WrongChain",
    "format_amount",
    "parse_amount",
]
