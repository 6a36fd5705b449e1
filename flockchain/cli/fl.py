"""`flockchain fl`: create tasks of the FL Alliance, take part, see rounds and what they paid.

Joining by hand and by a worker are the same: the VRF key follows from the account's secret, so
`flockchain worker fl-client` goes on where `join` ended.

Source: WP VI (FL Alliance), WP VI.B (participants), WP VI.F (rewards).
"""

from __future__ import annotations

from typing import Annotated

import typer

from flockchain.cli.amounts import TaskArgument, shown
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    AccountArgument,
    JsonFlag,
    RpcFlag,
    address,
    event_of,
    open_client,
    print_facts,
    print_json,
    print_table,
    read_account,
)
from flockchain.cli.fl_create import create_task
from flockchain.cli.fl_rows import write_rows
from flockchain.cli.refusal import refuse
from flockchain.cli.signing import Signer, with_signer
from flockchain.sdk import BlockingClient
from flockchain.workers.alliance.keys import public_vrf_key, vrf_seed_of
from flockchain.workers.model_seal import sealing_key
from runtime.fl_api import AllianceApi
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance import events as alliance
from runtime.pallets.fl_alliance.seals import possession_message
from runtime.pallets.fl_alliance.views import AllianceInfo, PaymentExplanation, RoundSummary
from runtime.primitives import vrf
from runtime.primitives.content_id import cid_text

