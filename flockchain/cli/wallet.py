"""`flockchain wallet`: balances and transfers, in FML as people write it.

Source: WP III.A (the token FML); Substrate `pallet_balances`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from flockchain.cli.amounts import shown, shown_all
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    JsonFlag,
    RpcFlag,
    address,
    open_client,
    parse_planck,
    print_facts,
    read_account,
)
from flockchain.cli.signing import Signer, with_signer
from flockchain.sdk import Wait
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.pallets.system import System
from runtime.pallets.transaction_payment import TransactionFeePaid
from runtime.primitives.multi import Id

app = typer.Typer(
    help="See balances and send.", no_args_is_help=True, pretty_exceptions_show_locals=False
)


@app.command()
def balance(
    account: Annotated[str, typer.Argument(help="SS58 address, 0x key, or //Name (sr25519).")],
    rpc: RpcFlag = DEFAULT_RPC,
    as_json: JsonFlag = False,
) -> None:
    """Show what an account has: free, held for stakes and deposits, and in all."""
    who = read_account(account)
    with open_client(rpc) as client:
        info = client.query(System.account, who)
    data = info.data
    amounts = {
        "free": data.free,
        "held": data.reserved,
        "frozen": data.frozen,
        "total": data.free + data.reserved,
    }
    told = shown_all(amounts, as_json=as_json)
    print_facts({"account": address(who), "nonce": info.nonce, **told}, as_json=as_json)


@app.command()
@with_signer
def transfer(
    signer: Signer,
    to: Annotated[str, typer.Argument(help="SS58 address, 0x key, or //Name (sr25519).")],
    amount: Annotated[str, typer.Argument(help='As "12.5 FML" or "1000 planck".')],
    tip: Annotated[str, typer.Option(help="Extra pay for the block's author.")] = "0 FML",
    finalized: Annotated[
        bool, typer.Option("--finalized", help="Wait until the transfer is final.")
    ] = False,
) -> None:
    """Send FML; the sender's account stays alive."""
    who, planck, tip_planck = read_account(to), parse_planck(amount), parse_planck(tip)
    pair = signer.pair
    call = encode_call(Balances.transfer_keep_alive, Id(who), planck)
    wait = Wait.FINALIZED if finalized else Wait.IN_BLOCK
    with signer.open() as client:
        receipt = client.submit(call, pair, tip=tip_planck, wait=wait)
    paid = receipt.find(TransactionFeePaid)
    fee = 0 if paid is None else paid.actual_fee
    print_facts(
        {
            "from": address(pair.account),
            "to": address(who),
            "amount": shown(planck, as_json=signer.as_json),
            "fee": shown(fee, as_json=signer.as_json),
            "block": f"0x{(receipt.block or b'').hex()}",
            "extrinsic": f"0x{receipt.extrinsic.hex()}",
        },
        as_json=signer.as_json,
    )
