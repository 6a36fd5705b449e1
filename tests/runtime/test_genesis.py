"""Block 0: what the configuration says and nothing that breaks a rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.api import grandpa_authorities, preset_of, runtime_at
from runtime.constants import DEVNET
from runtime.frame.externalities import DictState
from runtime.genesis import build_genesis
from runtime.version import CODE_KEY, UnknownRuntime, code_stub
from tests.runtime.block_chain import ALICE, AUTHOR, RICH, genesis_config


def test_the_state_holds_what_the_configuration_says() -> None:
    state = DictState(build_genesis(genesis_config()))
    runtime = runtime_at(state)
    assert preset_of(state) is DEVNET
    assert runtime.balances.free(ALICE.account) == RICH
    assert runtime.balances.issuance() == runtime.balances.genesis_issuance.get() == 3 * RICH
    assert [item.account for item in runtime.babe.authorities.get()] == [AUTHOR.account]
    set_id, voters = grandpa_authorities(state)
    assert (set_id, [voter.key for voter in voters]) == (0, [AUTHOR.account])
    assert state.get(b":extrinsic_index") == bytes(4)
    runtime.try_state()


def test_the_same_configuration_gives_the_same_bytes() -> None:
    config = genesis_config()
    backwards = replace(config, balances=dict(reversed(list(config.balances.items()))))
    assert build_genesis(config) == build_genesis(backwards)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": "moon"}, "preset: 'moon' is none of devnet, mainnet"),
        ({"authorities": []}, "babe: no authorities"),
        ({"grandpa": []}, "grandpa: no authorities"),
        (
            {"balances": {ALICE.account: 1}},
            f"balances: 0x{ALICE.account.hex()} has 1 planck, the existential deposit is 10",
        ),
    ],
)
def test_a_broken_rule_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        build_genesis(replace(genesis_config(), **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (None, "the state has no flockchain runtime in :code; check the chain spec"),
        (
            b"\0asm\1\0\0\0wasm",
            "the state has no flockchain runtime in :code; check the chain spec",
        ),
        (b"\0asm\1\0\0\0flockchain-x-devnet", "malformed runtime name 'flockchain-x-devnet'"),
        (b"\0asm\1\0\0\0flockchain-1", "malformed runtime name 'flockchain-1' in :code"),
        (code_stub("moon"), "unknown preset 'moon', known are devnet, mainnet"),
        (
            code_stub("devnet", 99),
            "the chain runs spec version 99, this release has 1: "
            "install the release that governance scheduled",
        ),
    ],
)
def test_a_state_of_another_release_is_not_run(code: bytes | None, message: str) -> None:
    with pytest.raises(UnknownRuntime) as caught:
        preset_of(DictState({} if code is None else {CODE_KEY: code}))
    assert str(caught.value).startswith(message)