app = typer.Typer(
    help="Take part in federated learning.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command("create")(create_task)
app.command("rows")(write_rows)


# -- tasks


@app.command("list")
def list_tasks(rpc: RpcFlag = DEFAULT_RPC, as_json: JsonFlag = False) -> None:
    """List the tasks that have not ended."""
    with open_client(rpc) as client:
        view = client.run(client.client.at_best())
        found = client.run(view.ask(AllianceApi.alliance_tasks))
    rows = [_describe(info, as_json=as_json) for info in found]
    if as_json:
        print_json(rows)
        return
    columns = ("task", "name", "stage", "rounds", "members", "stake", "pool")
    print_table(
        "Tasks of the FL Alliance",
        columns,
        [tuple(row[name] for name in columns) for row in rows],
    )


@app.command()
def status(
    task: TaskArgument,
    rpc: RpcFlag = DEFAULT_RPC,
    account: Annotated[
        str | None, typer.Option(help="Also this account's part: address, 0x key, or //Name.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a task, where its round stands, and what an account should do next."""
    who = None if account is None else read_account(account)
    with open_client(rpc) as client:
        info = _info(client, task)
        facts = _describe(info, as_json=as_json)
        if who is not None:
            view = client.run(client.client.at_best())
            part = client.run(view.ask(AllianceApi.part_of, task, who))
            member = client.find(FlAlliance.members, (task, who))
            facts |= {
                "account": address(who),
                "membership": "none" if member is None else member.status.name.lower(),
                "balance": shown(0 if member is None else member.balance, as_json=as_json),
                "role": part.role.name.lower(),
                "due": part.duty.name.lower(),
                "due_before_block": part.until,
            }
    print_facts(facts, as_json=as_json)


@app.command()
def history(task: TaskArgument, rpc: RpcFlag = DEFAULT_RPC, as_json: JsonFlag = False) -> None:
    """List the rounds whose records are kept, the oldest first."""
    with open_client(rpc) as client:
        _info(client, task)
        view = client.run(client.client.at_best())
        rounds = client.run(view.ask(AllianceApi.round_history, task))
    rows = [_summary(each, as_json=as_json) for each in rounds]
    if as_json:
        print_json({"task": task, "rounds": rows})
    else:
        print_table(
            f"Rounds of task {task}",
            ["round", "members", "propose", "vote", "absent", "outcome", "votes", "reward"],
            [tuple(row.values())[:8] for row in rows],
        )


@app.command()
def explain(
    task: TaskArgument,
    round_: Annotated[int, typer.Argument(metavar="ROUND", min=0, help="Counted from 0.")],
    account: AccountArgument,
    rpc: RpcFlag = DEFAULT_RPC,
    as_json: JsonFlag = False,
) -> None:
    """Show what a round did to an account, and what that was made from."""
    who = read_account(account)
    with open_client(rpc) as client:
        view = client.run(client.client.at_best())
        found = client.run(view.ask(AllianceApi.explain_payment, task, round_, who))
    if found is None:
        refuse(f"round {round_} of task {task} did nothing to {address(who)}, or is not kept")
    facts: dict[str, object] = {"task": task, "round": round_, "account": address(who)}
    print_facts({**facts, **_explained(found, as_json=as_json)}, as_json=as_json)


# -- taking part


@app.command()
@with_signer
def join(
    signer: Signer,
    task: TaskArgument,
    units: Annotated[int, typer.Option(min=1, help="How many units of samples one trains on.")],
) -> None:
    """Stake the task's quantity and become a member; then run `flockchain worker fl-client`.

    A member that nobody answers for loses stake in every round.
    """
    pair = signer.pair
    with signer.open() as client:
        _info(client, task)  # says no before anything is submitted
        genesis = client.client.genesis
        seal = sealing_key(pair, genesis).public_key.encode()
        known = client.find(Arena.sealing_keys, pair.account)
        if known is None or known.key != seal:
            client.submit(encode_call(Arena.set_sealing_key, seal), pair)
        seed = vrf_seed_of(pair, genesis, task)
        possession = vrf.prove(seed, possession_message(genesis, task, pair.account))
        call = encode_call(FlAlliance.join, task, public_vrf_key(seed), possession, units)
        receipt = client.submit(call, pair)
    joined = event_of(receipt, alliance.Joined, "member")
    facts: dict[str, object] = {
        "task": task,
        "account": address(pair.account),
        "stake": shown(joined.stake, as_json=signer.as_json),
        "units": joined.units,
        "drawn_from_turn": joined.from_turn,
    }
    print_facts(facts, as_json=signer.as_json)


@app.command()
@with_signer
def pause(
    signer: Signer,
    task: TaskArgument,
) -> None:
    """Be drawn no more until `resume`; acts three epochs later."""
    pair = signer.pair
    with signer.open() as client:
        receipt = client.submit(encode_call(FlAlliance.pause, task), pair)
    turn = event_of(receipt, alliance.Paused, "change").from_turn
    facts = {"task": task, "account": address(pair.account), "from_turn": turn}
    print_facts(facts, as_json=signer.as_json)


@app.command()
@with_signer
def resume(
    signer: Signer,
    task: TaskArgument,
) -> None:
    """Be drawn again; acts three epochs later."""
    pair = signer.pair
    with signer.open() as client:
        receipt = client.submit(encode_call(FlAlliance.resume, task), pair)
    turn = event_of(receipt, alliance.Resumed, "change").from_turn
    facts = {"task": task, "account": address(pair.account), "from_turn": turn}
    print_facts(facts, as_json=signer.as_json)


@app.command()
@with_signer
def leave(
    signer: Signer,
    task: TaskArgument,
) -> None:
    """Be drawn no more for good; the balance is free after the unbonding time.

    Keep the worker running until the turn that is named: until then one may still be drawn.
    """
    pair = signer.pair
    left = signer.send(encode_call(FlAlliance.leave, task), alliance.Left, "leaving")
    facts: dict[str, object] = {"task": task, "account": address(pair.account)}
    facts |= {"not_drawn_from_turn": left.from_turn, "free_day": left.free_day}
    print_facts(facts, as_json=signer.as_json)


@app.command()
@with_signer
def claim(
    signer: Signer,
    task: TaskArgument,
) -> None:
    """Get one's balance back, after the task's end, leaving or expulsion."""
    pair = signer.pair
    claimed = signer.send(encode_call(FlAlliance.claim, task), alliance.Claimed, "claim")
    facts: dict[str, object] = {"task": task, "account": address(pair.account)}
    facts |= {
        "stake": shown(claimed.stake, as_json=signer.as_json),
        "earned": shown(claimed.earned, as_json=signer.as_json),
    }
    print_facts(facts, as_json=signer.as_json)


# -- how it looks


def _info(client: BlockingClient, task: int) -> AllianceInfo:
    view = client.run(client.client.at_best())
    found = client.run(view.ask(AllianceApi.alliance_task, task))
    if found is None:
        refuse(f"there is no task {task} of the FL Alliance: `flockchain fl list` shows live ones")
    return found


def _describe(info: AllianceInfo, *, as_json: bool) -> dict[str, object]:
    """A task for the reader."""
    record, run, terms = info.record, info.run, info.record.terms
    stage = "ended" if info.progress is None else info.progress.stage.name.lower()
    pool = 0 if info.purse is None else info.purse.pool
    return {
        "task": info.task,
        "name": terms.name,
        "mode": terms.mode.name.lower(),
        "creator": address(record.creator),
        "stage": stage,
        "round": info.round,
        "rounds": f"{run.opened} of {terms.rounds}",
        "members": run.active,
        "members_min": record.members_min,
        "stake": shown(terms.quantity, as_json=as_json),
        "pool": shown(pool, as_json=as_json),
        "slash": str(terms.slash),
        "threshold": str(terms.threshold),
        "origin": terms.origin,
        "spec": cid_text(terms.spec),
        "model": None if run.model is None else cid_text(run.model),
        "turn": info.turn.count,
    }


def _summary(each: RoundSummary, *, as_json: bool) -> dict[str, object]:
    result = each.result
    outcome = "open" if result is None else result.outcome.name.lower()
    if result is not None and result.void is not None:
        outcome = f"void: {result.void.name.lower()}"
    reward = 0 if result is None else result.from_pool + result.minted
    return {
        "round": each.round,
        "members": each.members,
        "proposers": each.proposers,
        "voters": each.voters,
        "absent": each.absent,
        "outcome": outcome,
        "votes": None if result is None else result.votes,
        "reward": shown(reward, as_json=as_json),
        "base": None if each.base is None else cid_text(each.base),
    }


def _explained(found: PaymentExplanation, *, as_json: bool) -> dict[str, object]:
    payment, result = found.payment, found.result
    facts: dict[str, object] = {
        "standing": payment.standing.name.lower(),
        "balance_before": shown(payment.balance, as_json=as_json),
        "amount": shown(payment.amount, as_json=as_json),
        "outcome": result.outcome.name.lower(),
        "votes": result.votes,
        "posted_proof": found.posted_proof,
        "reward": shown(result.from_pool + result.minted, as_json=as_json),
        "good_balances": shown(result.good, as_json=as_json),
        "pool_before": shown(result.pool, as_json=as_json),
        "rounds_left": found.rounds_left,
        "slash": str(found.slash),
        "absence_slash": str(found.absence_slash),
    }
    if not as_json:
        facts["formula"] = {
            "good": "reward x balance / good balances",
            "losing": "slash x balance, floored",
            "absent": "absence slash x balance, floored",
            "exempt": "nothing",
        }[payment.standing.name.lower()]
    return facts
