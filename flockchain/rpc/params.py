"""Parameters of JSON-RPC methods: from JSON to typed values, strictly but as clients send them.

Hex comes with and without 0x; a missing trailing parameter and null are the same. Which parser is
used follows from the annotation of the method's parameter.

Source: Substrate JSON-RPC as its clients speak it; SS58.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NewType, TypeVar, get_args, get_origin

from flockchain.rpc.errors import InvalidParams
from runtime.primitives.ss58 import AddressError, decode_address
from runtime.primitives.types import AccountId, Hash

LIST_LENGTH_MAX: Final = 4_096
_HASH_HEX: Final = re.compile(r"(?:0x)?[0-9a-fA-F]{64}", re.ASCII)
_HEX: Final = re.compile(r"(?:0x)?(?:[0-9a-fA-F]{2})*", re.ASCII)
_INTEGER_MAX: Final = 2**64 - 1

HexBytes = NewType("HexBytes", bytes)  # bytes that came as hex
BlockNumbers = NewType("BlockNumbers", object)  # what chain_getBlockHash takes
JsonItem = NewType("JsonItem", object)  # left to the method

T = TypeVar("T")
Parser = Callable[[Any], Any]


def parse_bytes(value: object) -> HexBytes:
    """Bytes from hex. Raises InvalidParams."""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise InvalidParams(f"expected hex of whole bytes, got {_shown(value)}")
    return HexBytes(bytes.fromhex(value.removeprefix("0x")))


def parse_hash(value: object) -> Hash:
    """A 32-byte hash from hex. Raises InvalidParams."""
    if not isinstance(value, str) or not _HASH_HEX.fullmatch(value):
        raise InvalidParams(f"expected 32 bytes of hex, got {_shown(value)}")
    return Hash(bytes.fromhex(value.removeprefix("0x")))


def parse_int(value: object) -> int:
    """An integer from 0 to 2^64-1. Raises InvalidParams."""
    if type(value) is not int or not 0 <= value <= _INTEGER_MAX:
        raise InvalidParams(f"expected an integer of 64 bits, got {_shown(value)}")
    return value


def parse_text(value: object) -> str:
    """A string. Raises InvalidParams."""
    if not isinstance(value, str):
        raise InvalidParams(f"expected a string, got {_shown(value)}")
    return value


def parse_bool(value: object) -> bool:
    """True or false. Raises InvalidParams."""
    if not isinstance(value, bool):
        raise InvalidParams(f"expected true or false, got {_shown(value)}")
    return value


def parse_account(value: object) -> AccountId:
    """An account from its SS58 address or hex. Raises InvalidParams."""
    if isinstance(value, str) and _HASH_HEX.fullmatch(value):
        return AccountId(bytes.fromhex(value.removeprefix("0x")))
    try:
        account, _ = decode_address(parse_text(value))
    except AddressError as error:
        raise InvalidParams(str(error)) from error
    return account


def parse_number(value: object) -> int:
    """A block number, as an integer or as hex. Raises InvalidParams."""
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]{1,16}", value):
        return int(value, 16)
    return parse_int(value)


def parse_numbers(value: object) -> int | list[int]:
    """One block number or a list of them. Raises InvalidParams."""
    if isinstance(value, list):
        return [parse_number(item) for item in _bounded(value)]
    return parse_number(value)


def _keep(value: object) -> object:
    return value


_PARSERS: Final[dict[object, Parser]] = {
    HexBytes: parse_bytes,
    Hash: parse_hash,
    AccountId: parse_account,
    BlockNumbers: parse_numbers,
    JsonItem: _keep,
    int: parse_int,
    str: parse_text,
    bool: parse_bool,
}


def parser_of(annotation: Any) -> tuple[Parser, bool]:
    """(parser, whether null is taken) of an annotation. Raises KeyError for unknown ones."""
    arguments = get_args(annotation)
    if type(None) in arguments:
        (inner,) = [item for item in arguments if item is not type(None)]
        return parser_of(inner)[0], True
    if get_origin(annotation) is list:
        return _list_parser(parser_of(arguments[0])[0]), False
    return _PARSERS[annotation], False


def _list_parser(parse: Parser) -> Parser:
    def parse_list(value: object) -> list[Any]:
        if not isinstance(value, list):
            raise InvalidParams(f"expected a list, got {_shown(value)}")
        return [parse(item) for item in _bounded(value)]

    return parse_list


def _bounded(items: Sequence[T]) -> Sequence[T]:
    if len(items) > LIST_LENGTH_MAX:
        raise InvalidParams(f"list of {len(items)} items, the most is {LIST_LENGTH_MAX}")
    return items


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
