"""Roles of a round that a stranger draws again from proven values, and forgeries of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import Result

from flockchain.cli import model
from flockchain.economics.role_proof import (
    RolePage,
    RolesForged,
    check_roles,
    read_page,
)
from flockchain.sdk.errors import BadAnswer
from flockchain.sdk.hex import hash_from_hex
from flockchain.storage.errors import ProofError
from runtime.constants import DEVNET
from runtime.pallets.fl_alliance.records import RoundKey
from runtime.pallets.fl_alliance.stages import Stage
from runtime.primitives.types import Hash
from tests.flockchain.cli.test_chain_commands import RUNNER
from tests.flockchain.rpc.dev_node import build, dev_node
from tests.flockchain.rpc.rpc_client import call
from tests.runtime.pallets.fl_alliance.alliance_world import Alliance, new_alliance
from tests.runtime.pallets.world import GENESIS, account
from tests.runtime.played_state import top_of


def played(*, forge: bool = False) -> Alliance:
    """A round of six candidates, five of whom posted proofs; roles are drawn."""
    found = new_alliance(*"abcdef")
    found.check_in(*"abcde")
    found.go_to(Stage.PROPOSE)
    if forge:
        key = RoundKey(1, 0)
        drawn = found.pallet.rounds.get(key)
        swapped = replace(drawn, proposers=drawn.voters[:1], voters=[*drawn.proposers])
        found.pallet.rounds.put(key, swapped)
    return found


def ask(made: Alliance) -> tuple[dict[str, Any], Result]:
    """The node's answer, and what the command makes of it."""

    async def run() -> tuple[dict[str, Any], Result]:
        async with dev_node(made=build(top_of(made.world))) as node:
            answer = await call(node.http_url, "flock_roleProof", 1, 0)
            url = node.http_url.replace("http", "ws")
            words = ["roles", "1", "0", "--json", "--rpc", url]
            return answer, await asyncio.to_thread(RUNNER.invoke, model.app, words)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def fair() -> tuple[Alliance, dict[str, Any], Result]:
    made = played()
    return made, *ask(made)


def check(page: RolePage, answer: dict[str, Any], **changes: Any) -> Any:
    given = {"genesis": GENESIS, "round_": 0, **changes}
    root = hash_from_hex(answer["stateRoot"])
    return check_roles([page], root, given["genesis"], DEVNET, 1, given["round_"])


def test_the_roles_of_the_chain_are_drawn_again(
    fair: tuple[Alliance, dict[str, Any], Result],
) -> None:
    made, answer, _ = fair
    found = check(read_page(answer), answer)
    drawn = made.pallet.rounds.get(RoundKey(1, 0))
    assert (list(found.proposers), list(found.voters)) == (drawn.proposers, drawn.voters)
    assert (found.checked, found.absent) == (5, 1)
    assert account("f") not in found.voters


def test_what_is_forged_or_left_out_is_refused(
    fair: tuple[Alliance, dict[str, Any], Result],
) -> None:
    _, answer, _ = fair
    page = read_page(answer)
    with pytest.raises(RolesForged, match=r"^the certificate is of another chain$"):
        check(page, answer, genesis=Hash(b"x" * 32))
    with pytest.raises(ProofError):
        check(replace(page, proof=page.proof[1:]), answer)
    with pytest.raises(ProofError, match=r"^key 0x[0-9a-f]+ is not proven$"):
        check(page, answer, round_=7)
    with pytest.raises(ProofError, match=r"^the pages do not reach the last member$"):
        check_roles([], Hash(bytes(32)), GENESIS, DEVNET, 1, 0)
    with pytest.raises(BadAnswer, match=r"^flock_roleProof: not a certificate with proofs$"):
        read_page({"block": answer["block"]})


def test_a_chain_that_seats_others_is_found_out() -> None:
    answer, result = ask(played(forge=True))
    with pytest.raises(RolesForged, match=r"^the chain's roles are not those that the VRF out"):
        check(read_page(answer), answer)
    assert result.exit_code == 1


def test_roles_that_are_not_drawn_yet_are_said_to_be() -> None:
    made = new_alliance(*"abcdef")
    made.check_in(*"abcde")
    answer, result = ask(made)
    with pytest.raises(RolesForged, match=r"^the round's roles are not drawn yet, or nobody"):
        check(read_page(answer), answer)
    assert "the roles of round 0 do not hold" in result.stderr
