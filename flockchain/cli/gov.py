"""`flockchain gov`: lock tokens, let others vote with them, debate, vote, and see what is decided.

Source: WP VII (governance).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flockchain.cli.amounts import AmountArgument, shown, shown_all
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    AccountArgument,
    JsonFlag,
    RpcFlag,
    address,
    event_of,
    open_client,
    parse_planck,
    print_facts,
    print_table,
    read_account,
)
from flockchain.cli.gov_models import mount_models
from flockchain.cli.gov_preview import preview_proposal
from flockchain.cli.gov_propose import app as propose_app
from flockchain.cli.gov_rows import facts_of, rows_of, shown_weight
from flockchain.cli.gov_text import read_text, upload
from flockchain.cli.refusal import refuse
from flockchain.cli.signing import Signer, with_signer
from runtime.economy.governance import LOCK_DAYS_MAX
from runtime.frame.pallet import encode_call
from runtime.pallets.governance import Governance, events
from runtime.primitives.content_id import cid_text

app = typer.Typer(
    help="Propose and vote.", no_args_is_help=True, pretty_exceptions_show_locals=False
)
app.add_typer(propose_app, name="propose")
app.command("preview")(preview_proposal)
mount_models(app)

ProposalArgument = Annotated[int, typer.Argument(min=0, max=2**32 - 1, help="Its number.")]


@app.command()
@with_signer
def lock(
    signer: Signer,
    amount: AmountArgument,
    days: Annotated[int, typer.Option(min=1, max=LOCK_DAYS_MAX, help="Notice to leave.")] = 30,
) -> None:
    """Lock so much more to vote with; beyond 30 days of notice each token counts more, up to 3.01.

    The notice is that of the whole lock and only grows.
    """
    planck = parse_planck(amount)
    locked = signer.send(encode_call(Governance.lock, planck, days), events.Locked, "lock")
    print_facts(
        {
            "account": address(locked.who),
            "locked": shown(locked.tokens, as_json=signer.as_json),
            "days": locked.days,
        },
        as_json=signer.as_json,
    )


@app.command()
@with_signer
def unlock(
    signer: Signer,
    amount: AmountArgument,
) -> None:
    """Begin to take a part back: it counts in no vote that opens later."""
    planck = parse_planck(amount)
    begun = signer.send(encode_call(Governance.unlock, planck), events.UnlockBegun, "unlocking")
    amounts = shown_all({"unlocking": begun.amount}, as_json=signer.as_json)
    print_facts(
        {"account": address(begun.who), **amounts, "free_at_block": begun.free_at},
        as_json=signer.as_json,
    )


@app.command()
@with_signer
def withdraw(
    signer: Signer,
) -> None:
    """Get back what was unlocked and is free by now."""
    freed = signer.send(encode_call(Governance.withdraw), events.Withdrawn, "withdrawal")
    amounts = shown_all({"withdrawn": freed.amount}, as_json=signer.as_json)
    print_facts({"account": address(freed.who), **amounts}, as_json=signer.as_json)


@app.command()
@with_signer
def delegate(
    signer: Signer,
    to: Annotated[
        str | None, typer.Argument(help="Who votes: SS58 address, 0x key, or //Name; else oneself.")
    ] = None,
) -> None:
    """Let another vote with one's lock in votes that open later; without a name, oneself again."""
    call = encode_call(Governance.undelegate)
    if to is not None:
        call = encode_call(Governance.delegate, read_account(to))
    told = signer.send(call, events.Delegated, "delegation")
    voter = address(told.who if told.to is None else told.to)
    print_facts({"account": address(told.who), "votes": voter}, as_json=signer.as_json)


