"""`flockchain economics explain`: why an account was paid what it was paid, proven and recomputed.

Owns the question to the node and the drawing of the tree. The node is believed in nothing but the
header of the block: values are proven under its state root and every amount is computed here.
Source: WP V.D to V.I; Substrate `state_getReadProof`.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    JsonFlag,
    RpcFlag,
    open_client,
    print_json,
    read_account,
)
from flockchain.cli.refusal import refuse
from flockchain.economics.derivation.terms import ExplainError, Term, Unit
from flockchain.economics.proven import Explanation, read_explanation, rebuild
from flockchain.sdk import BlockingClient, format_amount
from flockchain.sdk.errors import BadAnswer
from flockchain.storage.errors import ProofError
from runtime.primitives.header import Header
from runtime.primitives.types import AccountId, Hash

PIPED_COLUMNS: Final = 200
_SHARE_DIGITS: Final = 12


def explain_reward(
    account: Annotated[str, typer.Argument(help="SS58 address, 0x hex, or //Name in development.")],
    task: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The task's number.")],
    day: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The chain's day.")],
    rpc: RpcFlag = DEFAULT_RPC,
    as_json: JsonFlag = False,
) -> None:
    """Show how a payout of a task's day follows from the state, formula by formula.

    The node's proofs are verified against the state root of the day's settlement, and every amount
    is computed again from the proven values.
    """
    who = read_account(account)
    with open_client(rpc) as client:
        answer = client.run(client.client.rpc("flock_explainReward", [task, day, _hex(who), True]))
        given = read_explanation(answer)
        headers = {block: _header(client, block) for block in given.proofs}
    tree = _rebuild(given, headers, task, day, who)
    number = headers[given.block].number
    root = headers[given.block].state_root
    keys = sum(len(found) for found in tree.keys_by_block().values())
    if as_json:
        proven = {"block": _hex(given.block), "number": number, "stateRoot": _hex(root)}
        print_json({**proven, "keysProven": keys, "tree": tree.as_document()})
        return
    _console().print(draw(tree))
    print(f"{keys} storage keys proven under state root {_hex(root)} of block #{number}")


def _rebuild(
    given: Explanation, headers: dict[Hash, Header], task: int, day: int, who: AccountId
) -> Term:
    try:
        return rebuild(given, headers, task, day, who)
    except (ProofError, ExplainError) as error:
        refuse(f"the node's explanation does not hold: {error}")


def _header(client: BlockingClient, block: Hash) -> Header:
    header = client.run(client.client.chain.header(block))
    if header is None:
        raise BadAnswer(f"the node does not know block {_hex(block)} that it explains by")
    return header


def draw(term: Term) -> Tree:
    """The tree as a terminal shows it: result, formula with its numbers, storage items."""
    tree = Tree(_label(term))
    _grow(tree, term)
    return tree


def _grow(branch: Tree, term: Term) -> None:
    for part in term.parts:
        _grow(branch.add(_label(part)), part)


def _label(term: Term) -> Text:
    label = Text.assemble((term.name, "bold"), " = ", (_shown(term), "green"))
    label.append(f"\n{term.formula}  [{term.source}]", "dim")
    if term.inputs:
        label.append("\n" + ", ".join(f"{name} = {value}" for name, value in term.inputs.items()))
    if term.reads:
        items = ", ".join(dict.fromkeys(read.item for read in term.reads))
        label.append(f"\nread from {items}", "dim")
    if term.note:
        label.append(f"\n{term.note}", "yellow")
    return label


def _shown(term: Term) -> str:
    """The result for people; the exact one is in the JSON document."""
    if term.unit is Unit.PLANCK:
        return f"{format_amount(int(term.result))} ({term.result} planck)"
    if term.unit is Unit.SHARE:
        scaled = int(term.result) * 10**_SHARE_DIGITS >> 128
        return f"{scaled // 10**_SHARE_DIGITS}.{scaled % 10**_SHARE_DIGITS:0{_SHARE_DIGITS}d}"
    if term.unit is Unit.FINGERPRINT:
        return f"0x{int(term.result):016x}"
    if isinstance(term.result, Fraction) or term.unit is not Unit.RANK:
        return f"{term.result} {term.unit.value}"
    return f"#{term.result}"


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _console() -> Console:
    """Piped, lines are not cut to 80 columns."""
    width = None if sys.stdout.isatty() else PIPED_COLUMNS
    return Console(width=width, markup=False, emoji=False, highlight=False)
