"""Calls as people write them: `balances.transfer_keep_alive dest=//Bob value="1 FML"`.

Owns the way from words to any call of the runtime and back, by the types of its parameters:
accounts are addresses, amounts have a unit, shares are percent, bytes are 0x hexadecimal or CID
text, cases of a union their names, lists and records JSON, and calls within calls such texts again.
Invariant: what is sent is what `call_facts` shows.
Source: WP II.B (everyone may take part with a small program); Substrate's `RuntimeCall`.
"""

from __future__ import annotations

import enum
import json
import shlex
from collections.abc import Sequence
from typing import Any, Final

import typer

from flockchain.cli.chain_access import read_account
from flockchain.rpc.typed_json import to_json
from flockchain.sdk import AmountError, parse_amount
from runtime.frame.call import RUNTIME_CALL, RuntimeCall, installed_pallets
from runtime.frame.naming import snake_case
from runtime.frame.pallet import CallEntry, Pallet
from runtime.primitives.content_id import ContentIdError, parse_cid_text
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Id, MultiAddress
from runtime.primitives.per_things import Perbill
from runtime.primitives.rational import Rational, RationalError
from runtime.primitives.scale import ScaleError
from runtime.primitives.scale import shape as kind
from runtime.primitives.scale.declare import shape_of
from runtime.primitives.types import AccountId

_ACCOUNT: Final = shape_of(AccountId)
_ADDRESS: Final = shape_of(MultiAddress)
_RATIONAL: Final = shape_of(Rational)
_CALL: Final = shape_of(RuntimeCall)
_PERBILL: Final = shape_of(Perbill)
_AMOUNT_TYPE: Final = "Balance"
_NONE: Final = "none"
_PARTS_A_PERCENT: Final = 10**7
_TEXT_MAX: Final = 1 << 20
_VALUE_SHOWN_MAX: Final = 60


class CallTextError(ValueError):
    """Text that is no call; the message says what is missing or wrong."""


def read_call(text: str) -> RuntimeCall:
    """The call of one text, as given on a command line; wrong usage otherwise."""
    try:
        return parse_call(text)
    except CallTextError as error:
        raise typer.BadParameter(str(error), param_hint="CALL") from None


def parse_call(text: str) -> RuntimeCall:
    """The call of a text, or of its bytes as 0x hexadecimal. Raises CallTextError."""
    if len(text) > _TEXT_MAX:
        raise CallTextError(f"a call has at most {_TEXT_MAX} characters")
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise CallTextError(f"{_shown(text)}: {error}") from None
    if len(words) == 1 and words[0].startswith("0x"):
        return _decoded(words[0])
    return call_of_words(words)


def call_of_words(words: Sequence[str]) -> RuntimeCall:
    """The call of a name and `parameter=value` in any order. Raises CallTextError."""
    if not words:
        raise CallTextError("name a call, as balances.transfer_keep_alive")
    entry = find_entry(words[0])
    given: dict[str, str] = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier() or name in given:
            raise CallTextError(f"{_shown(word)} is not as name=value, or there twice")
        given[name] = value
    names = [name for name, _ in entry.parameters]
    if set(given) != set(names):
        raise CallTextError(f"{name_of(entry)} takes {' '.join(names) or 'nothing'}")
    call = RuntimeCall(
        entry, tuple(_of_word(shape_of(tp), given[name], name) for name, tp in entry.parameters)
    )
    return _decoded("0x" + _encoded(call).hex())


def encode(call: RuntimeCall) -> bytes:
    """The bytes that are signed and sent."""
    return RUNTIME_CALL.encode(call)


def call_hash(call: RuntimeCall) -> bytes:
    """The blake2b-256 by which `proxy` and `multisig` name a call."""
    return blake2b_256(encode(call))


def find_entry(name: str) -> CallEntry:
    """A call by the name of its pallet and its own. Raises CallTextError."""
    pallet_name, dot, call_name = name.replace("-", "_").partition(".")
    wanted = pallet_name.replace("_", "").lower()
    pallets = {each.__name__.lower(): each for each in installed_pallets() if each.calls}
    pallet = pallets.get(wanted)
    if pallet is None or not dot:
        raise CallTextError(f"{_shown(name)}: name a call of {', '.join(sorted(pallets))}")
    for entry in pallet.calls.values():
        if entry.name == call_name:
            return entry
    known = ", ".join(entry.name for entry in pallet.calls.values())
    raise CallTextError(f"{_shown(name)}: {pallet_title(pallet)} has {known}")


def pallet_title(pallet: type[Pallet[Any]]) -> str:
    """A pallet as it stands in a call's name."""
    return snake_case(pallet.__name__)


def name_of(entry: CallEntry) -> str:
    """A call's name, with its pallet."""
    return f"{pallet_title(entry.pallet)}.{entry.name}"


def call_facts(call: RuntimeCall) -> dict[str, object]:
    """A call as JSON: its name and its arguments, calls within it too."""
    pairs = zip(call.entry.parameters, call.arguments, strict=True)
    arguments = {name: _facts(tp, value) for (name, tp), value in pairs}
    return {"call": name_of(call.entry), "arguments": arguments}


def _facts(tp: Any, value: object) -> object:
    if isinstance(value, RuntimeCall):
        return call_facts(value)
    if isinstance(value, list) and value and isinstance(value[0], RuntimeCall):
        return [call_facts(each) for each in value]
    return to_json(tp, value)


def _encoded(call: RuntimeCall) -> bytes:
    try:
        return encode(call)
    except ScaleError as error:
        raise CallTextError(f"{name_of(call.entry)}: {error}") from None