@app.command()
@with_signer
def vote(
    signer: Signer,
    proposal: ProposalArgument,
    is_aye: Annotated[bool, typer.Option("--aye/--nay", help="For or against.")],
) -> None:
    """Vote with all that one had when the vote opened; the last vote counts."""
    pair = signer.pair
    with signer.open() as client:
        receipt = client.submit(encode_call(Governance.vote, proposal, is_aye), pair)
        told = event_of(receipt, events.Voted, "vote")
        found = client.find(Governance.proposals, proposal)
    is_quadratic = found is None or found.is_quadratic
    weight = shown_weight(told.weight, is_quadratic=is_quadratic, as_json=signer.as_json)
    side = "aye" if told.is_aye else "nay"
    print_facts({"proposal": proposal, "vote": side, "weight": weight}, as_json=signer.as_json)


@app.command()
@with_signer
def flag(
    signer: Signer,
    proposal: ProposalArgument,
    is_scam: Annotated[bool, typer.Option("--scam/--fair", help="What it is.")] = True,
) -> None:
    """Call a proposal a scam in its debate, or say that it is none."""
    told = signer.send(encode_call(Governance.flag, proposal, is_scam), events.Flagged, "flag")
    counted = shown(told.tokens, as_json=signer.as_json)
    said = "scam" if told.is_scam else "fair"
    print_facts({"proposal": proposal, "said": said, "counted": counted}, as_json=signer.as_json)


@app.command()
@with_signer
def comment(
    signer: Signer,
    proposal: ProposalArgument,
    file: Annotated[Path, typer.Argument(help="What to say; its bytes go to the node.")],
) -> None:
    """Say something in a proposal's debate, in place of what one said before."""
    text, pair = read_text(file), signer.pair
    with signer.open() as client:
        content = upload(client, text, pair)
        client.submit(encode_call(Governance.comment, proposal, content), pair)
    print_facts({"proposal": proposal, "comment": cid_text(content)}, as_json=signer.as_json)


@app.command("list")
def list_proposals(rpc: RpcFlag = DEFAULT_RPC, as_json: JsonFlag = False) -> None:
    """List what is on its way, and the last that was decided."""
    with open_client(rpc) as client:
        found = client.query_map(Governance.proposals)
        live = {each.proposal: each for each in client.query(Governance.live)}
    rows = rows_of(sorted(found, key=lambda each: each[0]), live, as_json=as_json)
    if as_json:
        print_facts({"proposals": rows}, as_json=True)
        return
    columns = ["proposal", "track", "stage", "until", "ayes", "nays", "turnout", "quorum"]
    print_table("Proposals", columns, [list(row.values()) for row in rows])


@app.command()
def show(proposal: ProposalArgument, rpc: RpcFlag = DEFAULT_RPC, as_json: JsonFlag = False) -> None:
    """Show one proposal, the call that it would make, and what is said of it."""
    with open_client(rpc) as client:
        found = client.find(Governance.proposals, proposal)
        if found is None:
            refuse(f"there is no proposal {proposal}, or it was decided long ago")
        facts = facts_of(client, proposal, found, as_json=as_json)
    print_facts(facts, as_json=as_json)


@app.command()
def status(account: AccountArgument, rpc: RpcFlag = DEFAULT_RPC, as_json: JsonFlag = False) -> None:
    """Show what an account has locked, what it votes with, and what is on its way out."""
    who = read_account(account)
    with open_client(rpc) as client:
        position = client.find(Governance.positions, who)
        is_attested = client.query(Governance.attested, who)
        covering = client.query(Governance.covering, who)
    if position is None:
        refuse("the account has locked nothing")
    now = position.now
    votes, to = now.votes(), position.delegate
    amounts = {"locked": now.own.tokens, "votes": votes.weight, "received": now.received.weight}
    amounts |= {"in_place_of_stake": covering}
    parts = [
        {"amount": shown(part.amount, as_json=as_json), "free_at_block": part.free_at}
        for part in position.unlocking
    ]
    print_facts(
        {
            "account": address(who),
            **shown_all(amounts, as_json=as_json),
            "days": position.days,
            "delegate": None if to is None else address(to),
            "attested": is_attested,
            "unlocking": parts,
        },
        as_json=as_json,
    )
