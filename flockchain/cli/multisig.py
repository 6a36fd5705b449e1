"""`flockchain multisig`: accounts that so many of several keys open together.

Signatories are named in any order. Whoever approves first opens an operation and holds its deposit;
each approval carries the whole call, so that the one that completes it makes the call.
Source: Substrate `pallet_multisig`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from flockchain.cli.amounts import shown
from flockchain.cli.call import CallArgument
from flockchain.cli.call_text import call_hash, name_of, read_call
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    AccountArgument,
    JsonFlag,
    RpcFlag,
    address,
    open_client,
    print_facts,
    print_json,
    read_account,
)
from flockchain.cli.refusal import refuse
from flockchain.cli.sent import ensure_made, print_sent
from flockchain.cli.signing import Signer, with_signer
from runtime.frame.pallet import encode_call
from runtime.pallets.multisig import Multisig
from runtime.pallets.multisig.records import (
    MultisigExecuted,
    Operation,
    multi_account,
)
from runtime.primitives.types import AccountId

app = typer.Typer(
    help="Act for accounts of several keys.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)

OthersOption = Annotated[
    list[str], typer.Option("--with", help="Another signatory; repeat it for each.")
]
ThresholdOption = Annotated[
    int, typer.Option("--threshold", min=1, max=100, help="How many must approve.")
]


@app.command("address")
def show_address(
    signatories: Annotated[list[str], typer.Argument(help="All of them, in any order.")],
    threshold: ThresholdOption,
    as_json: JsonFlag = False,
) -> None:
    """Show the account of so many of these signatories."""
    listed = _ordered(signatories)
    if threshold > len(listed):
        raise typer.BadParameter(f"there are {len(listed)} signatories", param_hint="--threshold")
    print_facts({"account": address(multi_account(listed, threshold))}, as_json=as_json)


@app.command()
@with_signer
def approve(
    signer: Signer,
    call: CallArgument,
    others: OthersOption,
    threshold: ThresholdOption,
) -> None:
    """Approve a call, and make it if enough have approved."""
    made, pair = read_call(call), signer.pair
    listed = _others(others, pair.account)
    account = multi_account(sorted([*listed, pair.account]), threshold)
    hashed = call_hash(made)
    with signer.open() as client:
        known = client.find(Multisig.multisigs, (account, hashed))
        if threshold == 1:
            encoded = encode_call(Multisig.as_multi_threshold_1, listed, made)
        else:
            when = None if known is None else known.when
            weight = made.info().weight
            encoded = encode_call(Multisig.as_multi, threshold, listed, when, made, weight)
        receipt = client.submit(encoded, pair)
    executed = receipt.find(MultisigExecuted)
    if executed is not None:
        ensure_made(executed.result)
    facts = {
        "account": address(account),
        "call": name_of(made.entry),
        "hash": f"0x{hashed.hex()}",
        "made": executed is not None or threshold == 1,
    }
    print_sent(receipt, facts, as_json=signer.as_json)


@app.command()
@with_signer
def cancel(
    signer: Signer,
    call: CallArgument,
    others: OthersOption,
    threshold: ThresholdOption,
) -> None:
    """Give up an operation that the signer opened, and get its deposit back."""
    made, pair = read_call(call), signer.pair
    listed, hashed = _others(others, pair.account), call_hash(made)
    account = multi_account(sorted([*listed, pair.account]), threshold)
    with signer.open() as client:
        known = client.find(Multisig.multisigs, (account, hashed))
        if known is None:
            refuse(f"{address(account)} has no open operation 0x{hashed.hex()}")
        encoded = encode_call(Multisig.cancel_as_multi, threshold, listed, known.when, hashed)
        receipt = client.submit(encoded, pair)
    facts = {"account": address(account), "hash": f"0x{hashed.hex()}"}
    print_sent(receipt, facts, as_json=signer.as_json)


@app.command("list")
def list_operations(
    account: AccountArgument, rpc: RpcFlag = DEFAULT_RPC, as_json: JsonFlag = False
) -> None:
    """Show the open operations of an account of several keys."""
    who = read_account(account)
    with open_client(rpc) as client:
        found = client.query_map(Multisig.multisigs, who)
    print_json([_facts(hashed, operation, as_json=as_json) for hashed, operation in found])


def _facts(hashed: bytes, operation: Operation, *, as_json: bool) -> dict[str, object]:
    return {
        "hash": f"0x{hashed.hex()}",
        "height": operation.when.height,
        "depositor": address(operation.depositor),
        "deposit": shown(operation.deposit, as_json=as_json),
        "approvals": [address(each) for each in operation.approvals],
    }


def _ordered(texts: Iterable[str]) -> list[AccountId]:
    """Accounts in the order in which the chain takes them, each once."""
    return sorted({read_account(text) for text in texts})


def _others(texts: Iterable[str], own: AccountId) -> list[AccountId]:
    return [each for each in _ordered(texts) if each != own]