def _decoded(text: str) -> RuntimeCall:
    """Decoded again, so that what no node would take is refused here."""
    try:
        return RUNTIME_CALL.decode_all(bytes.fromhex(text[2:]))
    except (ValueError, ScaleError) as error:
        raise CallTextError(f"{_shown(text)}: no call of this chain ({error})") from None


def _of_word(shape: kind.Shape, word: str, name: str) -> Any:
    """A value of the command line: JSON where one word cannot say it."""
    if word == _NONE and isinstance(shape, kind.Option):
        return None
    inner = shape.inner if isinstance(shape, kind.Option) else shape
    match inner:
        case kind.Sequence(raw=False) | kind.Array(raw=False) if not word.startswith("["):
            return _value(inner, [each for each in word.split(",") if each], name)
        case kind.Sequence(raw=False) | kind.Array(raw=False) | kind.TupleShape():
            return _value(inner, _json(word, name), name)
        case kind.Composite() if inner is not _RATIONAL and inner is not _PERBILL:
            return _value(inner, _json(word, name), name)
        case kind.VariantShape() if word.startswith("{"):
            return _value(inner, _json(word, name), name)
        case _:
            return _value(inner, word, name)


def _json(word: str, name: str) -> object:
    try:
        return json.loads(word)
    except (ValueError, RecursionError):
        raise CallTextError(f"{name}: {_shown(word)} is no JSON") from None


def _value(shape: kind.Shape, given: Any, name: str) -> Any:
    """A value of JSON or of a word. Raises CallTextError."""
    try:
        return _of_shape(shape, given, name)
    except (AmountError, ContentIdError, RationalError, ValueError, TypeError, KeyError) as error:
        if isinstance(error, CallTextError):
            raise
        raise CallTextError(f"{name}: {_shown(given)} is no value of it ({error})") from None


def _of_shape(shape: kind.Shape, given: Any, name: str) -> Any:
    if shape is _ACCOUNT:
        return read_account(given)
    if shape is _ADDRESS:
        return Id(read_account(given))
    if shape is _RATIONAL:
        return Rational.parse(given)
    if shape is _CALL:
        return parse_call(given)
    if shape is _PERBILL:
        return _perbill(given)
    match shape:
        case kind.Primitive() | kind.CompactShape():
            return _scalar(shape, given)
        case kind.Wrapper(inner=inner):
            return _value(inner, given, name)
        case kind.Option(inner=inner):
            return None if given is None else _value(inner, given, name)
        case kind.Sequence(raw=True) | kind.Array(raw=True):
            return bytes.fromhex(given[2:]) if given.startswith("0x") else parse_cid_text(given)
        case kind.Sequence(item=item) | kind.Array(item=item):
            return [_value(item, each, name) for each in _listed(given)]
        case kind.TupleShape(items=items):
            pairs = zip(items, _listed(given), strict=True)
            return tuple(_value(item, each, name) for item, each in pairs)
        case kind.Composite():
            return shape.build(*_members(shape.fields, given, name))
        case kind.VariantShape():
            return _case(shape, given, name)
        case _:
            raise CallTextError(f"{name} cannot be written as text: give the call as 0x bytes")


def _scalar(shape: kind.Primitive | kind.CompactShape, given: Any) -> Any:
    inner = shape.inner if isinstance(shape, kind.CompactShape) else shape
    types = (shape.type_name, getattr(inner, "type_name", None))
    if _AMOUNT_TYPE in types and isinstance(given, str):
        return parse_amount(given)
    assert isinstance(inner, kind.Primitive), "compact units are no parameters"
    if inner.name == "bool":
        return {"true": True, "false": False, True: True, False: False}[given]
    if inner.name == "str":
        return str(given)
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise TypeError("a whole number is needed")
    return int(given.replace("_", "")) if isinstance(given, str) else given


def _perbill(given: Any) -> Perbill:
    """Of 2.5% exactly."""
    share = Rational.parse(str(given).removesuffix("%"))
    parts, rest = divmod(share.numerator * _PARTS_A_PERCENT, share.denominator)
    if rest or not str(given).endswith("%"):
        raise ValueError("percent are needed, with at most seven decimals")
    return Perbill(parts)


def _listed(given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise TypeError("a list is needed")
    return given


def _members(fields: tuple[kind.Field, ...], given: Any, name: str) -> list[Any]:
    names = [field.attribute or field.name or "" for field in fields]
    if not isinstance(given, dict) or set(given) != set(names):
        raise CallTextError(f"{name} is a record of {', '.join(names)}")
    return [
        _value(field.shape, given[each], f"{name}.{each}")
        for field, each in zip(fields, names, strict=True)
    ]


def _case(shape: kind.VariantShape, given: Any, name: str) -> Any:
    """A case by its name; what it holds is the value of an object with that one key."""
    chosen, content = next(iter(given.items())) if isinstance(given, dict) else (given, None)
    cases = {_flat(case.name): case for case in shape.cases}
    case = cases.get(_flat(chosen))
    if case is None:
        known = ", ".join(each.name for each in shape.cases)
        raise CallTextError(f"{name}: {_shown(chosen)} is none of {known}")
    if case.single or isinstance(case.build, enum.Enum):
        return case.build
    if len(case.fields) == 1 and case.fields[0].name is None:
        return case.build(_value(case.fields[0].shape, content, name))
    return case.build(*_members(case.fields, content or {}, name))


def _flat(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _VALUE_SHOWN_MAX else text[:_VALUE_SHOWN_MAX] + "..."
