"""`flockchain gov models` and `gov vote-models`: the lists of models, and the vote on them.

Source: litepaper, governance (top and trending models).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from flockchain.cli.amounts import shown, shown_all
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    JsonFlag,
    RpcFlag,
    address,
    open_client,
    print_facts,
    print_table,
    read_account,
    read_content_id,
)
from flockchain.cli.signing import Signer, with_signer
from runtime.economy.trends import PPM
from runtime.frame.pallet import encode_call
from runtime.pallets.trends import Trends, events
from runtime.pallets.trends.records import Ballot, Listed, Part, Poll
from runtime.primitives.content_id import cid_text

_TEN_THOUSAND = PPM // 100  # of a percent


def mount_models(app: typer.Typer) -> None:
    """Add the commands of the vote on models."""
    app.command()(models)
    app.command("vote-models")(vote_models)


def models(
    account: Annotated[str | None, typer.Option(help="Whose ballot to show as well.")] = None,
    rpc: RpcFlag = DEFAULT_RPC,
    as_json: JsonFlag = False,
) -> None:
    """Show the season's top and trending models, the vote on the last one's, and multipliers."""
    who = None if account is None else read_account(account)
    with open_client(rpc) as client:
        season, poll = client.query(Trends.season), client.find(Trends.poll)
        lists = {"top": client.query(Trends.top), "trending": client.query(Trends.trending)}
        boosts = client.query_map(Trends.boosts)
        ballot = None
        if who is not None and poll is not None:
            ballot = client.find(Trends.ballots, (poll.season, who))
    rows = {name: _listed(found, as_json=as_json) for name, found in lists.items()}
    multipliers: list[dict[str, object]] = [
        {"model": cid_text(model), "host": _times(one.host), "royalty": _times(one.royalty)}
        for model, one in sorted(boosts)
    ]
    about: dict[str, object] = {"season": season.number, "until_block": season.until}
    vote = None if poll is None else _poll(poll, as_json=as_json)
    candidates = [] if poll is None else _candidates(poll, as_json=as_json)
    said = None if ballot is None else _ballot(ballot, as_json=as_json)
    if as_json:
        told = None if vote is None else {**vote, "candidates": candidates, "ballot": said}
        print_facts({**about, **rows, "vote": told, "multipliers": multipliers}, as_json=True)
        return
    print_facts(about, as_json=False)
    for title, table in rows.items():
        _print(f"{title.capitalize()} models", table)
    if vote is not None:
        print_facts({"vote_on": vote, "ballot": said}, as_json=False)
        _print("Candidates", candidates)
    _print("Multipliers", multipliers)


@with_signer
def vote_models(
    signer: Signer,
    parts: Annotated[list[str], typer.Argument(help="MODEL=PERCENT, up to 8; the rest: none.")],
) -> None:
    """Divide what one had locked when the vote opened over models; the last ballot counts."""
    call = encode_call(Trends.vote, [_part(text) for text in parts])
    told = signer.send(call, events.ModelsVoted, "vote")
    print_facts(
        {
            "season": told.season,
            "account": address(told.who),
            "models": told.models,
            "weight": shown(told.weight, as_json=signer.as_json),
        },
        as_json=signer.as_json,
    )


def _part(text: str) -> Part:
    """A model and its share. Wrong usage for what is none."""
    model, _, percent = text.rpartition("=")
    try:
        share = Decimal(percent.removesuffix("%")) * _TEN_THOUSAND
    except InvalidOperation:
        share = Decimal(0)
    if not model or not 0 < share <= PPM or share != int(share):
        raise typer.BadParameter(f"{text!r} is not as MODEL=PERCENT", param_hint="PARTS")
    return Part(read_content_id(model), int(share))


def _listed(found: Sequence[Listed], *, as_json: bool) -> list[dict[str, object]]:
    return [
        {
            "model": cid_text(each.model),
            **shown_all({"burned": each.counted}, as_json=as_json),
            "payers": each.payers,
            "rise": _times(each.rise),
        }
        for each in found
    ]


def _poll(poll: Poll, *, as_json: bool) -> dict[str, object]:
    tokens = {"turnout": poll.turnout, "quorum": poll.quorum}
    return {
        "season": poll.season,
        "open": poll.is_open,
        "until_block": poll.until,
        **shown_all(tokens, as_json=as_json),
    }


def _candidates(poll: Poll, *, as_json: bool) -> list[dict[str, object]]:
    ranked = sorted(poll.candidates, key=lambda each: (-each.votes, each.model))
    return [
        {
            "model": cid_text(each.model),
            "top": each.is_top,
            "trending": each.is_trending,
            **shown_all({"votes": each.votes}, as_json=as_json),
        }
        for each in ranked
    ]


def _ballot(ballot: Ballot, *, as_json: bool) -> dict[str, object]:
    shares = {cid_text(part.model): _percent(part.share) for part in ballot.parts}
    return {"weight": shown(ballot.weight, as_json=as_json), "shares": shares}


def _times(ppm: int) -> str:
    """Parts per million as a factor."""
    return f"{Decimal(ppm) / PPM:f}"


def _percent(ppm: int) -> str:
    return f"{Decimal(ppm) / _TEN_THOUSAND:f}%"


def _print(title: str, rows: Sequence[dict[str, object]]) -> None:
    if rows:
        print_table(title, list(rows[0]), [list(row.values()) for row in rows])
