"""Calls from words and back, for every kind of parameter that the chain's calls have."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
import typer

from flockchain.cli.call_text import (
    CallTextError,
    call_facts,
    call_hash,
    call_of_words,
    encode,
    find_entry,
    name_of,
    parse_call,
    read_call,
)
from flockchain.keys import key_pair_from_uri
from runtime.frame.call import installed_pallets
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.pallets.multisig import Multisig
from runtime.pallets.multisig.records import Timepoint
from runtime.pallets.proxy import Proxy
from runtime.pallets.proxy.records import ProxyType
from runtime.pallets.staking import Staking, ValidatorPrefs
from runtime.pallets.system import System
from runtime.pallets.utility import Utility
from runtime.primitives.content_id import cid_text
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Id
from runtime.primitives.per_things import Perbill
from runtime.primitives.types import FML
from tests.runtime.block_chain import call_of

BOB = key_pair_from_uri("//Bob", "sr25519").account
CHARLIE = key_pair_from_uri("//Charlie", "sr25519").account
TRANSFER = "balances.transfer_keep_alive dest=//Bob value='1.5 FML'"
SENT = call_of(Balances.transfer_keep_alive, Id(BOB), FML + FML // 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TRANSFER, encode(SENT)),
        (f"0x{encode(SENT).hex()}", encode(SENT)),
        ("Balances.transfer-keep-alive value=1500000000000000000planck dest=//Bob", encode(SENT)),
        ("system.remark remark=0x0102", encode_call(System.remark, b"\x01\x02")),
        ("staking.chill", encode_call(Staking.chill)),
        ("staking.nominate targets=//Bob,//Charlie", encode_call(Staking.nominate, [BOB, CHARLIE])),
        ("staking.nominate targets='[\"//Bob\"]'", encode_call(Staking.nominate, [BOB])),
        (
            'staking.validate prefs=\'{"commission": "2.5%"}\'',
            encode_call(Staking.validate, ValidatorPrefs(Perbill(25_000_000))),
        ),
        (
            "proxy.add_proxy delegate=//Bob proxy_type=non-transfer delay=1_000",
            encode_call(Proxy.add_proxy, Id(BOB), ProxyType.NonTransfer, 1_000),
        ),
        (
            f"proxy.proxy real=//Bob force_proxy_type=none call={shlex.quote(TRANSFER)}",
            encode_call(Proxy.proxy, Id(BOB), None, SENT),
        ),
        (
            f"proxy.proxy real=//Bob force_proxy_type=Staking call={shlex.quote(TRANSFER)}",
            encode_call(Proxy.proxy, Id(BOB), ProxyType.Staking, SENT),
        ),
        (
            f"utility.batch_all calls={shlex.quote(json.dumps([TRANSFER, 'staking.chill']))}",
            encode_call(Utility.batch_all, [SENT, call_of(Staking.chill)]),
        ),
        (
            "multisig.cancel_as_multi threshold=2 other_signatories=//Bob "
            'timepoint=\'{"height": 7, "index": 1}\' call_hash=0x' + "ab" * 32,
            encode_call(Multisig.cancel_as_multi, 2, [BOB], Timepoint(7, 1), b"\xab" * 32),
        ),
    ],
)
def test_words_say_what_the_bytes_say(text: str, expected: bytes) -> None:
    assert encode(parse_call(text)) == expected


def test_content_is_named_by_its_id() -> None:
    digest = blake2b_256(b"model")
    text = f"system.remark remark={cid_text(digest)}"
    assert encode(parse_call(text)) == encode_call(System.remark, digest)


def test_every_call_of_the_chain_is_found_by_its_name() -> None:
    """And each of them says what it takes."""
    for pallet in installed_pallets():
        for entry in pallet.calls.values():
            assert find_entry(name_of(entry)) is entry
            if entry.parameters:
                with pytest.raises(CallTextError, match=f"{entry.name} takes "):
                    call_of_words([name_of(entry)])


def test_a_call_is_shown_as_it_is() -> None:
    inner = call_of(Utility.batch_all, [SENT, call_of(System.remark, b"x")])
    shown: Any = call_facts(call_of(Proxy.proxy, Id(BOB), ProxyType.Any, inner))
    assert shown["call"] == "proxy.proxy"
    assert shown["arguments"]["force_proxy_type"] == "any"
    first, second = shown["arguments"]["call"]["arguments"]["calls"]
    assert first["arguments"]["value"] == str(FML + FML // 2)
    assert second == {"call": "system.remark", "arguments": {"remark": "0x78"}}
    assert call_hash(SENT) == blake2b_256(encode(SENT))
    assert name_of(SENT.entry) == "balances.transfer_keep_alive"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "name a call, as balances.transfer_keep_alive"),
        ("balances", "'balances': name a call of arena,"),
        ("nothing.at_all", "'nothing.at_all': name a call of arena,"),
        ("staking.dance", "'staking.dance': staking has bond,"),
        ("staking.bond", "staking.bond takes value"),
        ("staking.bond value=1 value=2", "'value=2' is not as name=value, or there twice"),
        ("staking.bond 5", "'5' is not as name=value, or there twice"),
        ("staking.bond value=much", "value: 'much' is no value of it"),
        ("staking.validate prefs=5", "prefs is a record of commission"),
        ("staking.validate prefs='{\"commission\": 5}'", "percent are needed"),
        ("staking.validate prefs={", "prefs: '{' is no JSON"),
        ("system.remark remark=0x0", "remark: '0x0' is no value of it"),
        ("proxy.add_proxy delegate=//Bob proxy_type=King delay=0", "proxy_type: 'King' is none of"),
        ("proxy.add_proxy delegate=//Bob proxy_type=Any delay=-1", "proxy.add_proxy: "),
        ("0xffff", "'0xffff': no call of this chain"),
        ("staking.bond 'value=1", "No closing quotation"),
    ],
)
def test_what_is_no_call_is_named(text: str, message: str) -> None:
    with pytest.raises(CallTextError) as refused:
        parse_call(text)
    assert message in str(refused.value)
    with pytest.raises(typer.BadParameter):
        read_call(text)


def test_calls_in_calls_are_bounded() -> None:
    text = "system.remark remark=0x"
    for _ in range(8):
        text = f"utility.as_derivative index=0 call={shlex.quote(text)}"
    with pytest.raises(CallTextError, match="calls nested deeper than 8"):
        parse_call(text)
    with pytest.raises(CallTextError, match="a call has at most"):
        parse_call("x" * (1 << 20) + "y")
