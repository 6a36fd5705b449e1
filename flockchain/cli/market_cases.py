"""`flockchain market rate`, `challenge`, `enlist` and `case`: what becomes of answers.

A rating or a verdict is sealed with a salt that the command prints, and opened with it later.
Source: WP II.C, II.D.6.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import orjson
import typer

from flockchain.cli.amounts import TaskArgument, shown
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    JsonFlag,
    RpcFlag,
    address,
    event_of,
    open_client,
    print_facts,
    read_account,
)
from flockchain.cli.market_text import HostOption, SaltOption, read_salt
from flockchain.cli.refusal import refuse
from flockchain.cli.signing import Signer, with_signer
from flockchain.marketplace.evidence import answer_blobs, answer_record
from runtime.economy.parameters import SCORE_MAX
from runtime.frame.pallet import encode_call
from runtime.pallets.marketplace import Marketplace, case_records, events
from runtime.pallets.marketplace.seals import seal_rating, seal_verdict
from runtime.pallets.system import System
from runtime.primitives.multi import MULTI_SIGNATURE
from runtime.primitives.scale import ScaleError

PERCENT = SCORE_MAX // 100
RatingArgument = Annotated[int, typer.Argument(min=0, max=100, help="In percent.")]
CaseArgument = Annotated[int, typer.Argument(min=0, max=2**32 - 1, help="Its number.")]
VerdictArgument = Annotated[str, typer.Argument(help="right, wrong or no-data.")]
_VERDICTS: dict[str, case_records.Verdict] = {
    "right": case_records.Right(),
    "wrong": case_records.Wrong(),
    "no-data": case_records.NoData(),
}


def mount_cases(app: typer.Typer) -> None:
    """Add the commands about answers."""
    for command in (rate, open_rating, challenge, enlist, stand_down, judge, open_verdict, case):
        app.command()(command)


@with_signer
def rate(signer: Signer, host: HostOption, rating: RatingArgument) -> None:
    """Seal what yesterday's answers of a host were worth; open it in the day's second half."""
    pair, who, salt = signer.pair, read_account(host), secrets.token_bytes(32)
    with signer.open() as client:
        calendar = client.client.preset.calendar
        day = calendar.day_of(client.query(System.number) + 1) - 1
        if day < 0:
            refuse("there was no day before this one")
        genesis = client.client.genesis
        seal = seal_rating(genesis, pair.account, who, day, rating * PERCENT, salt)
        receipt = client.submit(encode_call(Marketplace.seal_rating, who, seal), pair)
    told = event_of(receipt, events.RatingSealed, "rating")
    if told.day != day:
        refuse(f"day {told.day + 1} began meanwhile, and this seal cannot be opened; rate again")
    facts = {"host": address(told.host), "day": told.day, "salt": "0x" + salt.hex()}
    print_facts(facts, as_json=signer.as_json)


@with_signer
def open_rating(signer: Signer, host: HostOption, rating: RatingArgument, salt: SaltOption) -> None:
    """Open a sealed rating."""
    call = encode_call(
        Marketplace.open_rating, read_account(host), rating * PERCENT, read_salt(salt)
    )
    told = signer.send(call, events.Rated, "rating")
    facts = {"host": address(told.host), "day": told.day, "rating": told.rating // PERCENT}
    print_facts(facts, as_json=signer.as_json)


@with_signer
def challenge(
    signer: Signer,
    file: Annotated[Path, typer.Argument(help="A signed answer that the gateway kept.")],
) -> None:
    """Doubt an answer: a jury of five validators runs the model again. Holds a bond and fees.

    Uploads what was asked and said: jurors call what they cannot have withheld, which costs the
    bond. Documents and the model's files must be at a node already.
    """
    pair = signer.pair
    with signer.open() as client:
        try:
            evidence = orjson.loads(file.read_bytes())
            record = answer_record(evidence, client.client.genesis)
            blobs = answer_blobs(evidence, record)
            signature = MULTI_SIGNATURE.decode_all(
                bytes.fromhex(evidence["flock"]["signature"][2:])
            )
        except OSError as error:
            refuse(f"cannot read {file}: {error}")
        except (ValueError, LookupError, TypeError, ScaleError) as error:
            refuse(f"{file} is no signed answer: {error}")
        for blob in blobs:
            client.run(client.client.put_blob(blob, pair))
        receipt = client.submit(encode_call(Marketplace.challenge, record, signature), pair)
        told = event_of(receipt, events.CaseOpened, "case")
        opened = client.find(Marketplace.cases, told.case)
    held = 0 if opened is None else opened.held()
    facts = {"case": told.case, "held": shown(held, as_json=signer.as_json)}
    print_facts(facts, as_json=signer.as_json)


@with_signer
def enlist(signer: Signer, task: TaskArgument) -> None:
    """Stand ready for juries, as a validator of a live task."""
    told = signer.send(encode_call(Marketplace.enlist, task), events.JurorEnlisted, "juror")
    print_facts({"account": address(told.who), "task": told.task}, as_json=signer.as_json)


@with_signer
def stand_down(signer: Signer) -> None:
    """Stand ready no more."""
    told = signer.send(encode_call(Marketplace.stand_down), events.JurorStruck, "juror")
    print_facts({"account": address(told.who)}, as_json=signer.as_json)


@with_signer
def judge(signer: Signer, number: CaseArgument, verdict: VerdictArgument) -> None:
    """Seal a verdict on a challenge; open it when all have had their time."""
    pair, said, salt = signer.pair, _verdict(verdict), secrets.token_bytes(32)
    with signer.open() as client:
        seal = seal_verdict(client.client.genesis, number, pair.account, said, salt)
        receipt = client.submit(encode_call(Marketplace.seal_verdict, number, seal), pair)
    told = event_of(receipt, events.VerdictSealed, "verdict")
    print_facts({"case": told.case, "salt": "0x" + salt.hex()}, as_json=signer.as_json)


@with_signer
def open_verdict(
    signer: Signer, number: CaseArgument, verdict: VerdictArgument, salt: SaltOption
) -> None:
    """Open a sealed verdict."""
    call = encode_call(Marketplace.open_verdict, number, _verdict(verdict), read_salt(salt))
    told = signer.send(call, events.VerdictOpened, "verdict")
    print_facts({"case": told.case, "verdict": verdict}, as_json=signer.as_json)


def case(number: CaseArgument, rpc: RpcFlag = DEFAULT_RPC, as_json: JsonFlag = False) -> None:
    """Show a case: what it is about, its jury, and how it stands."""
    with open_client(rpc) as client:
        found = client.find(Marketplace.cases, number)
    if found is None:
        refuse(f"there is no case {number}, or it ended long ago")
    matter = found.matter
    is_dispute = isinstance(matter, case_records.Disputed)
    about = address(matter.answer.host) if isinstance(matter, case_records.Disputed) else None
    jurors = [
        {"account": address(each.who), "sealed": each.seal is not None, "said": _said(each)}
        for each in found.jurors
    ]
    print_facts(
        {
            "case": number,
            "matter": "answer" if is_dispute else "data set",
            "host": about,
            "opener": address(found.opener),
            "stage": found.stage.name.lower(),
            "until_block": found.until,
            "jurors": jurors,
        },
        as_json=as_json,
    )


def _said(juror: case_records.Juror) -> str | None:
    return None if juror.verdict is None else type(juror.verdict).__name__.lower()


def _verdict(text: str) -> case_records.Verdict:
    found = _VERDICTS.get(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(_VERDICTS)}")
    return found
